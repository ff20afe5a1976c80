"""In-memory tails of the logs of watched jobs.

Events enter a tail once they are durable. A subscriber whose cursor is within the tail reads from memory; one further
back reads the log until it has caught up. Subscribers are cursors, not queues: they share the tail, and none holds
back another (rule 7). Subscribers with the same cursor share one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from milepost.contract.job_states import has_ended
from milepost.server.dispatch.wait_reasons import Queue
from milepost.server.log.event_log import Commit, DropNotice, DurableCommit, Entry, EventPage
from milepost.server.log.frames import Chunk
from milepost.server.messages.timestamps import instant
from milepost.server.scheduling.steps import Steps, every
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest, SharedBatches
from milepost.server.watching.cursor_errors import replaced
from milepost.server.watching.keyed_deque import KeyedDeque
from milepost.server.watching.live_groups import LiveGroups
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD, MemoryBudget
from milepost.server.watching.shared_status import SharedStatus
from milepost.server.watching.signals import WOKEN_PER_STEP, Signal
from milepost.v1 import JobState

EVICTED_PER_STEP: Final = 500
"""Chunks or batches that are evicted between two yields."""


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
        "groups",
        "head",
        "queue",
        "queued",
        "signal",
        "since",
        "status",
        "submitted",
        "thinned",
        "watchers",
    )

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        self._chunks: KeyedDeque[Chunk] = KeyedDeque()
        self._batches = SharedBatches()
        # The newest event at the previous ``evict_old``.
        self._aged_to = 0
        self.signal = Signal()
        self.status = SharedStatus(memory)
        self.groups = LiveGroups(self.signal)
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
        self.thinned = max(self.thinned, page.thinned)

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

    def note_drop(self, notice: DropNotice) -> None:
        """Note that the log was trimmed or deleted, and wake all watches, which report it."""
        self.first = max(self.first, notice.first_sequence)
        self.deleted = notice.first_sequence == 0
        self.signal.notify()

    def batch(self, request: BatchRequest) -> Batch | None:
        """The events after the cursor, which is before the head; None if they have to be read from the log."""
        if self.since is None or request.cursor < self.since:
            return None
        # The head may come from a read of the log, before listeners get the commit.
        if self._chunks.newest_key <= request.cursor:
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
        """Evict all chunks; nobody watches any more."""
        self.since = None
        self._chunks.free()
        self.status.free()

    def evict_old(self) -> Steps[None]:
        """Evict the chunks that were here at the call before, one a step; whoever is behind by that reads the log."""
        while self._chunks and self._chunks.oldest_key <= self._aged_to:
            self._memory.free(self, self._pop_oldest())
            yield
        self._memory.free(self, self._batches.clear())
        self.status.free()
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
        """Hold the job's tail for one watch; the tail is forgotten after the last one."""
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
                    tail.note_drop(entry)
                    if tail.deleted:  # a later job with this id is another job
                        del self._tails[entry.attributes.job_id]

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of chunks, those that were here at the call before."""
        yield from every(
            EVICTED_PER_STEP, (step for tail in list(self._tails.values()) for step in tail.evict_old())
        )

    def close(self) -> Steps[None]:
        """Wake all watches, which then end with DRAINING."""
        self.closed = True
        tails = list(self._tails.values())
        yield from every(WOKEN_PER_STEP, (step for tail in tails for step in tail.signal.notify_in_steps()))
