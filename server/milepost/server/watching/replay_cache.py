"""Batches of replays: read from the log ahead of the subscribers, which share them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from milepost.server.log.event_log import DropNotice, Entry, EventLog, EventPage
from milepost.server.scheduling.steps import Steps, every
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.tails import EVICTED_PER_STEP, Tail

READ_AHEAD: Final = 4
"""Batches that a read brings, about, for a replay that goes on where the job's newest batch ends. It begins when that
batch is asked for, so that a replay seldom waits: a read takes a thread and as much time as a batch."""

READ_AHEAD_READS: Final = 32
"""Reads at the same time beyond which none reads ahead: other batches would soon evict what they bring."""

KEPT_TIME: Final = 30.0
"""Seconds without any replay after which the batches of replays are evicted."""


class _JobBatches(OrderedDict[BatchRequest, Batch]):
    """The batches of one job. ``newest`` is the last event of the one that was kept last."""

    __slots__ = ("newest",)

    def __init__(self) -> None:
        super().__init__()
        self.newest = 0


class ReplayCache:
    """Cache of batches read from the log, for subscribers that replay the same job soon after."""

    def __init__(self, log: EventLog, memory: MemoryBudget) -> None:
        # Whether any subscriber has replayed a job since the previous ``evict_idle``.
        self._is_used = False
        self._log = log
        self._memory = memory
        # By job, so that a job's batches are found without a search through those of all others.
        self._batches: OrderedDict[str, _JobBatches] = OrderedDict()
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
        """Return the batch if it is in memory, else None. Most of a replay that others have begun is in memory."""
        batches = self._batches.get(job_id)
        cached = None if batches is None else batches.get(request)
        if batches is None or cached is None:
            return None
        self._is_used = True
        last = cached.last
        if last == batches.newest and last < tail.head:
            following = request._replace(cursor=last)
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
            and batches.newest == request.cursor
            and not request.max_events
            and len(self._reading) <= READ_AHEAD_READS
        )

    def _keep(self, job_id: str, request: BatchRequest, batch: Batch, page: EventPage) -> None:
        """Keep the batch, and those that follow in its page: full ones, which are the same for the next reader."""
        batches = self._batches.setdefault(job_id, _JobBatches())
        size, chunks = 0, page.chunks
        while batch.last < page.head:
            if request not in batches:
                batches[request] = batch
                batches.newest = batch.last
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
            self._memory.free(self, sum(batch.size for batch in self._batches.pop(job_id).values()))

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of all batches, if nobody has replayed anything since the call before."""
        yield from every(EVICTED_PER_STEP, self._evict_unused())
        self._is_used = False

    def _evict_unused(self) -> Steps[None]:
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
