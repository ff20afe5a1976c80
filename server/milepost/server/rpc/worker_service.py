"""WorkerService: validate, call, encode."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any, Final

import grpc.aio
import structlog

from milepost.server import failpoints
from milepost.server.access.authorize import Action, Target, check, check_scope, permission_denied
from milepost.server.access.current_principal import caller_of, current_caller, current_principal
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import draining
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.received_requests import SizedRequests
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.node_presence import NoPeers, Peers
from milepost.server.messages.timestamps import duration
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.rpc.session_parts import SessionParts
from milepost.server.rpc.work_stream import SESSION_REQUESTS, WorkStream
from milepost.server.scheduling.steps import Steps, every
from milepost.server.service import validation
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

    def __init__(self, parts: SessionParts, lease_ttl: float, memory: CallMemory) -> None:
        self._parts = parts
        self._lease_ttl = lease_ttl
        self._memory = memory
        self._streams: dict[WorkStream, None] = {}
        # The stream of each worker process, by ``Hello.instance``.
        self._instances: dict[str, WorkStream] = {}
        self._stopping = asyncio.Event()
        self._peers: Peers = NoPeers()

    def start(self, peers: Peers) -> None:
        """Tell the other nodes which worker processes connect here from now on."""
        self._peers = peers

    async def Work(self, incoming: SizedRequests[WorkRequest], context: _Context) -> None:
        """See the contract."""
        principal = current_principal()
        check_scope(principal, Action.WORK)
        hello = await self._hello(incoming)
        validation.hello(hello)
        assert hello is not None
        _check_kinds(principal, hello.hello.kinds)
        memory = self._memory.of(caller_of(principal, context.peer()))
        session = Session(hello.hello, context.peer(), principal, memory.responses)
        requests = ByteBudget(SESSION_REQUESTS, memory.requests, session.session_id)
        logger = _logger.bind(worker_id=session.worker_id, session_id=session.session_id)
        logger.info("worker connected", kinds=sorted(session.kinds), sdk=hello.hello.sdk)
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
        stream = WorkStream(self._parts, session, requests, writer)
        self._streams[stream] = None
        if session.instance:
            # The worker process has one stream: it has left the older one, even if the server has not noticed yet.
            older = self._instances.get(session.instance)
            if older is not None:
                older.leave()
            self._instances[session.instance] = stream
            self._peers.worker_connected(session.instance)
        stream.end_silence(self._lease_ttl)
        reading = asyncio.create_task(stream.read(incoming))
        reading.add_done_callback(stream.on_read)
        self._parts.dispatcher.connect(session, frozenset(hello.hello.job_ids))
        del hello  # its job ids may take a megabyte, and the session lasts
        try:
            async with writer:
                while (response := await session.responses.get()) is not None:
                    failpoints.reach_message(response, "before")
                    await writer(response)
                    failpoints.reach_message(response, "after")
        finally:
            self._streams.pop(stream, None)
            stream.close()
            if self._instances.get(session.instance) is stream:
                del self._instances[session.instance]
            self._parts.sessions.remove(session)
            session.responses.discard()
            if session.listening_since == math.inf:  # its last messages may be unread
                self._parts.deadlines.renew(session.jobs)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            logger.info("worker left", jobs=len(session.jobs))

    async def ReportJob(self, request: ReportJobRequest, context: _Context) -> ReportJobResponse:
        """See the contract."""
        caller = current_caller()
        validation.report(request)
        await self._parts.access.check(current_principal(), Action.WORK, request.job_id)
        if not request.updates:
            report_sequence, job = await self._parts.attempts.resume(
                request.job_id, request.lease_token, caller=caller
            )
            last_sequence = job.last_sequence
            cancellation = job.cancellation if job.HasField("cancellation") else None
            self._parts.deadlines.renew([request.job_id])
        else:
            self._parts.limiter.admit_events(current_principal(), len(request.updates))
            pending = await self._parts.reports.accept(
                request.job_id,
                request.lease_token,
                request.first_report_sequence,
                request.updates,
                atomic=True,
                caller=caller,
                during=self._parts.deadlines.suspend_expiry,
            )
            with self._parts.deadlines.suspend_expiry(request.job_id):
                accepted = await asyncio.shield(pending.durable)
            report_sequence, last_sequence = accepted.report_sequence, accepted.last_sequence
            cancellation = await self._parts.attempts.cancellation(
                request.job_id, request.lease_token, caller=caller
            )
        return ReportJobResponse(
            report_sequence=report_sequence, last_sequence=last_sequence, cancellation=cancellation
        )

    def connected_elsewhere(self, instance: str) -> None:
        """Close the stream of a worker process that has connected to another node."""
        older = self._instances.pop(instance, None)
        if older is not None:
            older.leave()

    async def drain(self) -> None:
        """Tell the workers that the server is stopping, and close their streams once their reports are durable."""
        self._stopping.set()
        for _ in every(DRAINED_PER_PASS, self._parts.sessions.drain()):
            await asyncio.sleep(0)
        finishing: list[asyncio.Task[None]] = []
        for _ in every(DRAINED_PER_PASS, self._finish(finishing)):
            await asyncio.sleep(0)
        await asyncio.gather(*finishing)

    def _finish(self, finishing: list[asyncio.Task[None]]) -> Steps[None]:
        for stream in list(self._streams):
            finishing.append(asyncio.create_task(stream.finish(draining())))
            yield

    async def _hello(self, incoming: SizedRequests[WorkRequest]) -> WorkRequest | None:
        """Return the first message, None if there is none. Raises DRAINING if the server stops before it comes."""

        async def read() -> WorkRequest | None:
            return await anext(incoming, None)

        first, stopping = asyncio.create_task(read()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((first, stopping), return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                raise draining()
            return first.result()
        finally:
            first.cancel()
            stopping.cancel()


def _check_kinds(principal: Principal, kinds: Sequence[str]) -> None:
    """Raise PERMISSION_DENIED for a kind that the principal may not work on, with any owner of its own."""
    if principal.owners is not None and not principal.owners:
        raise permission_denied(principal, Action.WORK, None)
    owner = min(principal.owners or ("",))
    for kind in kinds:
        check(principal, Action.WORK, "", Target(principal.job_id, owner, kind))
