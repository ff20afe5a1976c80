"""In-memory feeds: the newest commits of all jobs that match a filter, ordered by position.

All feeds share one sequence of the log's newest entries, and each looks in it for what matches its filter when one of
its subscribers reads. So what becomes durable costs the same however many feeds there are, but for waking those whose
filters it matches; that is done in slices of time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import structlog

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.fault_log import FaultLog
from milepost.server.log.event_log import CommitRow, DropNotice, Entry, EventLog
from milepost.server.log.frames import watch_response
from milepost.server.scheduling.steps import Steps, every
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest, SharedBatches
from milepost.server.watching.dropped_positions import DroppedPositions, KnownDrops
from milepost.server.watching.event_filters import FrameFilter
from milepost.server.watching.feed_index import FeedIndex
from milepost.server.watching.job_criteria import FeedEntry, FeedItem, JobCriteria
from milepost.server.watching.keyed_deque import KeyedDeque
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.shared_status import SharedStatus
from milepost.server.watching.signals import WOKEN_PER_STEP, Signal

_logger = structlog.get_logger("milepost.watching")

SCAN_LIMIT: Final = 1000
"""Entries that one read of a feed looks at, at most."""

ANNOUNCING_TIME: Final = 0.002
"""Seconds for which entries are announced to feeds at a time."""

ANNOUNCED_PER_STEP: Final = 8
"""Feeds between two looks at the time."""

UNANNOUNCED_LIMIT: Final = 1000
"""Entries that wait to be announced, at most; where there are more, all feeds are woken instead."""

# Entries, or the batches of feeds, that are evicted between two yields.
_EVICTED_PER_STEP: Final = 500

KNOWN_DROPS_BYTES: Final = 4 << 20
"""Memory of the dropped positions of filters that are not in use."""


class RecentEntries:
    """The log's newest entries that some feed may want. ``since`` is the position after which it has all of them."""

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._entries: KeyedDeque[FeedEntry] = KeyedDeque()
        # The newest position at the previous ``evict_old``.
        self._aged_to = 0
        self.since = 0

    def extend(self, entries: Sequence[FeedEntry]) -> None:
        """Add entries."""
        for entry in entries:
            self._entries.append(entry.position, entry)
        self._memory.charge(self, sum(entry.size for entry in entries))

    def after(self, position: int) -> Iterator[FeedEntry]:
        """Iterate over the entries after a position, which is not before ``since``."""
        return self._entries.after(position)

    def clear(self) -> None:
        """Evict all entries."""
        if self._entries:
            self.since = self._entries.newest_key
            self._entries.free()
        self._memory.remove(self)

    def evict(self) -> int:
        """See ``Evictable``."""
        if not self._entries:
            return 0
        entry = self._entries.popleft()
        self.since = entry.position
        return entry.size

    def evict_old(self) -> Steps[None]:
        """Evict the entries that were here at the call before, one a step; whoever is behind by that reads the log."""
        while self._entries and self._entries.oldest_key <= self._aged_to:
            self._memory.free(self, self.evict())
            yield
        self._aged_to = self._entries.newest_key if self._entries else 0


class Feed:
    """The newest items for one filter.

    ``drops`` are the dropped positions that match, complete up to ``drops_position``: of later ones a subscriber hears
    when it reads the log, and what it has from memory is not dropped for it.
    """

    def __init__(
        self,
        criteria: JobCriteria,
        log: EventLog,
        recent: RecentEntries,
        memory: MemoryBudget,
        known: KnownDrops,
    ) -> None:
        self.criteria = criteria
        self.drops, self.drops_position = known
        self.loading = asyncio.Lock()
        self._log = log
        self._memory = memory
        self._recent = recent
        self._opened_at = log.position
        self._batches = SharedBatches()
        self.signal = Signal()
        self.status = SharedStatus(memory)
        self.watchers = 0

    @property
    def since(self) -> int:
        """The position after which the feed has every item."""
        return max(self._opened_at, self._recent.since)

    def after(self, position: int, max_events: int) -> tuple[Sequence[FeedItem], int] | None:
        """A batch of items after the position, and the position that it reaches; None if the log has to be read.

        ``max_events`` is 0 for no such limit. Commits stay whole, so that a single one may be above a limit.
        """
        if position < self.since:
            return None
        items = _Items(max_events)
        reached = position
        for number, entry in enumerate(self._recent.after(position)):
            if number == SCAN_LIMIT:
                return items.taken, reached
            item = self.criteria.item(entry)
            if item is not None and not items.try_add(item):
                return items.taken, reached
            reached = entry.position
        return items.taken, max(reached, self._log.position)

    def batch(self, request: BatchRequest) -> Batch | None:
        """The same as one response; None also if an item needs a frame of its own."""
        if request.cursor < self.since:
            return None
        batch = self._batches.get(request)
        if batch is None:
            found = self.after(request.cursor, request.max_events)
            if found is None or any(item.needs_own_frame for item in found[0]):
                return None
            items, reached = found
            batch = Batch(compose_items(items, request.frame_filter), reached)
            if items:
                self._keep(request, batch)
        return batch

    def share(self, request: BatchRequest, batch: Batch) -> Batch:
        """The batch that another subscriber got for the request if it is equal, else this one.

        So those who stop reading at the same place hold one response together. It is for batches from the log, which
        may have dropped events since: they are read each time, and only the memory is shared.
        """
        kept = self._batches.get(request)
        if kept == batch:
            return kept
        self._keep(request, batch)
        return batch

    def note_drops(self, found: Mapping[int, int], position: int) -> None:
        """Note what the log says of drops since ``drops_position``; it has all up to this position."""
        self.drops.update(found)
        self.drops_position = max(self.drops_position, position)

    def evict(self) -> int:
        """See ``Evictable``."""
        return self._batches.clear()

    def evict_old(self) -> Steps[None]:
        """Evict the shared batches, which are soon composed again."""
        self._memory.free(self, self._batches.clear())
        self.status.free()
        yield

    def _keep(self, request: BatchRequest, batch: Batch) -> None:
        """Keep a batch where there are others who may ask for it."""
        if self.watchers > 1:
            before = self._batches.size
            self._batches.put(request, batch)
            self._memory.charge(self, self._batches.size - before)


class Feeds:
    """The feeds of all filters in use."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        self._log = log
        self._memory = memory
        self._loop = asyncio.get_running_loop()
        self._feeds: dict[JobCriteria, Feed] = {}
        self._index: FeedIndex[Feed] = FeedIndex()
        self._recent = RecentEntries(memory)
        self._unannounced: deque[FeedEntry] = deque()
        self._announcing: Iterator[None] | None = None
        self._failures = FaultLog(_logger, "entry not announced", logging.ERROR)
        # Of filters no longer in use: with many drops it takes long to find them all.
        self._known_drops: SizedCache[JobCriteria, KnownDrops] = SizedCache(KNOWN_DROPS_BYTES)
        # No events were dropped after this position.
        self._newest_drop = log.position
        self.closed = False

    @contextmanager
    def watching(self, criteria: JobCriteria) -> Iterator[Feed]:
        """Hold the feed of a filter for one watch; the feed is forgotten after the last one."""
        feed = self._feeds.get(criteria)
        if feed is None:
            known = self._known_drops.pop(criteria) or KnownDrops(DroppedPositions(), 0)
            feed = Feed(criteria, self._log, self._recent, self._memory, known)
            self._feeds[criteria] = feed
            self._index.add(criteria, feed)
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0:
                self._forget(feed)

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Add entries of the log that have become durable."""
        if not self._feeds:
            self._newest_drop = entries[-1].position
            return
        wanted: list[FeedEntry] = []
        for entry in entries:
            if isinstance(entry, DropNotice):
                self._newest_drop = entry.position
                attributes = entry.attributes
            else:
                attributes = entry.commit.attributes
            if self._index.has_candidates(attributes):
                wanted.append(FeedEntry.of(entry))
        if wanted:
            self._recent.extend(wanted)
            self._unannounced.extend(wanted)
            if self._announcing is None:
                self._announcing = every(ANNOUNCED_PER_STEP, self._announce())
                self._announce_for_a_while()

    async def load_drops(self, feed: Feed, caller: str) -> None:
        """Complete ``feed.drops``; concurrent calls share one query."""
        async with feed.loading:
            if feed.drops_position < self._newest_drop:
                position = self._log.position
                found = await self._log.dropped(feed.criteria.query(), feed.drops_position, caller=caller)
                feed.note_drops(found, position)

    async def read_from_log(
        self, feed: Feed, position: int, max_events: int, caller: str
    ) -> tuple[Sequence[FeedItem], int]:
        """Read what ``Feed.after`` returns from the log."""
        criteria = feed.criteria
        known, durable = feed.drops_position, self._log.position
        span = await self._log.read_feed(criteria.query(), position, BATCH_BYTES, known, caller=caller)
        feed.note_drops(span.dropped, durable)
        items = _Items(max_events)
        reached = position
        for entry in span.entries:
            item = (
                criteria.commit(*entry)
                if isinstance(entry, CommitRow)
                else criteria.item(FeedEntry.of(entry))
            )
            if item is not None and not items.try_add(item):
                return items.taken, reached
            reached = entry.position
        return items.taken, span.scanned

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of entries, those that were here at the call before."""
        caches: Sequence[RecentEntries | Feed] = (self._recent, *self._feeds.values())
        yield from every(_EVICTED_PER_STEP, (step for cache in caches for step in cache.evict_old()))
        yield from self._known_drops.evict_idle()

    def close(self) -> Steps[None]:
        """Wake all watches, which then end with DRAINING."""
        self.closed = True
        feeds = list(self._feeds.values())
        yield from every(WOKEN_PER_STEP, (step for feed in feeds for step in feed.signal.notify_in_steps()))

    def _forget(self, feed: Feed) -> None:
        criteria = feed.criteria
        del self._feeds[criteria]
        self._index.discard(criteria, feed)
        self._memory.remove(feed)
        feed.status.free()
        if not self._feeds:
            self._recent.clear()
        if feed.drops_position and not criteria.job_ids:  # with ids they are soon found again
            known = KnownDrops(feed.drops, feed.drops_position)
            self._known_drops.put(criteria, known, criteria.size + feed.drops.size)

    def _announce_for_a_while(self) -> None:
        """Announce entries for a slice of time, and the rest in the next pass of the event loop."""
        assert self._announcing is not None
        until = self._loop.time() + ANNOUNCING_TIME
        try:
            for _ in self._announcing:
                if self._loop.time() > until:
                    self._loop.call_soon(self._announce_for_a_while)
                    return
        except Exception as error:  # noqa: BLE001  # of one entry; those who wait for others are woken
            self._failures.note(repr(error), exc_info=error)
            self._announcing = every(ANNOUNCED_PER_STEP, self._announce())
            self._loop.call_soon(self._announce_for_a_while)
            return
        self._announcing = None

    def _announce(self) -> Iterator[None]:
        """Wake those who wait for an entry that matches, one feed a step."""
        while self._unannounced:
            if len(self._unannounced) > UNANNOUNCED_LIMIT:
                self._unannounced.clear()
                for feed in list(self._feeds.values()):
                    feed.signal.notify()
                    yield
            else:
                entry = self._unannounced.popleft()
                for feed in self._index.candidates(entry.attributes):
                    if not feed.signal.is_awaited or self._may_have_item(feed, entry):
                        feed.signal.notify()
                    yield

    def _may_have_item(self, feed: Feed, entry: FeedEntry) -> bool:
        """Whether the entry matches; True where that cannot be said, so that whoever watches meets the error."""
        try:
            return feed.criteria.has_item(entry)
        except Exception as error:  # noqa: BLE001  # such as of a damaged frame
            self._failures.note(repr(error), exc_info=error)
            return True


class _Items:
    """Items for one response. ``max_events`` is 0 for no such limit."""

    __slots__ = ("_events", "_max_events", "_size", "taken")

    def __init__(self, max_events: int) -> None:
        self.taken: list[FeedItem] = []
        self._max_events = max_events
        self._events = self._size = 0

    def try_add(self, item: FeedItem) -> bool:
        """Add the item if it fits, and return whether it did. The first one always fits, since commits stay whole."""
        self._events += item.chunk.last - item.chunk.first + 1
        self._size += len(item.chunk.frames)
        over = (self._max_events and self._events > self._max_events) or self._size > BATCH_BYTES
        if over and self.taken:
            return False
        self.taken.append(item)
        return True


def compose_response(frames: Sequence[bytes], frame_filter: FrameFilter | None, position: int) -> bytes:
    """The serialised response with the frames that pass the filter; empty if none do."""
    return watch_response(frames if frame_filter is None else [frame_filter(b"".join(frames))], position)


def compose_items(items: Sequence[FeedItem], frame_filter: FrameFilter | None) -> bytes:
    """The serialised response with the events of these items that pass the filter; empty if none do."""
    if not items:
        return b""
    return compose_response([item.chunk.frames for item in items], frame_filter, items[-1].position)
