"""In-memory tails of the logs of watched jobs.

Events enter a tail once they are durable. A subscriber whose cursor is within the tail reads from memory; one further
back reads the log until it has caught up. Subscribers are cursors, not queues: they share the tail, and none holds
back another (rule 7). Subscribers with the same cursor share one batch.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from milepost.contract.job_states import has_ended
from milepost.server.base.steps import Steps, every
from milepost.server.base.timestamps import instant
from milepost.server.dispatch.wait_reasons import Queue
from milepost.server.log.event_log import Commit, DropNotice, DurableCommit, Entry, EventLog, EventPage
from milepost.server.log.frames import Chunk
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest, SharedBatches
from milepost.server.watching.cursor_errors import replaced
from milepost.server.watching.keyed_deque import KeyedDeque
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD, MemoryBudget
from milepost.server.watching.signals import WOKEN_AT_ONCE, Signal
from milepost.v1 import JobState

# Chunks or batches that are dropped between two yields.
_DROPPED_AT_ONCE = 500


class Tail:
    """The newest chunks of one job's log, and the state of the log.

    ``since`` is the cursor after which the tail has every event; None for an empty tail.
    """

    __slots__ = (
        "_aged_to",
        "_batches",
        "_chunks",
        "_memory",
        "deleted",
        "ended",
        "first",
        "fraction",
        "fraction_known",
        "head",
        "queue",
        "queued",
        "signal",
        "since",
        "submitted",
        "thinned",
        "watchers",
    )

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._chunks: KeyedDeque[Chunk] = KeyedDeque()
        self._batches = SharedBatches()
        # The newest event at the previous ``drop_old``.
        self._aged_to = 0
        self.signal = Signal()
        self.since: int | None = None
        self.submitted = 0
        """When its job was submitted, in nanoseconds since 1970; 0 until a read has said."""
        self.first = 1
        self.thinned = 0
        self.head = 0
        self.ended = False
        self.deleted = False
        self.fraction = 0.0
        self.fraction_known = False
        self.queued = False
        self.queue: Queue | None = None
        """Where the job is while it is QUEUED, once somebody has looked."""
        self.watchers = 0

    def observe(self, page: EventPage) -> None:
        """Take the state of the log from a page; the tail may be ahead of it already. Raises what ``identify`` does."""
        job = page.job
        self.identify(instant(job.submit_time))
        if page.head >= self.head:
            self.head, self.ended = page.head, has_ended(job)
            self.fraction, self.fraction_known = job.fraction, job.fraction_known
            self.queued = job.state == JobState.JOB_STATE_QUEUED
        self.first = max(self.first, page.first)
        self.thinned = page.thinned

    def identify(self, submitted: int) -> None:
        """Note when the job of a read was submitted. Raises STORE_UNAVAILABLE where that is a later job."""
        if self.submitted not in (0, submitted):
            raise replaced()
        self.submitted = submitted

    def push(self, commit: Commit) -> None:
        """Add a durable commit, and wake all watches."""
        chunk = commit.chunk
        if self.since is None:
            self.since = chunk.first - 1
        self._chunks.append(chunk.last, chunk)
        freed = self._batches.clear() if self._batches.size else 0
        if chunk.last >= self.head:
            self.head, self.ended = chunk.last, commit.ends
            self.fraction, self.fraction_known = commit.fraction, commit.fraction_known
            self.queued = commit.state == JobState.JOB_STATE_QUEUED
        self._memory.charge(self, _size(chunk) - freed)
        self.signal.notify()

    def drop(self, notice: DropNotice) -> None:
        """Note that the log was trimmed or deleted, and wake all watches, which report it."""
        self.first = max(self.first, notice.first_sequence)
        self.deleted = notice.first_sequence == 0
        self.signal.notify()

    def batch(self, request: BatchRequest) -> Batch | None:
        """The events after the cursor, which is before the head; None if they have to be read from the log."""
        if self.since is None or request.cursor < self.since:
            return None
        if (
            self._chunks.newest_key <= request.cursor
        ):  # the head comes from the log; the commit is not here yet
            return None
        batch = self._batches.get(request) if self._batches.size else None
        if batch is None:
            batch = request.batch_of_one(self._chunks.newest)
            if batch is None:
                batch = request.batch(self._after(request.cursor))
            if self.watchers > 1:
                before = self._batches.size
                self._batches.put(request, batch)
                self._memory.charge(self, self._batches.size - before)
        return batch

    def evict(self) -> int:
        """See ``Evictable``."""
        if self._batches.size:
            return self._batches.clear()
        if not self._chunks:
            return 0
        return self._pop_oldest()

    def free(self) -> None:
        """Drop all chunks; nobody watches any more."""
        self.since = None
        self._chunks.free()

    def drop_old(self) -> Steps[None]:
        """Drop the chunks that were here at the call before, one a step; whoever is behind by that reads the log."""
        while self._chunks and self._chunks.oldest_key <= self._aged_to:
            self._memory.free(self, self._pop_oldest())
            yield
        self._memory.free(self, self._batches.clear())
        self._aged_to = self._chunks.newest_key if self._chunks else 0
        yield

    def _pop_oldest(self) -> int:
        chunk = self._chunks.popleft()
        self.since = chunk.last if self._chunks else None
        return _size(chunk)

    def _after(self, cursor: int) -> list[Chunk]:
        """Chunks after the cursor: about a batch of them."""
        chunks: list[Chunk] = []
        size = 0
        for chunk in self._chunks.after(cursor):
            chunks.append(chunk)
            size += len(chunk.frames)
            if size >= BATCH_BYTES:
                break
        return chunks


def _size(chunk: Chunk) -> int:
    return len(chunk.frames) + ENTRY_OVERHEAD


class Tails:
    """The tails of all watched jobs."""

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._tails: dict[str, Tail] = {}
        self.closed = False

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Tail]:
        """Hold the job's tail for one watch; the tail is dropped after the last one."""
        tail = self._tails.get(job_id)
        if tail is None:
            tail = self._tails[job_id] = Tail(self._memory)
        tail.watchers += 1
        try:
            yield tail
        finally:
            tail.watchers -= 1
            if tail.watchers == 0:
                self._memory.remove(tail)
                tail.free()
                if self._tails.get(job_id) is tail:
                    del self._tails[job_id]

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Add entries of the log that have become durable."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                tail = self._tails.get(entry.commit.attributes.job_id)
                if tail is not None:
                    tail.push(entry.commit)
            else:
                tail = self._tails.get(entry.attributes.job_id)
                if tail is not None:
                    tail.drop(entry)
                    if tail.deleted:  # a later job with this id is another job
                        del self._tails[entry.attributes.job_id]

    def drop_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of chunks, those that were here at the call before."""
        yield from every(
            _DROPPED_AT_ONCE, (step for tail in list(self._tails.values()) for step in tail.drop_old())
        )

    def close(self) -> Steps[None]:
        """Wake all watches, which then end with DRAINING."""
        self.closed = True
        tails = list(self._tails.values())
        yield from every(WOKEN_AT_ONCE, (step for tail in tails for step in tail.signal.notify_in_steps()))


READ_AHEAD: Final = 4
"""Batches that a read brings, about, for a replay that goes on where the job's newest batch ends. It begins when that
batch is asked for, so that a replay seldom waits: a read takes a thread and as much time as a batch."""

READ_AHEAD_READS: Final = 32
"""Reads at the same time beyond which none reads ahead: other batches would soon evict what they bring."""


KEPT_TIME: Final = 30.0
"""Seconds without any replay after which the batches of replays are dropped."""


class ReplayCache:
    """Cache of batches read from the log, for subscribers that replay the same job soon after."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        # Whether any subscriber has replayed a job since the previous ``drop_idle``.
        self._is_used = False
        self._log = log
        self._memory = memory
        # By job, so that a job's batches are found without a search through those of all others.
        self._batches: OrderedDict[str, OrderedDict[BatchRequest, Batch]] = OrderedDict()
        self._reading: dict[tuple[Tail, BatchRequest], asyncio.Task[Batch | None]] = {}
        self._drops = 0

    async def batch(self, job_id: str, tail: Tail, request: BatchRequest, caller: str) -> Batch | None:
        """The events after the cursor; None if there are none, or no such job. Equal requests share one read."""
        cached = self.kept(job_id, tail, request, caller)
        if cached is not None:
            return cached
        self._is_used = True
        self._start_reading(job_id, tail, request, caller)
        return await asyncio.shield(self._reading[tail, request])

    def kept(self, job_id: str, tail: Tail, request: BatchRequest, caller: str) -> Batch | None:
        """Return the batch if it is in memory, as most of a replay that others have begun is; else None."""
        batches = self._batches.get(job_id)
        cached = None if batches is None else batches.get(request)
        if batches is None or cached is None:
            return None
        self._is_used = True
        if batches[next(reversed(batches))].last == cached.last < tail.head:
            following = request._replace(cursor=cached.last)
            if self._reads_ahead(job_id, following):
                self._start_reading(job_id, tail, following, caller)
        return cached

    def _start_reading(self, job_id: str, tail: Tail, request: BatchRequest, caller: str) -> None:
        if (tail, request) not in self._reading:
            reading = asyncio.create_task(self._read(job_id, tail, request, caller))
            self._reading[tail, request] = reading
            reading.add_done_callback(lambda done: self._done(tail, request, done))

    def _done(self, tail: Tail, request: BatchRequest, reading: asyncio.Task[Batch | None]) -> None:
        if self._reading.get((tail, request)) is reading:
            del self._reading[tail, request]
        if not reading.cancelled():
            reading.exception()  # retrieved, since there may be no waiter left to do so

    async def _read(self, job_id: str, tail: Tail, request: BatchRequest, caller: str) -> Batch | None:
        drops = self._drops
        size = READ_AHEAD * BATCH_BYTES if self._reads_ahead(job_id, request) else BATCH_BYTES
        page = await self._log.read(job_id, request.cursor, size, caller=caller)
        if page is None:
            tail.deleted = True
            return None
        tail.observe(page)
        if not page.chunks:
            return None
        batch = request.batch(page.chunks)
        if drops == self._drops:  # otherwise the log may have dropped some of it meanwhile
            self._keep(job_id, request, batch, page)
        return batch

    def _reads_ahead(self, job_id: str, request: BatchRequest) -> bool:
        """Whether the request goes on where the newest batch of the job ends, and few others read."""
        batches = self._batches.get(job_id)
        return (
            batches is not None
            and batches[next(reversed(batches))].last == request.cursor
            and not request.max_events
            and len(self._reading) <= READ_AHEAD_READS
        )

    def _keep(self, job_id: str, request: BatchRequest, batch: Batch, page: EventPage) -> None:
        """Keep the batch, and those that follow in its page: full ones, which are the same for the next reader."""
        batches = self._batches.setdefault(job_id, OrderedDict())
        size, chunks = 0, page.chunks
        while batch.last < page.head:
            if request not in batches:
                batches[request] = batch
                size += batch.size
            chunks = [chunk for chunk in chunks if chunk.last > batch.last]
            following = request._replace(cursor=batch.last)
            # The last batch of the page may end where the page does, and not where it is full.
            if not chunks or (batch := following.batch(chunks)).last == chunks[-1].last:
                break
            request = following
        if size:
            self._memory.charge(self, size)
        elif not batches:
            del self._batches[job_id]

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Evict batches of jobs whose events were dropped."""
        gone = {entry.attributes.job_id for entry in entries if isinstance(entry, DropNotice)}
        if not gone:
            return
        self._drops += 1
        self._reading.clear()  # later requests read the log as it is now
        for job_id in gone & self._batches.keys():
            self._memory.charge(self, -sum(batch.size for batch in self._batches.pop(job_id).values()))

    def drop_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of all batches, if nobody has replayed anything since the call before."""
        yield from every(_DROPPED_AT_ONCE, self._drop_unused())
        self._is_used = False

    def _drop_unused(self) -> Steps[None]:
        while self._batches and not self._is_used:
            self._memory.free(self, self.evict())
            yield

    def evict(self) -> int:
        """See ``Evictable``."""
        if not self._batches:
            return 0
        job_id, batches = next(iter(self._batches.items()))
        _, batch = batches.popitem(last=False)
        if not batches:
            del self._batches[job_id]
        return batch.size
