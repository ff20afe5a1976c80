"""Publishing of drops: a record in the stream first, then the purge of the dropped messages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import islice
from typing import Final

import nats.js.errors
import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.jetstream.applier import JobHead
from milepost.server.log.jetstream.drop_plans import DropPlan, Planner
from milepost.server.log.jetstream.job_publisher import JobPublishers, PendingWrite
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.projection import Projection
from milepost.server.log.jetstream.records import STRIDE, Kind, Record
from milepost.server.log.log_errors import StoreFailed

_logger = structlog.get_logger("milepost.store")

# Backoff in seconds before purges go on after one that failed.
_RETRY_DELAY: Final = 5.0

# Purges at a time, and the jobs at most that wait for theirs in memory.
_CONCURRENCY: Final = 32
_DUE_LIMIT: Final = 10_000

# Time in seconds that closing waits for purges.
_FINISH_TIMEOUT: Final = 1.0


class DropPublisher:
    """Creates the writes for drops, which ``publishers`` publish. ``plan`` plans a drop.

    A purge is repeated until it has succeeded. Of a deleted job ``projection`` has it meanwhile, since no later drop
    would purge what is left of that: it would stay in the stream for good.
    """

    def __init__(
        self,
        publishers: JobPublishers,
        plan: Callable[[str, Planner, str], Awaitable[DropPlan | None]],
        projection: Projection,
    ) -> None:
        self._publishers = publishers
        self._names = publishers.names
        self._plan = plan
        self._projection = projection
        self._check: Callable[[], Awaitable[None]] | None = None
        # By job, the message before which its messages are to be purged.
        self._due: dict[str, int] = {}
        # Whether the projection may have purges that ``_due`` lacks.
        self._has_more = False
        self._purging: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._failures = FaultLog(_logger, "purge failed")

    def prepare(self, job_id: str, plan: Planner) -> PendingWrite:
        """Create the write of a planned drop; once it is applied, the messages dropped by a trim are purged."""
        planned: DropPlan | None = None

        async def make(head: JobHead) -> Record | None:
            nonlocal planned
            planned = await self._plan(job_id, plan, write.caller)
            if planned is None:
                return None
            return planned.record._replace(name=self._publishers.name(), key=head.key)

        def purge(done: asyncio.Future[None]) -> None:
            if (
                planned is None
                or planned.oldest_needed is None
                or planned.record.kind is Kind.DELETE  # see ``purge``
                or done.cancelled()
                or done.exception() is not None
            ):
                return
            self.purge(job_id, planned.oldest_needed // STRIDE or write.sequence)

        write = PendingWrite(None, make)
        write.done.add_done_callback(purge)
        return write

    def resume(self, check: Callable[[], Awaitable[None]]) -> None:
        """Purge what the node could not purge before it stopped; ``check`` checks the stream, see ``StreamCheck``."""
        self._check = check
        self._has_more = True
        self._start()

    async def finish(self) -> None:
        """Wait a moment for pending purges, up to one that fails: the node's next start goes on with the others."""
        self._closing.set()
        purging = self._purging
        if purging is not None:
            await asyncio.wait([purging], timeout=_FINISH_TIMEOUT)
            purging.cancel()
            await asyncio.wait([purging])

    def stop(self) -> None:
        """Purge nothing more."""
        self._closing.set()
        if self._purging is not None:
            self._purging.cancel()

    def purge(self, job_id: str, before: int) -> None:
        """Purge the messages of a job before that one soon.

        Of a deletion this is called when the node has applied it, whether or not somebody still waits for its outcome.
        """
        self._add(job_id, before)
        self._start()

    def _add(self, job_id: str, before: int) -> None:
        if job_id not in self._due and len(self._due) >= _DUE_LIMIT:
            # A deletion is in the projection. What a trim leaves, the job's next drop purges.
            self._has_more = True
        else:
            self._due[job_id] = max(before, self._due.get(job_id, 0))

    def _start(self) -> None:
        if self._purging is None and not self._closing.is_set():
            self._purging = asyncio.create_task(self._purge_all())

    async def _purge_all(self) -> None:
        # What begins has just been read from the stream. What comes later may be about another one by then, which
        # has taken its place: a purge there would remove the messages of others.
        is_later = False
        try:
            while self._due or self._has_more:
                if await self._purge_some(is_later):
                    is_later = True
                    continue
                is_later = True
                if self._closing.is_set():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_DELAY):
                        await self._closing.wait()
        except StoreFailed:
            self._closing.set()
            self._publishers.log.check_stream()
        finally:
            self._purging = None

    async def _purge_some(self, is_later: bool) -> bool:
        """Purge the messages of some jobs; return whether that succeeded. Raises StoreFailed for another stream."""
        try:
            if self._has_more and len(self._due) < _CONCURRENCY:
                self._has_more = False
                unpurged = await self._projection.unpurged(_DUE_LIMIT)
                self._has_more |= len(unpurged) == _DUE_LIMIT
                for job_id, before in unpurged.items():
                    self._add(job_id, before)
            if is_later and self._check is not None:
                await self._check()
        except (ConnectionLost, nats.js.errors.Error, sqlite3.Error) as error:
            self._failures.note(str(error), error=str(error))
            return False
        if self._publishers.faults:
            return False
        batch = list(islice(self._due.items(), _CONCURRENCY))
        for job_id, _ in batch:
            del self._due[job_id]
        purged = await asyncio.gather(*(self._purge(job_id, before) for job_id, before in batch))
        for (job_id, before), succeeded in zip(batch, purged, strict=True):
            if succeeded:
                self._projection.purged(job_id, before)
            else:
                self._add(job_id, before)
        return all(purged)

    async def _purge(self, job_id: str, before: int) -> bool:
        """Purge the messages of a job before that one; return whether that succeeded."""
        subject = self._names.job(job_id)
        try:
            await self._publishers.connection.ask(
                lambda jetstream: jetstream.purge_stream(self._names.stream, seq=before, subject=subject)
            )
        except (ConnectionLost, nats.js.errors.Error) as error:
            self._failures.note(str(error), job_id=job_id, error=str(error))
            return False
        return True
