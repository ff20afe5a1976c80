"""One session of a worker: handle its requests, and answer them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from functools import partial
from typing import Any, Final

from milepost.server import failpoints
from milepost.server.access.authorize import Action
from milepost.server.access.limits.limiter import Limiter
from milepost.server.base.refusal import Refusal
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CALL_COST
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.reports import Acceptance, Reports
from milepost.server.dispatch.session_table import SessionTable, rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.followers.deadlines import Deadlines
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.server.service import validation
from milepost.server.service.job_access import JobAccess
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

SESSION_RESPONSES: Final = 8 << 20
"""Bytes of assignments that one worker has not read yet; beyond, further ones wait."""

SILENT_LEASES: Final = 3
"""Leases that a worker may be silent for before the server ends its session."""

RENEWAL_INTERVAL: Final = 0.25
"""Seconds after which the leases of a worker that has to wait are renewed."""

UPDATES_OF_A_CALL: Final = 100
"""Updates of a report that take as long as a call."""

SILENCE_TIMEOUT: Final = 60.0
"""Seconds that a worker may be silent in any case."""


class WorkStream:
    """Handles the requests of one worker session."""

    def __init__(
        self,
        session: Session,
        attempts: Attempts,
        reports: Reports,
        dispatcher: Dispatcher,
        sessions: SessionTable,
        deadlines: Deadlines,
        access: JobAccess,
        memory: ByteBudget,
        limiter: Limiter,
        writer: ResponseWriter,
    ) -> None:
        self._writer = writer
        self._limiter = limiter
        self._access = access
        self._session = session
        self._responses = session.responses
        self._attempts = attempts
        self._reports = reports
        self._dispatcher = dispatcher
        self._sessions = sessions
        self._deadlines = deadlines
        self._memory = memory
        self._unanswered: set[asyncio.Future[Any]] = set()
        self._idle = asyncio.Event()
        """Set while no request is handled."""
        self._idle.set()
        self._finishing = False
        self._silence: asyncio.TimerHandle | None = None

    async def read(self, incoming: AsyncIterator[WorkRequest]) -> None:
        """Handle requests until the worker closes its side of the stream, or the session finishes."""
        self._sessions.listen(self._session)
        async for request in incoming:
            self._sessions.heard(self._session)
            self._limiter.pace.note(self._session.caller)
            updates = len(request.report.updates)
            if self._limiter.uses_burst(self._session.principal):
                await self._await_turn(updates)
            if self._finishing:
                return
            # A message other than a report counts as one event.
            pause = self._limiter.use_events(self._session.principal, updates or 1)
            if not request.HasField("report") or not self._report_at_once(request.report):
                self._idle.clear()
                try:
                    await self._handle(request)
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
            await self._attempts.release(release.job_id, release.lease_token, caller=self._session.caller)
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
        size = report.ByteSize()
        charge = size + CALL_COST
        if not self._memory.try_acquire(charge):
            # Meanwhile the worker is not read; its lease does not run.
            await self._memory.acquire(charge)
        # The end that the worker reports is no news to it, and may be durable before `accept` returns.
        is_end = self._may_end(report)
        if is_end:
            self._session.ending.add(report.job_id)
        try:
            accepted, durable = await self._reports.accept(
                report.job_id,
                report.lease_token,
                report.first_report_sequence,
                report.updates,
                size=size,
                caller=self._session.caller,
            )
        except BaseException:
            self._memory.release(charge)
            if is_end:
                self._session.ending.discard(report.job_id)
            raise
        if is_end and not accepted.over:
            self._session.ending.discard(report.job_id)
        self._follow(report, accepted, durable, charge)

    def _may_end(self, report: Report) -> bool:
        """Whether the report has the end of an attempt that the session holds, and no earlier one has."""
        return (
            self._session.jobs.get(report.job_id) == report.lease_token
            and report.job_id not in self._session.ending
            and any(update.HasField("job_ended") for update in report.updates)
        )

    def _report_at_once(self, report: Report) -> bool:
        """Take a report that ``Reports.accept_at_once`` accepts, if there is room; else do nothing.

        Nothing in it can be refused: the session holds the job, and the report is the next one.
        """
        if report.job_id not in self._session.jobs:
            return False
        size = report.ByteSize()
        charge = size + CALL_COST
        if not self._memory.try_acquire(charge):
            return False
        pending = None
        try:
            pending = self._reports.accept_at_once(
                report.job_id,
                report.lease_token,
                report.first_report_sequence,
                report.updates,
                size,
                self._session.caller,
            )
        finally:
            if pending is None:
                self._memory.release(charge)
        if pending is None:
            return False
        self._follow(report, *pending, charge)
        return True

    def _follow(
        self, report: Report, accepted: Acceptance, durable: PromptFuture[Acceptance], charge: int
    ) -> None:
        """Renew the lease, and answer the report once it is durable."""
        self._deadlines.renew([report.job_id])
        if accepted.rejections:
            self._reject(report, accepted)
        self._unanswered.add(durable)
        durable.call_back(partial(self._acknowledge, report, accepted, charge))

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

    def _acknowledge(
        self, report: Report, decided: Acceptance, charge: int, durable: PromptFuture[Acceptance]
    ) -> None:
        self._memory.release(charge)
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
        response = WorkResponse()
        # Set in place: protobuf would copy a message that it is given by encoding and decoding it.
        acknowledged = response.acknowledged
        acknowledged.job_id = report.job_id
        acknowledged.report_sequence = accepted.report_sequence
        acknowledged.last_sequence = accepted.last_sequence
        acknowledged.lease_token = report.lease_token
        # Where others will be answered, too, one acknowledgement may do for all of them.
        if self._unanswered or not self._send_at_once(response):
            self._responses.put(response)

    def _send_at_once(self, response: WorkResponse) -> bool:
        """Send a response that nothing precedes, without waking the task of the call; False where that has to do it."""
        if not self._responses.is_awaited or not self._writer.is_free:
            return False
        failpoints.reach_message(response, "before")
        is_sent = self._writer.offer(response)
        failpoints.reach_message(response, "after")
        return is_sent


def _silent(limit: float) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"No message of this session came for {limit:g} s. Connect again, and send heartbeats.",
        metadata={"limit": "silence"},
        retry_delay=1.0,
    )
