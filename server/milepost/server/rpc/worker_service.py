"""WorkerService: validate, call, encode."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from typing import Any

import grpc.aio
import structlog

from milepost.server.access.authorize import Action, Target, check, check_scope
from milepost.server.access.current import current_principal
from milepost.server.access.principal import Principal
from milepost.server.base import failpoints
from milepost.server.base.refusal import Refusal, draining
from milepost.server.base.timestamps import duration
from milepost.server.dispatch.attempts import Acceptance, Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.session_table import SessionTable, rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.followers.deadlines import Deadlines
from milepost.server.log.node_presence import NoPeers, Peers
from milepost.server.service import validation
from milepost.server.service.job_access import JobAccess
from milepost.v1 import (
    Acknowledged,
    Capacity,
    Claim,
    Release,
    Report,
    ReportJobRequest,
    ReportJobResponse,
    Resume,
    Resumed,
    Welcome,
    WorkRequest,
    WorkResponse,
)

_log = structlog.get_logger("milepost.workers")

_Context = grpc.aio.ServicerContext[Any, Any]

# The server reads no more requests of a worker while this many reports and claims of it are unanswered.
_UNANSWERED_LIMIT = 256


class WorkerService:
    """The service for workers."""

    def __init__(
        self,
        attempts: Attempts,
        dispatcher: Dispatcher,
        sessions: SessionTable,
        deadlines: Deadlines,
        access: JobAccess,
        lease_ttl: float,
    ) -> None:
        self._access = access
        self._attempts = attempts
        self._dispatcher = dispatcher
        self._sessions = sessions
        self._deadlines = deadlines
        self._lease_ttl = lease_ttl
        self._streams: dict[_WorkStream, None] = {}
        # The stream of each worker process, by ``Hello.instance``.
        self._instances: dict[str, _WorkStream] = {}
        self._stopping = asyncio.Event()
        self._peers: Peers = NoPeers()

    def start(self, peers: Peers) -> None:
        """Tell the other nodes which worker processes connect here from now on."""
        self._peers = peers

    async def Work(self, incoming: AsyncIterator[WorkRequest], context: _Context) -> None:
        """See the contract."""
        principal = current_principal()
        check_scope(principal, Action.WORK)
        hello = await self._hello(incoming)
        validation.hello(hello)
        assert hello is not None
        _check_kinds(principal, hello.hello.kinds)
        session = Session(hello.hello, context.peer(), principal)
        log = _log.bind(worker_id=session.worker_id, session_id=session.session_id)
        log.info("worker connected", kinds=sorted(session.kinds), sdk=hello.hello.sdk)
        session.responses.put(
            WorkResponse(
                welcome=Welcome(
                    session_id=session.session_id,
                    lease_ttl=duration(self._lease_ttl),
                    heartbeat_interval=duration(self._lease_ttl / 3),
                )
            )
        )
        stream = _WorkStream(
            session, self._attempts, self._dispatcher, self._sessions, self._deadlines, self._access
        )
        self._streams[stream] = None
        if session.instance:
            # The worker process has one stream: it has left the older one, even if the server has not noticed yet.
            older = self._instances.get(session.instance)
            if older is not None:
                older.leave()
            self._instances[session.instance] = stream
            self._peers.worker_connected(session.instance)
        reading = asyncio.create_task(stream.read(incoming))
        reading.add_done_callback(stream.on_read)
        self._dispatcher.connect(session, frozenset(hello.hello.job_ids))
        del hello  # its job ids may take a megabyte, and the session lasts
        try:
            while (response := await session.responses.get()) is not None:
                failpoints.reach_message(response, "before")
                await context.write(response)
                failpoints.reach_message(response, "after")
        finally:
            self._streams.pop(stream, None)
            if self._instances.get(session.instance) is stream:
                del self._instances[session.instance]
            self._sessions.remove(session)
            if session.listening_since == math.inf:  # its last messages may be unread
                self._deadlines.renew(session.jobs)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            log.info("worker left", jobs=len(session.jobs))

    async def ReportJob(self, request: ReportJobRequest, context: _Context) -> ReportJobResponse:
        """See the contract."""
        validation.report(request)
        await self._access.check(current_principal(), Action.WORK, request.job_id)
        if not request.updates:
            report_sequence, job = await self._attempts.resume(request.job_id, request.lease_token)
            last_sequence = job.last_sequence
            self._deadlines.renew([request.job_id])
        else:
            pending = await self._attempts.report(
                request.job_id,
                request.lease_token,
                request.first_report_sequence,
                request.updates,
                atomic=True,
                peer=lambda: context.peer(),
                during=self._deadlines.suspend_expiry,
            )
            with self._deadlines.suspend_expiry(request.job_id):
                accepted = await asyncio.shield(pending.durable)
            report_sequence, last_sequence = accepted.report_sequence, accepted.last_sequence
            job = await self._attempts.job(request.job_id)
        response = ReportJobResponse(report_sequence=report_sequence, last_sequence=last_sequence)
        if job.HasField("cancellation"):
            response.cancellation.CopyFrom(job.cancellation)
        return response

    def connected_elsewhere(self, instance: str) -> None:
        """Close the stream of a worker process that has connected to another node."""
        older = self._instances.pop(instance, None)
        if older is not None:
            older.leave()

    async def drain(self) -> None:
        """Tell the workers that the server is stopping, and close their streams once their reports are durable."""
        self._stopping.set()
        self._sessions.drain()
        await asyncio.gather(*(stream.finish(draining()) for stream in self._streams))

    async def _hello(self, incoming: AsyncIterator[WorkRequest]) -> WorkRequest | None:
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


class _WorkStream:
    """Handles the requests of one worker session."""

    def __init__(
        self,
        session: Session,
        attempts: Attempts,
        dispatcher: Dispatcher,
        sessions: SessionTable,
        deadlines: Deadlines,
        access: JobAccess,
    ) -> None:
        self._access = access
        self._session = session
        self._responses = session.responses
        self._attempts = attempts
        self._dispatcher = dispatcher
        self._sessions = sessions
        self._deadlines = deadlines
        self._unanswered: set[asyncio.Future[Any]] = set()
        self._idle = asyncio.Event()
        """Set while no request is handled."""
        self._idle.set()
        self._finishing = False

    async def read(self, incoming: AsyncIterator[WorkRequest]) -> None:
        """Handle requests until the worker closes its side of the stream, or the session finishes."""
        self._sessions.listen(self._session)
        async for request in incoming:
            if self._finishing:
                return
            self._idle.clear()
            try:
                self._sessions.heard(self._session)
                await self._handle(request)
            finally:
                self._idle.set()
            while len(self._unanswered) >= _UNANSWERED_LIMIT:
                await asyncio.wait(self._unanswered, return_when=asyncio.FIRST_COMPLETED)
            # From here on the server waits for the worker: to read responses, or to send requests.
            self._sessions.listen(self._session)
            await self._responses.wait_below_limit()
        await self.finish()

    def on_read(self, reading: asyncio.Task[None]) -> None:
        """Close the responses after the last request, unless ``finish`` closes them after the last answer."""
        if not self._finishing:
            self._responses.close(None if reading.cancelled() else reading.exception())

    def leave(self) -> None:
        """Close the session: the worker has connected again on another stream."""
        self._sessions.remove(self._session)
        self._responses.close()

    async def finish(self, error: Refusal | None = None) -> None:
        """Close the stream when all handled requests are answered: reports acknowledged, claims assigned.

        A later request is not handled at all, since its answer would not get out any more.
        """
        self._finishing = True
        await self._idle.wait()
        if self._unanswered:
            await asyncio.wait(self._unanswered)
        self._responses.close(error)

    async def _handle(self, request: WorkRequest) -> None:
        match request.WhichOneof("message"):
            case "report":
                await self._answer_refusal(request.report, self._report(request.report))
            case "heartbeat":
                self._deadlines.renew(self._session.jobs)
            case "claim":
                await self._answer_refusal(request.claim, self._claim(request.claim))
            case "resume":
                await self._answer_refusal(request.resume, self._resume(request.resume))
            case "release":
                await self._answer_refusal(request.release, self._release(request.release))
            case "capacity":
                await self._answer_refusal(None, self._capacity(request.capacity))
            case unknown:
                validation.unexpected_message(unknown)

    async def _answer_refusal(
        self, request: Report | Claim | Resume | Release | None, handling: Coroutine[Any, Any, None]
    ) -> None:
        """Answer a refusal with a rejection; the session goes on."""
        try:
            await handling
        except Refusal as refusal:
            job_id = "" if request is None else request.job_id
            token = "" if request is None or isinstance(request, Claim) else request.lease_token
            self._responses.put(rejection(job_id, refusal, token))

    async def _check_access(self, job_id: str) -> None:
        await self._access.check(self._session.principal, Action.WORK, job_id)

    async def _claim(self, claim: Claim) -> None:
        validation.job_id(claim.job_id)
        await self._check_access(claim.job_id)
        claiming = self._dispatcher.claim(self._session, claim.job_id)
        self._unanswered.add(claiming)
        claiming.add_done_callback(self._unanswered.discard)

    async def _resume(self, resume: Resume) -> None:
        validation.job_id(resume.job_id)
        await self._check_access(resume.job_id)
        await self._attempts.resume(resume.job_id, resume.lease_token)
        self._deadlines.renew([resume.job_id])
        # Hold the job before reading it again, so that no transition is missed in between.
        self._sessions.hold(self._session, resume.job_id, resume.lease_token)
        try:
            report_sequence, job = await self._attempts.resume(resume.job_id, resume.lease_token)
        except Refusal:
            self._sessions.drop(self._session, resume.job_id)
            raise
        resumed = Resumed(job_id=resume.job_id, acknowledged_report_sequence=report_sequence)
        if job.HasField("cancellation"):
            resumed.cancellation.CopyFrom(job.cancellation)
        self._responses.put(WorkResponse(resumed=resumed))

    async def _release(self, release: Release) -> None:
        validation.job_id(release.job_id)
        await self._check_access(release.job_id)
        self._session.ending.add(release.job_id)
        try:
            await self._attempts.release(release.job_id, release.lease_token)
        finally:
            self._session.ending.discard(release.job_id)

    async def _capacity(self, capacity: Capacity) -> None:
        validation.capacity(capacity)
        self._sessions.resize(self._session, capacity.max_concurrency)

    async def _report(self, report: Report) -> None:
        validation.report(report)
        # A job that the session holds was checked when the session got it.
        if report.job_id not in self._session.jobs:
            await self._check_access(report.job_id)
        accepted, durable, call_back = await self._attempts.report(
            report.job_id,
            report.lease_token,
            report.first_report_sequence,
            report.updates,
            peer=lambda: self._session.peer,
        )
        self._deadlines.renew([report.job_id])
        if accepted.over and report.job_id in self._session.jobs:
            self._session.ending.add(report.job_id)
        self._reject(report, accepted)
        self._unanswered.add(durable)
        call_back(partial(self._acknowledge, report, accepted))

    def _reject(self, report: Report, accepted: Acceptance) -> None:
        for number, refusal in accepted.rejections:
            self._responses.put(
                rejection(
                    report.job_id,
                    refusal,
                    report.lease_token,
                    report_sequence=number,
                    expected=accepted.report_sequence + 1,
                )
            )

    def _acknowledge(self, report: Report, decided: Acceptance, durable: asyncio.Future[Acceptance]) -> None:
        self._unanswered.discard(durable)
        error = durable.exception()
        if isinstance(error, Refusal):
            # Another node has cancelled the job or lost its worker; this node has read that by now.
            self._session.ending.discard(report.job_id)
            self._responses.put(rejection(report.job_id, error, report.lease_token))
            return
        if error is not None:
            self._responses.close(error)
            return
        accepted = durable.result()
        if accepted is not decided:
            self._reject(report, accepted)
        self._responses.put(
            WorkResponse(
                acknowledged=Acknowledged(
                    job_id=report.job_id,
                    report_sequence=accepted.report_sequence,
                    last_sequence=accepted.last_sequence,
                    lease_token=report.lease_token,
                )
            )
        )


def _check_kinds(principal: Principal, kinds: Sequence[str]) -> None:
    """Raise PERMISSION_DENIED for a kind that the principal may not work on, with any owner of its own."""
    owner = min(principal.owners or ("",))
    for kind in kinds:
        check(principal, Action.WORK, "", Target(principal.job_id, owner, kind))
