"""WorkerService: decode, call, encode. The streams of sessions, from the first message to the last response."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc.aio
import structlog

from milepost.server import failpoints
from milepost.server.access.authorize import Action, check_scope
from milepost.server.access.current_principal import caller_of, current_caller, current_principal
from milepost.server.base.refusal import draining
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.received_requests import SizedRequests
from milepost.server.messages.timestamps import duration
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.rpc.work_stream import SESSION_REQUESTS, WorkStream
from milepost.server.scheduling.steps import Steps, every
from milepost.server.service.workers import Workers
from milepost.v1 import (
    ReportJobRequest,
    ReportJobResponse,
    Welcome,
    WorkRequest,
    WorkResponse,
)

_logger = structlog.get_logger("milepost.workers")

_Context = grpc.aio.ServicerContext[Any, Any]


DRAINED_PER_PASS: Final = 50
"""Sessions that learn of the server's end, or begin to finish, in one pass of the event loop: 0.1 ms each, about."""


class WorkerService:
    """The service for workers."""

    def __init__(self, workers: Workers, lease_ttl: float, memory: CallMemory) -> None:
        self._workers = workers
        self._lease_ttl = lease_ttl
        self._memory = memory
        self._streams: dict[WorkStream, None] = {}
        self._stopping = asyncio.Event()

    async def Work(self, incoming: SizedRequests[WorkRequest], context: _Context) -> None:
        """See the contract."""
        principal = current_principal()
        check_scope(principal, Action.WORK)  # before its first message is waited for
        first = await self._first(incoming)
        share = self._memory.of(caller_of(principal, context.peer()))
        session = self._workers.open(principal, first, context.peer(), share.responses)
        memory = ByteBudget(SESSION_REQUESTS, share.requests, session.session_id)
        logger = _logger.bind(worker_id=session.worker_id, session_id=session.session_id)
        logger.info("worker connected", kinds=sorted(session.kinds), sdk=session.sdk)
        session.responses.put(
            WorkResponse(
                welcome=Welcome(
                    session_id=session.session_id,
                    lease_ttl=duration(self._lease_ttl),
                    heartbeat_interval=duration(self._lease_ttl / 3),
                )
            )
        )
        writer = ResponseWriter(context)
        stream = WorkStream(self._workers.parts, session, memory, writer)
        self._streams[stream] = None
        stream.end_silence(self._lease_ttl)
        reading = asyncio.create_task(stream.read(incoming))
        reading.add_done_callback(stream.on_read)
        self._workers.connect(session, first.hello.job_ids)
        del first  # its job ids may take a megabyte, and the session lasts
        try:
            async with writer:
                while (response := await session.responses.get()) is not None:
                    failpoints.reach_message(response, "before")
                    await writer(response)
                    failpoints.reach_message(response, "after")
        finally:
            self._streams.pop(stream, None)
            stream.close()
            self._workers.disconnect(session)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            logger.info("worker left", jobs=len(session.jobs))

    async def ReportJob(self, request: ReportJobRequest, context: _Context) -> ReportJobResponse:
        """See the contract."""
        return await self._workers.report(current_principal(), request, current_caller())

    async def drain(self) -> None:
        """Tell the workers that the server is stopping, and close their streams once their reports are durable."""
        self._stopping.set()
        for _ in every(DRAINED_PER_PASS, self._workers.parts.sessions.drain()):
            await asyncio.sleep(0)
        finishing: list[asyncio.Task[None]] = []
        for _ in every(DRAINED_PER_PASS, self._finish(finishing)):
            await asyncio.sleep(0)
        await asyncio.gather(*finishing)

    def _finish(self, finishing: list[asyncio.Task[None]]) -> Steps[None]:
        for stream in list(self._streams):
            finishing.append(asyncio.create_task(stream.finish(draining())))
            yield

    async def _first(self, incoming: SizedRequests[WorkRequest]) -> WorkRequest:
        """Return the first message, empty if there is none. Raises DRAINING if the server stops before it comes."""

        async def read() -> WorkRequest:
            return await anext(incoming, WorkRequest())

        first, stopping = asyncio.create_task(read()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((first, stopping), return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                raise draining()
            return first.result()
        finally:
            first.cancel()
            stopping.cancel()
