"""In-memory feeds: the newest commits of all jobs that match a filter, ordered by position.

Like a tail, but of many jobs. Each entry is matched against each filter once, however many subscribers share it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from milepost.server.base.payloads import ANY_PAYLOAD
from milepost.server.log.event_log import (
    CommitRow,
    DropNotice,
    Entry,
    EventLog,
    JobAttributes,
    Query,
    state_mask,
)
from milepost.server.log.frames import Chunk, watch_response
from milepost.server.watching.event_filters import FrameFilter
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.signals import Signal
from milepost.server.watching.tails import BATCH_BYTES
from milepost.v1 import JobFilter

# Filters not in use whose dropped positions stay in memory.
_KNOWN_DROPS_LIMIT = 1000


class FeedItem(NamedTuple):
    """A commit of a matching job, or a notice that events of one were dropped."""

    position: int
    job_id: str
    chunk: Chunk
    starts_matching: bool
    """Whether the job matches from this commit on, and has earlier commits that are not in the feed."""
    notice: DropNotice | None = None

    @property
    def needs_own_frame(self) -> bool:
        """Whether it is sent in a frame of its own."""
        return self.starts_matching or self.notice is not None


class JobCriteria(NamedTuple):
    """A job filter as a hashable value."""

    owner: str
    kinds: frozenset[str]
    labels: frozenset[tuple[str, str]]
    parent_job_id: str
    job_ids: frozenset[str]
    states: frozenset[int]

    @classmethod
    def of(cls, wanted: JobFilter) -> JobCriteria:
        """The criteria of a request's filter."""
        return cls(
            wanted.owner,
            frozenset(wanted.kinds),
            frozenset(wanted.labels.items()),
            wanted.parent_job_id,
            frozenset(wanted.job_ids),
            frozenset(wanted.states),
        )

    def query(self) -> Query:
        """The query of the log for the same jobs."""
        return Query(
            owner=self.owner,
            kinds=sorted(self.kinds),
            labels=dict(sorted(self.labels)),
            parent_job_id=self.parent_job_id,
            with_parent=True,
            job_ids=sorted(self.job_ids),
            states=sorted(self.states),
            newest_first=False,
            limit=100,
            max_bytes=BATCH_BYTES,
        )

    def item(self, entry: Entry) -> FeedItem | None:
        """The item of a log entry; None if it does not match."""
        if isinstance(entry, DropNotice):
            return notice_item(entry) if self._matches(entry.attributes) else None
        commit = entry.commit
        if not self._matches(commit.attributes):
            return None
        return self.commit(entry.position, commit.job_id, commit.chunk, commit.state_before, commit.state)

    def commit(self, position: int, job_id: str, chunk: Chunk, before: int, state: int) -> FeedItem | None:
        """The item of a commit whose job matches apart from its state; None if neither state matches."""
        starts_matching = False
        if self.states and before not in self.states:
            if state not in self.states:
                return None
            starts_matching = chunk.first > 1
        return FeedItem(position, job_id, chunk, starts_matching)

    def _matches(self, attributes: JobAttributes) -> bool:
        return (
            (not self.owner or attributes.owner == self.owner)
            and (not self.kinds or attributes.kind in self.kinds)
            and (
                not self.parent_job_id or self.parent_job_id in (attributes.parent_job_id, attributes.job_id)
            )
            and (not self.job_ids or attributes.job_id in self.job_ids)
            and all(attributes.labels.get(name) == value for name, value in self.labels)
        )


def notice_item(notice: DropNotice) -> FeedItem:
    """The item of a notice."""
    return FeedItem(
        notice.position, notice.attributes.job_id, Chunk(0, 0, b""), starts_matching=False, notice=notice
    )


class DroppedPositions:
    """The newest dropped position for each mask of payloads; ``newest`` is the newest of all."""

    def __init__(self) -> None:
        self.newest = 0
        self._by_payloads: dict[int, int] = {}

    def add(self, payloads: int, position: int) -> None:
        """Add the position of a dropped commit with these payloads."""
        if payloads and position:
            self._by_payloads[payloads] = max(position, self._by_payloads.get(payloads, 0))
            self.newest = max(self.newest, position)

    def update(self, found: Mapping[int, int]) -> None:
        """Add what ``EventLog.dropped`` has returned."""
        for payloads, position in found.items():
            self.add(payloads, position)

    def newest_of(self, payloads: int) -> int:
        """The newest position of a commit with any of these payloads; 0 if there is none."""
        return max((at for mask, at in self._by_payloads.items() if mask & payloads), default=0)


class KnownDrops(NamedTuple):
    """Dropped positions that match a filter, complete up to a position."""

    drops: DroppedPositions
    position: int


class Feed:
    """The newest items for one filter. ``since`` is the position after which it has every item.

    ``drops`` are the dropped positions that match: complete once they are loaded.
    """

    def __init__(self, criteria: JobCriteria, position: int, memory: MemoryBudget, known: KnownDrops) -> None:
        self.criteria = criteria
        self.drops = known.drops
        self.drops_loaded = False
        self.loading = asyncio.Lock()
        self.drops_position = known.position
        self._states = state_mask(criteria.states)
        self._memory = memory
        self._items: deque[FeedItem] = deque()
        self._responses: dict[tuple[int, int, FrameFilter | None], bytes] = {}
        self.signal = Signal()
        self.since = position
        self.watchers = 0

    def push(self, entries: Iterable[Entry]) -> None:
        """Add durable entries; wake all watches if any of them matches."""
        size = 0
        matched = False
        for entry in entries:
            item = self.criteria.item(entry)
            if isinstance(entry, DropNotice):
                self._note_drops(entry, matches=item is not None)
            if item is not None:
                matched = True
                self._items.append(item)
                size += len(item.chunk.frames)
        if matched:
            self._memory.charge(self, size - self._clear_responses())
            self.signal.notify()

    def after(self, position: int) -> list[FeedItem] | None:
        """About a batch of items after the position; None if they have to be read from the log."""
        if position < self.since:
            return None
        start = len(self._items)
        while start and self._items[start - 1].position > position:
            start -= 1
        items: list[FeedItem] = []
        size = 0
        for index in range(start, len(self._items)):
            items.append(self._items[index])
            size += len(items[-1].chunk.frames)
            if size >= BATCH_BYTES:
                break
        return items

    def response(self, items: Sequence[FeedItem], frame_filter: FrameFilter | None) -> bytes:
        """The serialised response with the events of these items; subscribers with equal filters share it."""
        if not items:
            return b""
        key = (items[0].position, items[-1].position, frame_filter)
        response = self._responses.get(key)
        if response is None:
            response = compose_response(
                [item.chunk.frames for item in items], frame_filter, items[-1].position
            )
            self._responses[key] = response
            self._memory.charge(self, len(response))
        return response

    def _note_drops(self, notice: DropNotice, *, matches: bool) -> None:
        if matches:
            for drop in notice.drops:
                self.drops.add(drop.payloads_for(self._states), drop.position)
        if self.criteria.owner in ("", notice.attributes.owner):
            self.drops.add(ANY_PAYLOAD, notice.forgotten)

    def evict(self) -> int:
        """See ``Evictable``."""
        freed = self._clear_responses()
        while self._items and not freed:
            item = self._items.popleft()
            self.since = item.position
            freed = len(item.chunk.frames)
        return freed

    def _clear_responses(self) -> int:
        freed = sum(map(len, self._responses.values()))
        self._responses.clear()
        return freed


class Feeds:
    """The feeds of all filters in use."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        self._log = log
        self._memory = memory
        self._feeds: dict[JobCriteria, Feed] = {}
        # Of filters no longer in use: with many drops it takes long to find them all.
        self._known_drops: OrderedDict[JobCriteria, KnownDrops] = OrderedDict()
        self.closed = False

    @contextmanager
    def watching(self, criteria: JobCriteria) -> Iterator[Feed]:
        """Hold the feed of a filter for one watch; the feed is dropped after the last one."""
        feed = self._feeds.get(criteria)
        if feed is None:
            known = self._known_drops.pop(criteria, None) or KnownDrops(DroppedPositions(), 0)
            feed = self._feeds[criteria] = Feed(criteria, self._log.position, self._memory, known)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0:
                self._memory.remove(feed)
                del self._feeds[criteria]
                if feed.drops_loaded and not criteria.job_ids:  # with ids they are soon found again
                    self._known_drops[criteria] = KnownDrops(feed.drops, self._log.position)
                    if len(self._known_drops) > _KNOWN_DROPS_LIMIT:
                        self._known_drops.popitem(last=False)

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Add entries of the log that have become durable."""
        for feed in self._feeds.values():
            feed.push(entries)

    async def load_drops(self, feed: Feed) -> None:
        """Complete ``feed.drops``; concurrent calls share one query."""
        async with feed.loading:
            if not feed.drops_loaded:
                feed.drops.update(await self._log.dropped(feed.criteria.query(), feed.drops_position))
                feed.drops_loaded = True

    async def read_older(self, feed: Feed, position: int) -> tuple[list[FeedItem], int]:
        """Read items after the position from the log; also return the position up to which they are all."""
        criteria = feed.criteria
        # All notices up to the log's position have come to the feed; the store may have later ones already.
        span = await self._log.read_feed(criteria.query(), position, BATCH_BYTES, self._log.position)
        feed.drops.update(span.dropped)
        items: list[FeedItem] = []
        for entry in span.entries:
            item = criteria.commit(*entry) if isinstance(entry, CommitRow) else criteria.item(entry)
            if item is not None:
                items.append(item)
        return items, span.scanned

    def close(self) -> None:
        """Wake all watches, which then end with DRAINING."""
        self.closed = True
        for feed in self._feeds.values():
            feed.signal.notify()


def compose_response(frames: Sequence[bytes], frame_filter: FrameFilter | None, position: int) -> bytes:
    """The serialised response with the frames that pass the filter; empty if none do."""
    return watch_response(frames if frame_filter is None else [frame_filter(b"".join(frames))], position)
