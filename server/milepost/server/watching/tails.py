"""The newest frames of the jobs that somebody watches.

A tail is filled from what has just become durable. A subscriber that stands within it is served from memory; one that
stands before it reads the log until it has come up. Subscribers are cursors, not queues: the tail is shared, and none
of them holds anything back (rule 7). Those at the same cursor share one batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from milepost.server.log.event_log import Appended, Commit, DropNotice, Entry, EventLog, EventPage
from milepost.server.log.frames import Chunk, watch_response
from milepost.server.watching.event_filters import EventView
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.signals import Signal
from milepost.v1 import Dispatch, JobState

# What one batch holds at the most, in bytes, unless a single event is larger: some hundred events. gRPC keeps one for
# each stream whose reader has stopped; larger ones make replays faster, and stalled subscribers dearer.
# docs/performance.md has figures of both.
BATCH_BYTES = 28 * 1024

# How many batches a tail keeps, for those who want the same until something new comes.
_BATCHES_MOST = 16


class Batch(NamedTuple):
    """A serialised response with the events up to ``last``; empty where the view shows none of them."""

    response: bytes
    last: int


class Wish(NamedTuple):
    """What a subscriber wants next. Equal wishes share a batch."""

    cursor: int
    most_events: int
    view: EventView | None

    def batch(self, chunks: Sequence[Chunk]) -> Batch:
        """The batch of these chunks, the first of which holds the event after the cursor."""
        taken = self._bounded([chunks[0].after(self.cursor), *chunks[1:]])
        frames = [chunk.frames for chunk in taken]
        if self.view is not None:
            frames = [self.view(b"".join(frames))]
        return Batch(watch_response(frames), taken[-1].last)

    def _bounded(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """As much as goes into one batch. A commit is cut only where it is too large by itself."""
        left, size = self.most_events, 0
        taken: list[Chunk] = []
        for chunk in chunks:
            if size and size + len(chunk.frames) > BATCH_BYTES:
                break
            kept = chunk.first_bytes(BATCH_BYTES)
            if self.most_events:
                kept = kept.first_events(left)
                left -= kept.last - kept.first + 1
            taken.append(kept)
            size += len(kept.frames)
            if kept is not chunk or (self.most_events and left <= 0):
                break
        return taken


class Tail:
    """The newest chunks of one job's log, and how the log stands.

    ``since`` is the cursor from which on the tail has everything; None where it has nothing.
    """

    __slots__ = (
        "_batches",
        "_chunks",
        "_memory",
        "deleted",
        "dispatch",
        "ended",
        "first",
        "fraction",
        "fraction_known",
        "head",
        "kind",
        "queued",
        "signal",
        "since",
        "thinned",
        "watchers",
    )

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._chunks: deque[Chunk] = deque()
        self._batches: dict[Wish, Batch] = {}
        self.signal = Signal()
        self.since: int | None = None
        self.first = 1
        self.thinned = 0
        self.head = 0
        self.ended = False
        self.deleted = False
        self.fraction = 0.0
        self.fraction_known = False
        self.queued = False
        self.kind: str | None = None
        """Looked up where the job is found QUEUED; so is ``dispatch``."""
        self.dispatch = Dispatch.DISPATCH_UNSPECIFIED
        self.watchers = 0

    def observe(self, page: EventPage) -> None:
        """How the log was found to stand. It may have gone on since."""
        if page.head >= self.head:
            self.head, self.ended = page.head, page.ended
            self.fraction, self.fraction_known = page.fraction, page.fraction_known
            self.queued = page.queued
        self.first = max(self.first, page.first)
        self.thinned = page.thinned

    def push(self, commit: Commit) -> None:
        """Takes in what has become durable, and wakes everybody up."""
        chunk = commit.chunk
        if self.since is None:
            self.since = chunk.first - 1
        self._chunks.append(chunk)
        freed = self._forget_batches()
        if chunk.last >= self.head:
            self.head, self.ended = chunk.last, commit.ends
            self.fraction, self.fraction_known = commit.fraction, commit.fraction_known
            self.queued = commit.state == JobState.JOB_STATE_QUEUED
        self._memory.grew(self, len(chunk.frames) - freed)
        self.signal.send()

    def drop(self, notice: DropNotice) -> None:
        """A part of the log is gone, or all of it; those who stand there are woken up to be told."""
        self.first = max(self.first, notice.first_sequence)
        self.deleted = notice.first_sequence == 0
        self.signal.send()

    def batch(self, wish: Wish) -> Batch | None:
        """What comes after the cursor, which is before the head; None where only the log can tell."""
        if self.since is None or wish.cursor < self.since:
            return None
        if self._chunks[-1].last <= wish.cursor:  # the head was seen in the log, and is not yet told of here
            return None
        batch = self._batches.get(wish)
        if batch is None:
            freed = self._forget_batches() if len(self._batches) >= _BATCHES_MOST else 0
            batch = self._batches[wish] = wish.batch(self._after(wish.cursor))
            self._memory.grew(self, len(batch.response) - freed)
        return batch

    def shrink(self) -> int:
        """See ``Holder``."""
        freed = self._forget_batches()
        while self._chunks and not freed:  # a commit that only used up report numbers has no frames
            chunk = self._chunks.popleft()
            self.since = chunk.last if self._chunks else None
            freed = len(chunk.frames)
        return freed

    def _forget_batches(self) -> int:
        freed = sum(len(batch.response) for batch in self._batches.values())
        self._batches.clear()
        return freed

    def _after(self, cursor: int) -> list[Chunk]:
        """From the end, since that is where almost all cursors are."""
        start = len(self._chunks)
        while start and self._chunks[start - 1].last > cursor:
            start -= 1
        chunks: list[Chunk] = []
        size = 0
        for index in range(start, len(self._chunks)):
            chunks.append(self._chunks[index])
            size += len(chunks[-1].frames)
            if size >= BATCH_BYTES:
                break
        return chunks


class Tails:
    """The tails of all jobs that are being watched."""

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._tails: dict[str, Tail] = {}
        self.closed = False

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Tail]:
        """The job's tail, for as long as somebody watches."""
        tail = self._tails.get(job_id)
        if tail is None:
            tail = self._tails[job_id] = Tail(self._memory)
        tail.watchers += 1
        try:
            yield tail
        finally:
            tail.watchers -= 1
            if tail.watchers == 0:
                self._memory.forget(tail)
                if self._tails.get(job_id) is tail:
                    del self._tails[job_id]

    def publish(self, entries: Sequence[Entry]) -> None:
        """Takes in what has become durable."""
        for entry in entries:
            if isinstance(entry, Appended):
                tail = self._tails.get(entry.commit.job_id)
                if tail is not None:
                    tail.push(entry.commit)
            else:
                tail = self._tails.get(entry.attributes.job_id)
                if tail is not None:
                    tail.drop(entry)
                    if tail.deleted:  # a later job of that name is another one
                        del self._tails[entry.attributes.job_id]

    def close(self) -> None:
        """Wakes everybody up to be told that the server is stopping."""
        self.closed = True
        for tail in self._tails.values():
            tail.signal.send()


class Replays:
    """Batches of older events, as they were read from the log, for others who come the same way soon after."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        self._log = log
        self._memory = memory
        self._batches: dict[tuple[str, Wish], Batch] = {}
        self._reading: dict[tuple[Tail, Wish], asyncio.Task[Batch | None]] = {}
        self._drops = 0

    async def batch(self, job_id: str, tail: Tail, wish: Wish) -> Batch | None:
        """What comes after the cursor; None where nothing does, or the job is gone.

        Those who ask for the same while it is being read share that one reading.
        """
        known = self._batches.get((job_id, wish))
        if known is not None:
            return known
        reading = self._reading.get((tail, wish))
        if reading is None:
            reading = self._reading[tail, wish] = asyncio.create_task(self._read(job_id, tail, wish))
            reading.add_done_callback(lambda done: self._done(tail, wish, done))
        return await asyncio.shield(reading)

    def _done(self, tail: Tail, wish: Wish, reading: asyncio.Task[Batch | None]) -> None:
        if self._reading.get((tail, wish)) is reading:
            del self._reading[tail, wish]
        if not reading.cancelled():
            reading.exception()  # those who wait have it; there may be none left

    async def _read(self, job_id: str, tail: Tail, wish: Wish) -> Batch | None:
        drops = self._drops
        page = await self._log.read(job_id, wish.cursor, BATCH_BYTES)
        if page is None:
            tail.deleted = True
            return None
        tail.observe(page)
        if not page.chunks:
            return None
        batch = wish.batch(page.chunks)
        # It is full, and will be the same for the next one, unless what was read was dropped meanwhile.
        if batch.last < page.head and drops == self._drops and (job_id, wish) not in self._batches:
            self._batches[job_id, wish] = batch
            self._memory.grew(self, len(batch.response))
        return batch

    def publish(self, entries: Sequence[Entry]) -> None:
        """Forgets what was dropped from the log."""
        gone = {entry.attributes.job_id for entry in entries if isinstance(entry, DropNotice)}
        if gone:
            self._drops += 1
            self._reading.clear()  # who asks from now on reads what is there now
        for key in [key for key in self._batches if key[0] in gone] if gone else ():
            self._memory.grew(self, -len(self._batches.pop(key).response))

    def shrink(self) -> int:
        """See ``Holder``."""
        if not self._batches:
            return 0
        return len(self._batches.pop(next(iter(self._batches))).response)
