"""Saying in the stream that something of a job is dropped, and then purging it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import nats.js.errors
import structlog

from milepost.server.log.jetstream.applier import JobHead
from milepost.server.log.jetstream.drop_plans import DropPlan, Planner
from milepost.server.log.jetstream.job_publisher import PendingWrite
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.records import STRIDE, Record
from milepost.server.log.jetstream.stream import StreamNames

_log = structlog.get_logger("milepost.store")


class DropPublisher:
    """Makes the items for the lanes. ``name`` gives messages their names, ``plan`` works out what is to be dropped."""

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        name: Callable[[], bytes],
        plan: Callable[[str, Planner], Awaitable[DropPlan | None]],
    ) -> None:
        self._connection = connection
        self._names = names
        self._name = name
        self._plan = plan
        self._purging: set[asyncio.Task[None]] = set()

    def write(self, job_id: str, plan: Planner) -> PendingWrite:
        """What says in the stream what the plan comes to; once it is applied, what was dropped is purged."""
        planned: DropPlan | None = None

        async def make(head: JobHead) -> Record | None:
            nonlocal planned
            planned = await self._plan(job_id, plan)
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
        """Waits for what is being purged."""
        await asyncio.gather(*self._purging)

    async def _purge(self, job_id: str, before: int) -> None:
        """Purges the messages of a job before that one. If it fails, they lie there until it is trimmed again."""
        subject = self._names.job(job_id)
        try:
            await self._connection.ask(
                lambda jetstream: jetstream.purge_stream(self._names.stream, seq=before, subject=subject)
            )
        except (ConnectionLost, nats.js.errors.Error) as error:
            _log.warning("what was dropped was not purged", job_id=job_id, error=str(error))
