"""WorkerService: decode, call, encode."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import grpc.aio
import structlog

from milepost.server.dispatch.attempts import Accepted, Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.session_table import rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.followers.deadlines import Deadlines
from milepost.server.rpc import validation
from milepost.server.rpc.refusal import Refusal, draining
from milepost.server.runtime import failpoints
from milepost.server.runtime.timestamps import duration
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

# How many appends and claims of one session may be under way before no more is taken from it.
_UNDER_WAY_MOST = 256


class WorkerService:
    """For those who do the work."""

    def __init__(
        self, attempts: Attempts, dispatcher: Dispatcher, deadlines: Deadlines, lease_ttl: float
    ) -> None:
        self._attempts = attempts
        self._dispatcher = dispatcher
        self._sessions = dispatcher.sessions
        self._deadlines = deadlines
        deadlines.listening_since = self._sessions.listening_since
        self._lease_ttl = lease_ttl
        self._conversations: dict[_Conversation, None] = {}
        self._runs: dict[str, _Conversation] = {}
        self._stopping = asyncio.Event()
        self.pass_on: Callable[[str], None] = lambda instance: None
        """Told of the runs of workers that have connected here, so that other nodes hear of it."""

    async def Work(self, incoming: AsyncIterator[WorkRequest], context: _Context) -> None:
        """See the contract."""
        hello = await self._hello(incoming)
        validation.hello(hello)
        assert hello is not None
        session = Session(hello.hello, context.peer())
        log = _log.bind(worker_id=session.worker_id, session_id=session.session_id)
        log.info("worker connected", kinds=sorted(session.kinds), sdk=hello.hello.sdk)
        session.outbox.put(
            WorkResponse(
                welcome=Welcome(
                    session_id=session.session_id,
                    lease_ttl=duration(self._lease_ttl),
                    heartbeat_interval=duration(self._lease_ttl / 3),
                )
            )
        )
        conversation = _Conversation(session, self._attempts, self._dispatcher, self._deadlines)
        self._conversations[conversation] = None
        if session.instance:
            # The worker has left it, or it would not be here; the server may not have heard of that yet.
            older = self._runs.get(session.instance)
            if older is not None:
                older.leave()
            self._runs[session.instance] = conversation
            self.pass_on(session.instance)
        listening = asyncio.create_task(conversation.listen(incoming))
        listening.add_done_callback(conversation.end)
        self._dispatcher.welcome(session, frozenset(hello.hello.job_ids))
        try:
            while (response := await session.outbox.get()) is not None:
                failpoints.reach_message(response, "before")
                await context.write(response)
                failpoints.reach_message(response, "after")
        finally:
            self._conversations.pop(conversation, None)
            if self._runs.get(session.instance) is conversation:
                del self._runs[session.instance]
            self._sessions.remove(session)
            if session.listening_since == math.inf:  # what it said last has not been heard
                self._deadlines.renew(session.jobs)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            log.info("worker left", jobs=len(session.jobs))

    async def ReportJob(self, request: ReportJobRequest, context: _Context) -> ReportJobResponse:
        """See the contract."""
        validation.report(request)
        if not request.updates:
            report_sequence, job = await self._attempts.resume(request.job_id, request.lease_token)
            last_sequence = job.last_sequence
            self._deadlines.renew([request.job_id])
        else:
            accepted = await self._attempts.report(
                request.job_id,
                request.lease_token,
                request.first_report_sequence,
                request.updates,
                whole=True,
            )
            settled = self._attempts.settled(
                accepted,
                request.job_id,
                request.lease_token,
                request.first_report_sequence,
                request.updates,
                whole=True,
            )
            with self._deadlines.keep(request.job_id):
                accepted = await asyncio.shield(settled)
            report_sequence, last_sequence = accepted.report_sequence, accepted.last_sequence
            job = await self._attempts.job(request.job_id)
        response = ReportJobResponse(report_sequence=report_sequence, last_sequence=last_sequence)
        if job.HasField("cancellation"):
            response.cancellation.CopyFrom(job.cancellation)
        return response

    def connected_elsewhere(self, instance: str) -> None:
        """A run of a worker has connected to another node, so that it has left its stream here."""
        older = self._runs.pop(instance, None)
        if older is not None:
            older.leave()

    async def drain(self) -> None:
        """Tells the workers that the server is stopping, and ends their streams once what they reported is durable."""
        self._stopping.set()
        self._sessions.drain()
        await asyncio.gather(*(conversation.finish(draining()) for conversation in self._conversations))

    async def _hello(self, incoming: AsyncIterator[WorkRequest]) -> WorkRequest | None:
        """The first message; None where there is none. Raises DRAINING if the server stops before."""

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


class _Conversation:
    """What one worker says, and what follows from it."""

    def __init__(
        self, session: Session, attempts: Attempts, dispatcher: Dispatcher, deadlines: Deadlines
    ) -> None:
        self._session = session
        self._outbox = session.outbox
        self._attempts = attempts
        self._dispatcher = dispatcher
        self._sessions = dispatcher.sessions
        self._deadlines = deadlines
        self._under_way: set[asyncio.Future[Any]] = set()
        self._taking = asyncio.Lock()
        """Held while a message is taken."""
        self._finishing = False

    async def listen(self, incoming: AsyncIterator[WorkRequest]) -> None:
        """Takes what the worker says until it has no more to say, or the session finishes."""
        self._sessions.listen(self._session)
        async for request in incoming:
            async with self._taking:
                if self._finishing:
                    return
                self._sessions.heard(self._session)
                await self._take(request)
            while len(self._under_way) >= _UNDER_WAY_MOST:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            # From here on it is the worker that is waited for: it may have to read, or to speak.
            self._sessions.listen(self._session)
            await self._outbox.room()
        await self.finish()

    def end(self, listening: asyncio.Task[None]) -> None:
        """Nothing more is heard from the worker, so that there is nothing more to say."""
        if not self._finishing:  # then the answers that are still to come end it
            self._outbox.end(None if listening.cancelled() else listening.exception())

    def leave(self) -> None:
        """The same worker has come back on another stream."""
        self._sessions.remove(self._session)
        self._outbox.end()

    async def finish(self, error: Refusal | None = None) -> None:
        """Ends the stream when everything that was taken is answered: reports are acknowledged, claims are assigned.

        A message that comes later is not taken at all, since its answer would not get out any more.
        """
        async with self._taking:
            self._finishing = True
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._outbox.end(error)

    async def _take(self, request: WorkRequest) -> None:
        match request.WhichOneof("message"):
            case "report":
                await self._guarded(request.report, self._report(request.report))
            case "heartbeat":
                self._deadlines.renew(self._session.jobs)
            case "claim":
                await self._guarded(request.claim, self._claim(request.claim))
            case "resume":
                await self._guarded(request.resume, self._resume(request.resume))
            case "release":
                await self._guarded(request.release, self._release(request.release))
            case "capacity":
                await self._guarded(None, self._capacity(request.capacity))
            case unknown:
                validation.unexpected_message(unknown)

    async def _guarded(
        self, about: Report | Claim | Resume | Release | None, handling: Coroutine[Any, Any, None]
    ) -> None:
        """A refusal is told, and the session goes on."""
        try:
            await handling
        except Refusal as refusal:
            job_id = "" if about is None else about.job_id
            token = "" if about is None or isinstance(about, Claim) else about.lease_token
            self._outbox.put(rejection(job_id, refusal, token))

    async def _claim(self, claim: Claim) -> None:
        validation.job_id(claim.job_id)
        claiming = self._dispatcher.claim(self._session, claim.job_id)
        self._under_way.add(claiming)
        claiming.add_done_callback(self._under_way.discard)

    async def _resume(self, resume: Resume) -> None:
        validation.job_id(resume.job_id)
        await self._attempts.resume(resume.job_id, resume.lease_token)
        self._deadlines.renew([resume.job_id])
        # Held before it is looked at again, so that what happens to it is either seen here or told after it.
        self._sessions.hold(self._session, resume.job_id, resume.lease_token)
        try:
            report_sequence, job = await self._attempts.resume(resume.job_id, resume.lease_token)
        except Refusal:
            self._sessions.let_go(self._session, resume.job_id)
            raise
        resumed = Resumed(job_id=resume.job_id, acknowledged_report_sequence=report_sequence)
        if job.HasField("cancellation"):
            resumed.cancellation.CopyFrom(job.cancellation)
        self._outbox.put(WorkResponse(resumed=resumed))

    async def _release(self, release: Release) -> None:
        validation.job_id(release.job_id)
        self._session.leaving.add(release.job_id)
        try:
            await self._attempts.release(release.job_id, release.lease_token)
        finally:
            self._session.leaving.discard(release.job_id)

    async def _capacity(self, capacity: Capacity) -> None:
        validation.capacity(capacity)
        self._sessions.resize(self._session, capacity.max_concurrency)

    async def _report(self, report: Report) -> None:
        validation.report(report)
        accepted = await self._attempts.report(
            report.job_id, report.lease_token, report.first_report_sequence, report.updates
        )
        self._deadlines.renew([report.job_id])
        if accepted.over and report.job_id in self._session.jobs:
            self._session.leaving.add(report.job_id)
        self._reject(report, accepted)
        settled = self._attempts.settled(
            accepted, report.job_id, report.lease_token, report.first_report_sequence, report.updates
        )
        self._under_way.add(settled)
        settled.add_done_callback(lambda _: self._acknowledge(report, accepted, settled))

    def _reject(self, report: Report, accepted: Accepted) -> None:
        for number, refusal in accepted.rejections:
            self._outbox.put(
                rejection(
                    report.job_id,
                    refusal,
                    report.lease_token,
                    report_sequence=number,
                    expected=accepted.report_sequence + 1,
                )
            )

    def _acknowledge(self, report: Report, decided: Accepted, settled: asyncio.Future[Accepted]) -> None:
        self._under_way.discard(settled)
        error = settled.exception()
        if isinstance(
            error, Refusal
        ):  # the job was cancelled or lost through another node, and is so here now
            self._session.leaving.discard(report.job_id)
            self._outbox.put(rejection(report.job_id, error, report.lease_token))
            return
        if error is not None:
            self._outbox.end(error)
            return
        accepted = settled.result()
        if accepted is not decided:
            self._reject(report, accepted)
        self._outbox.put(
            WorkResponse(
                acknowledged=Acknowledged(
                    job_id=report.job_id,
                    report_sequence=accepted.report_sequence,
                    last_sequence=accepted.last_sequence,
                    lease_token=report.lease_token,
                )
            )
        )
