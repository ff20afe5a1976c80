"""One session of a worker: handle its requests, and answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from milepost.server.access.authorize import Action
from milepost.server.base.refusal import Refusal
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.received_requests import SizedRequests
from milepost.server.dispatch.session_table import rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreBehind
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.rpc.session_parts import SessionParts
from milepost.server.rpc.session_reports import SessionReports
from milepost.server.service import validation
from milepost.server.store_errors import refusal_of
from milepost.v1 import (
    Capacity,
    Claim,
    ErrorReason,
    Release,
    Report,
    Resume,
    Resumed,
    WorkRequest,
    WorkResponse,
)

# The server reads no more requests of a worker while this many reports and claims of it are unanswered.
_UNANSWERED_LIMIT = 256

SESSION_REQUESTS: Final = 8 << 20
"""Bytes of reports of one session that are not durable yet; beyond, the server reads no more of it."""

SILENT_LEASES: Final = 3
"""Leases that a worker may be silent for before the server ends its session."""

RENEWAL_INTERVAL: Final = 0.25
"""Seconds after which the leases of a worker that has to wait are renewed."""

UPDATES_OF_A_CALL: Final = 100
"""Updates of a report that take as long as a call."""

SILENCE_TIMEOUT: Final = 60.0
"""Seconds that a worker may be silent in any case."""


class WorkStream:
    """Handles the requests of one worker session. ``requests`` is the memory that its reports may take."""

    def __init__(
        self,
        parts: SessionParts,
        session: Session,
        requests: ByteBudget,
        writer: ResponseWriter,
    ) -> None:
        self._attempts = parts.attempts
        self._dispatcher = parts.dispatcher
        self._sessions = parts.sessions
        self._deadlines = parts.deadlines
        self._access = parts.access
        self._limiter = parts.limiter
        self._session = session
        self._responses = session.responses
        self._unanswered: set[asyncio.Future[Any]] = set()
        """What is not answered yet: the reports that are not durable, and the claims."""
        self._reports = SessionReports(parts, session, requests, writer, self._unanswered)
        self._idle = asyncio.Event()
        """Set while no request is handled."""
        self._idle.set()
        self._finishing = False
        self._silence: asyncio.TimerHandle | None = None

    async def read(self, incoming: SizedRequests[WorkRequest]) -> None:
        """Handle requests until the worker closes its side of the stream, or the session finishes."""
        self._sessions.listen(self._session)
        async for request in incoming:
            self._sessions.heard(self._session)
            self._limiter.pace.note(self._session.caller)
            size, updates = incoming.size, len(request.report.updates)
            if self._limiter.uses_burst(self._session.principal):
                await self._await_turn(updates)
            if self._finishing:
                return
            # A message other than a report counts as one event.
            pause = self._limiter.use_events(self._session.principal, updates or 1)
            if not request.HasField("report") or not self._reports.take_nowait(request.report, size):
                self._idle.clear()
                try:
                    await self._handle(request, size)
                finally:
                    self._idle.set()
            while len(self._unanswered) >= _UNANSWERED_LIMIT:
                await asyncio.wait(self._unanswered, return_when=asyncio.FIRST_COMPLETED)
            if pause:
                await self._keep_rate(pause)
            # From here on the server waits for the worker: to read responses, or to send requests.
            self._sessions.listen(self._session)
            if self._responses.is_full:
                await self._responses.wait_below_limit()
        await self.finish()

    async def _keep_rate(self, pause: float) -> None:
        """Read no more of a principal that reports too much, for so many seconds; its leases are kept meanwhile.

        A report itself is never refused for that (rule 15).
        """
        while pause > 0:
            await asyncio.sleep(min(pause, RENEWAL_INTERVAL))
            pause -= RENEWAL_INTERVAL
            self._deadlines.renew(self._session.jobs)

    async def _await_turn(self, updates: int) -> None:
        """Handle no message of a principal that reports much beside others until its turn; keep its leases meanwhile.

        Where it has many workers, they wait for each other: the last one perhaps for longer than a lease.
        """
        turn = self._limiter.pace.turn(self._session.caller, 1 + updates // UPDATES_OF_A_CALL)
        if turn is None:
            return
        try:
            while not (await asyncio.wait((turn,), timeout=RENEWAL_INTERVAL))[0]:
                self._deadlines.renew(self._session.jobs)
        finally:
            turn.cancel()

    def end_silence(self, lease_ttl: float) -> None:
        """End the session once no message has come for long, though one may have begun to arrive."""
        limit = max(SILENCE_TIMEOUT, SILENT_LEASES * lease_ttl)
        silent = self._sessions.silent_for(self._session)
        if silent >= limit:
            self._responses.close(_silent(limit))
        else:
            wait = limit - max(silent, 0.0)
            self._silence = asyncio.get_running_loop().call_later(wait, self.end_silence, lease_ttl)

    def close(self) -> None:
        """The stream has ended."""
        if self._silence is not None:
            self._silence.cancel()

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

    async def _handle(self, request: WorkRequest, size: int) -> None:
        match request.WhichOneof("message"):
            case "report":
                await self._answer_refusal(request.report, self._reports.take(request.report, size))
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
        """Answer a refusal with a rejection; the session goes on.

        So it does where this node does not know a job, while it may know others that the worker resumes next. Other
        errors of the store concern all jobs, and end the session; so does any after a report, which is sent again on
        the next one.
        """
        try:
            await handling
        except (Refusal, StoreBehind) as error:
            refusal = refusal_of(error)
            if refusal is None or (isinstance(request, Report) and refusal is not error):
                raise
            job_id = "" if request is None else request.job_id
            token = "" if request is None or isinstance(request, Claim) else request.lease_token
            self._responses.put(rejection(job_id, refusal, token))
            drop_tracebacks(error)  # which have the session

    async def _check_access(self, job_id: str) -> None:
        await self._access.check(self._session.principal, Action.WORK, job_id)

    async def _claim(self, claim: Claim) -> None:
        validation.claim(claim)
        await self._check_access(claim.job_id)
        instance = self._session.own_instance(claim.instance)
        claiming = self._dispatcher.claim(self._session, claim.job_id, instance)
        self._unanswered.add(claiming)
        claiming.add_done_callback(self._unanswered.discard)

    async def _resume(self, resume: Resume) -> None:
        validation.job_id(resume.job_id)
        await self._check_access(resume.job_id)
        caller = self._session.caller
        await self._attempts.resume(resume.job_id, resume.lease_token, caller=caller)
        self._deadlines.renew([resume.job_id])
        # Hold the job before reading it again, so that no transition is missed in between.
        self._sessions.hold(self._session, resume.job_id, resume.lease_token)
        try:
            report_sequence, job = await self._attempts.resume(
                resume.job_id, resume.lease_token, caller=caller
            )
        except (Refusal, StoreBehind):
            self._sessions.stop_holding(self._session, resume.job_id)
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
            await self._attempts.release(release.job_id, release.lease_token, caller=self._session.caller)
        finally:
            self._session.ending.discard(release.job_id)

    async def _capacity(self, capacity: Capacity) -> None:
        validation.capacity(capacity)
        self._sessions.resize(self._session, capacity.max_concurrency)


def _silent(limit: float) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"No message of this session came for {limit:g} s. Connect again, and send heartbeats.",
        metadata={"limit": "silence"},
        retry_delay=1.0,
    )
