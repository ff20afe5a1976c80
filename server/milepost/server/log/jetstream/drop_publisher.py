"""Publishing of drops: a record in the stream first, then the purge of the dropped messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import nats.js.errors
import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.jetstream.applier import JobHead
from milepost.server.log.jetstream.drop_plans import DropPlan, Planner
from milepost.server.log.jetstream.job_publisher import PendingWrite
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.records import STRIDE, Record
from milepost.server.log.jetstream.stream import StreamNames

_log = structlog.get_logger("milepost.store")


class DropPublisher:
    """Creates the writes for drops. ``name`` makes message names; ``plan`` plans a drop."""

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        name: Callable[[], bytes],
        plan: Callable[[str, Planner, str], Awaitable[DropPlan | None]],
    ) -> None:
        self._connection = connection
        self._names = names
        self._name = name
        self._plan = plan
        self._purging: set[asyncio.Task[None]] = set()
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
            purging = asyncio.create_task(
                self._purge(job_id, planned.oldest_needed // STRIDE or write.sequence)
            )
            self._purging.add(purging)
            purging.add_done_callback(self._purging.discard)

        write = PendingWrite(None, make)
        write.done.add_done_callback(purge)
        return write

    async def finish(self) -> None:
        """Wait for pending purges."""
        await asyncio.gather(*self._purging)

    async def _purge(self, job_id: str, before: int) -> None:
        """Purge the messages of a job before that one. If it fails, they stay until the next drop of the job."""
        subject = self._names.job(job_id)
        try:
            await self._connection.ask(
                lambda jetstream: jetstream.purge_stream(self._names.stream, seq=before, subject=subject)
            )
        except (ConnectionLost, nats.js.errors.Error) as error:
            self._failures.note(str(error), job_id=job_id, error=str(error))
