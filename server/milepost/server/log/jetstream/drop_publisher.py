"""Publishing of drops: a record in the stream first, then the purge of the dropped messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import nats.js.errors
import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.jetstream.applier import JobHead
from milepost.server.log.jetstream.drop_plans import DropPlan, Planner
from milepost.server.log.jetstream.job_publisher import JobPublishers, PendingWrite
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.projection import Projection
from milepost.server.log.jetstream.records import STRIDE, Record

_log = structlog.get_logger("milepost.store")

# Backoff in seconds before purges go on after one that failed.
_RETRY_DELAY: Final = 5.0


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
        self._connection = publishers.connection
        self._names = publishers.names
        self._name = publishers.name
        self._plan = plan
        self._projection = projection
        # By job, the message before which its messages are to be purged.
        self._due: dict[str, int] = {}
        self._purging: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._failures = FaultLog(_log, "purge failed")

    def prepare(self, job_id: str, plan: Planner) -> PendingWrite:
        """Create the write of a planned drop; once it is applied, the dropped messages are purged."""
        planned: DropPlan | None = None

        async def make(head: JobHead) -> Record | None:
            nonlocal planned
            planned = await self._plan(job_id, plan, write.caller)
            return None if planned is None else planned.record._replace(name=self._name(), key=head.key)

        def purge(done: asyncio.Future[None]) -> None:
            if (
                planned is None
                or planned.oldest_needed is None
                or done.cancelled()
                or done.exception() is not None
            ):
                return
            self._purge_soon(job_id, planned.oldest_needed // STRIDE or write.sequence)

        write = PendingWrite(None, make)
        write.done.add_done_callback(purge)
        return write

    def resume(self) -> None:
        """Purge what the node could not purge before it stopped; the projection has not started yet."""
        for job_id, before in self._projection.unpurged.items():
            self._purge_soon(job_id, before)

    async def finish(self) -> None:
        """Wait for pending purges, up to one that fails."""
        self._closing.set()
        if self._purging is not None:
            await self._purging

    def _purge_soon(self, job_id: str, before: int) -> None:
        self._due[job_id] = max(before, self._due.get(job_id, 0))
        if self._purging is None:
            self._purging = asyncio.create_task(self._purge_all())

    async def _purge_all(self) -> None:
        try:
            while self._due:
                job_id, before = next(iter(self._due.items()))
                del self._due[job_id]
                if await self._purge(job_id, before):
                    self._projection.purged(job_id, before)
                    continue
                self._due[job_id] = max(before, self._due.get(job_id, 0))
                if self._closing.is_set():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_DELAY):
                        await self._closing.wait()
        finally:
            self._purging = None

    async def _purge(self, job_id: str, before: int) -> bool:
        """Purge the messages of a job before that one; return whether that succeeded."""
        subject = self._names.job(job_id)
        try:
            await self._connection.ask(
                lambda jetstream: jetstream.purge_stream(self._names.stream, seq=before, subject=subject)
            )
        except (ConnectionLost, nats.js.errors.Error) as error:
            self._failures.note(str(error), job_id=job_id, error=str(error))
            return False
        return True
