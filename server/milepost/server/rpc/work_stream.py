"""The stream of one session of a worker: how much is read of it at a time, and what is sent when."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from milepost.server import failpoints
from milepost.server.base.refusal import Refusal
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CALL_COST
from milepost.server.calls.received_requests import SizedRequests
from milepost.server.dispatch.reports import Acceptance, PendingReport
from milepost.server.dispatch.worker_session import Session
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.server.service.session_parts import SessionParts
from milepost.server.service.session_reports import SessionReports
from milepost.server.service.worker_requests import WorkerRequests
from milepost.v1 import ErrorReason, Report, WorkRequest, WorkResponse

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
    """Reads the requests of one session, and has them handled.

    ``memory`` is the budget of its reports that are not durable yet. What ``writer`` cannot send at once is put among
    the session's responses.
    """

    def __init__(
        self,
        parts: SessionParts,
        session: Session,
        memory: ByteBudget,
        writer: ResponseWriter,
    ) -> None:
        self._sessions = parts.sessions
        self._deadlines = parts.deadlines
        self._limiter = parts.limiter
        self._session = session
        self._responses = session.responses
        self._memory = memory
        self._writer = writer
        self._requests = WorkerRequests(parts, session)
        self._reports = SessionReports(parts, session)
        self._unanswered: set[asyncio.Future[Any]] = set()
        """What is not answered yet: the reports that are not durable, and the claims."""
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
            if not request.HasField("report") or not self._take_nowait(request.report, size):
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
        if request.HasField("report"):
            await self._take(request.report, size)
            return
        claiming = await self._requests.handle(request)
        if claiming is not None:
            self._unanswered.add(claiming)
            claiming.add_done_callback(self._unanswered.discard)

    async def _take(self, report: Report, size: int) -> None:
        """Take a report of ``size`` bytes once there is room, and answer it. Raises errors of the store."""
        try:
            await self._reports.check(report)
            charge = size + CALL_COST
            if not self._memory.try_acquire(charge):
                # Meanwhile the worker is not read; its lease does not run.
                await self._memory.acquire(charge)
            try:
                pending = await self._reports.accept(report, size)
            except BaseException:
                self._memory.release(charge)
                raise
        except Refusal as refusal:
            self._reports.reject(report, refusal)
        else:
            self._acknowledge_when_durable(report, pending, charge)

    def _take_nowait(self, report: Report, size: int) -> bool:
        """Take a report that ``SessionReports.accept_nowait`` accepts, if there is room; else do nothing."""
        charge = size + CALL_COST
        if not self._memory.try_acquire(charge):
            return False
        pending = None
        try:
            pending = self._reports.accept_nowait(report, size)
        finally:
            if pending is None:
                self._memory.release(charge)
        if pending is None:
            return False
        self._acknowledge_when_durable(report, pending, charge)
        return True

    def _acknowledge_when_durable(self, report: Report, pending: PendingReport, charge: int) -> None:
        accepted, durable = pending
        self._unanswered.add(durable)
        durable.call_back(partial(self._acknowledge, report, accepted, charge))

    def _acknowledge(
        self, report: Report, accepted: Acceptance, charge: int, durable: PromptFuture[Acceptance]
    ) -> None:
        self._memory.release(charge)
        self._unanswered.discard(durable)
        response = self._reports.acknowledgement(report, accepted, durable)
        # Where others will be answered, too, one acknowledgement may do for all of them.
        if response is not None and (self._unanswered or not self._send_nowait(response)):
            self._responses.put(response)

    def _send_nowait(self, response: WorkResponse) -> bool:
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
