"""The newest commits of all jobs that match a filter.

Like a tail, but of many jobs and ordered by position. What becomes durable is held against each filter once, however
many subscribers share it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

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
from milepost.server.payloads import ANY_PAYLOAD
from milepost.server.watching.event_filters import EventView
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.signals import Signal
from milepost.server.watching.tails import BATCH_BYTES
from milepost.v1 import JobFilter

# Of how many filters it is kept in memory what was dropped, beside those in use.
_KNOWN_MOST = 1000


class Item(NamedTuple):
    """What a feed is made of: a commit of a matching job, or that something of one was dropped."""

    position: int
    job_id: str
    chunk: Chunk
    joins: bool
    """Whether the job has come to match by this commit, after others that are not in the feed."""
    notice: DropNotice | None = None

    @property
    def is_apart(self) -> bool:
        """Whether it is sent as a frame of its own."""
        return self.joins or self.notice is not None


class Criteria(NamedTuple):
    """A filter in a form that can be compared and shared."""

    owner: str
    kinds: frozenset[str]
    labels: frozenset[tuple[str, str]]
    parent_job_id: str
    job_ids: frozenset[str]
    states: frozenset[int]

    @classmethod
    def of(cls, wanted: JobFilter) -> Criteria:
        """Those of a request."""
        return cls(
            wanted.owner,
            frozenset(wanted.kinds),
            frozenset(wanted.labels.items()),
            wanted.parent_job_id,
            frozenset(wanted.job_ids),
            frozenset(wanted.states),
        )

    def query(self) -> Query:
        """The same, as the log is asked."""
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

    def item(self, entry: Entry) -> Item | None:
        """The item that an entry of the log is; None where it does not match."""
        if isinstance(entry, DropNotice):
            return dropped(entry) if self._matches(entry.attributes) else None
        commit = entry.commit
        if not self._matches(commit.attributes):
            return None
        return self.commit(entry.position, commit.job_id, commit.chunk, commit.state_before, commit.state)

    def commit(self, position: int, job_id: str, chunk: Chunk, before: int, state: int) -> Item | None:
        """The item that a commit of a job is which matches but for its states, those before and after it."""
        joins = False
        if self.states and before not in self.states:
            if state not in self.states:
                return None
            joins = chunk.first > 1
        return Item(position, job_id, chunk, joins)

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


def dropped(notice: DropNotice) -> Item:
    """The item of a notice."""
    return Item(notice.position, notice.attributes.job_id, Chunk(0, 0, b""), joins=False, notice=notice)


class DroppedPositions:
    """The newest dropped positions, by the payloads of the commits; ``newest`` is the newest of all."""

    def __init__(self) -> None:
        self.newest = 0
        self._by_payloads: dict[int, int] = {}

    def note(self, payloads: int, position: int) -> None:
        """A commit with these payloads was dropped."""
        if payloads and position:
            self._by_payloads[payloads] = max(position, self._by_payloads.get(payloads, 0))
            self.newest = max(self.newest, position)

    def update(self, found: Mapping[int, int]) -> None:
        """Takes in what ``EventLog.dropped`` tells."""
        for payloads, position in found.items():
            self.note(payloads, position)

    def newest_of(self, payloads: int) -> int:
        """The newest position of a commit with any of these payloads; 0 where there is none."""
        return max((at for mask, at in self._by_payloads.items() if mask & payloads), default=0)


class Known(NamedTuple):
    """What was dropped that matches a filter, by notices up to a position."""

    drops: DroppedPositions
    upto: int


class Feed:
    """The newest items for one filter. ``since`` is the position from which on it has everything.

    ``drops`` are the positions of what was dropped that matches: complete once they are loaded.
    """

    def __init__(self, criteria: Criteria, position: int, memory: MemoryBudget, known: Known) -> None:
        self.criteria = criteria
        self.drops = known.drops
        self.drops_loaded = False
        self.loading = asyncio.Lock()
        self.known = known.upto
        self._states = state_mask(criteria.states)
        self._memory = memory
        self._items: deque[Item] = deque()
        self._responses: dict[tuple[int, int, EventView | None], bytes] = {}
        self.signal = Signal()
        self.since = position
        self.watchers = 0

    def push(self, entries: Iterable[Entry]) -> None:
        """Takes in what has become durable; wakes everybody up if some of it matches."""
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
            self._memory.grew(self, size - self._forget_responses())
            self.signal.send()

    def after(self, position: int) -> list[Item] | None:
        """The items after the position, about a batch of them; None where only the log can tell."""
        if position < self.since:
            return None
        start = len(self._items)
        while start and self._items[start - 1].position > position:
            start -= 1
        items: list[Item] = []
        size = 0
        for index in range(start, len(self._items)):
            items.append(self._items[index])
            size += len(items[-1].chunk.frames)
            if size >= BATCH_BYTES:
                break
        return items

    def response(self, items: Sequence[Item], view: EventView | None) -> bytes:
        """The serialised response with the events of these items, shared by all who are to be sent the same."""
        if not items:
            return b""
        key = (items[0].position, items[-1].position, view)
        response = self._responses.get(key)
        if response is None:
            response = compose([item.chunk.frames for item in items], view, items[-1].position)
            self._responses[key] = response
            self._memory.grew(self, len(response))
        return response

    def _note_drops(self, notice: DropNotice, *, matches: bool) -> None:
        if matches:
            for drop in notice.drops:
                self.drops.note(drop.payloads_for(self._states), drop.position)
        if self.criteria.owner in ("", notice.attributes.owner):
            self.drops.note(ANY_PAYLOAD, notice.forgotten)

    def shrink(self) -> int:
        """See ``Holder``."""
        freed = self._forget_responses()
        while self._items and not freed:
            item = self._items.popleft()
            self.since = item.position
            freed = len(item.chunk.frames)
        return freed

    def _forget_responses(self) -> int:
        freed = sum(map(len, self._responses.values()))
        self._responses.clear()
        return freed


class Feeds:
    """The feeds of all filters that somebody follows jobs by."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        self._log = log
        self._memory = memory
        self._feeds: dict[Criteria, Feed] = {}
        # Of filters that nobody follows jobs by just now: where there are many drops it takes long to find them all.
        self._known: OrderedDict[Criteria, Known] = OrderedDict()
        self.closed = False

    @contextmanager
    def watching(self, criteria: Criteria) -> Iterator[Feed]:
        """The feed of a filter, for as long as somebody follows it."""
        feed = self._feeds.get(criteria)
        if feed is None:
            known = self._known.pop(criteria, None) or Known(DroppedPositions(), 0)
            feed = self._feeds[criteria] = Feed(criteria, self._log.position, self._memory, known)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0:
                self._memory.forget(feed)
                del self._feeds[criteria]
                if feed.drops_loaded and not criteria.job_ids:  # with ids they are soon found again
                    self._known[criteria] = Known(feed.drops, self._log.position)
                    if len(self._known) > _KNOWN_MOST:
                        self._known.popitem(last=False)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Takes in what has become durable."""
        for feed in self._feeds.values():
            feed.push(entries)

    async def load_drops(self, feed: Feed) -> None:
        """Completes ``feed.drops``; those who come meanwhile wait for the same answer."""
        async with feed.loading:
            if not feed.drops_loaded:
                feed.drops.update(await self._log.dropped(feed.criteria.query(), feed.known))
                feed.drops_loaded = True

    async def older(self, feed: Feed, position: int) -> tuple[list[Item], int]:
        """Items after the position as the log has them, and up to which position that is all."""
        criteria = feed.criteria
        # All notices up to the log's position have come to the feed; the store may have later ones already.
        span = await self._log.read_feed(criteria.query(), position, BATCH_BYTES, self._log.position)
        feed.drops.update(span.dropped)
        items: list[Item] = []
        for entry in span.entries:
            item = criteria.commit(*entry) if isinstance(entry, CommitRow) else criteria.item(entry)
            if item is not None:
                items.append(item)
        return items, span.scanned

    def close(self) -> None:
        """Wakes everybody up to be told that the server is stopping."""
        self.closed = True
        for feed in self._feeds.values():
            feed.signal.send()


def compose(frames: Sequence[bytes], view: EventView | None, position: int) -> bytes:
    """The serialised response with these frames as the view shows them; empty where it shows none."""
    return watch_response(frames if view is None else [view(b"".join(frames))], position)
