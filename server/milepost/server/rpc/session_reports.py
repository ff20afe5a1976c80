"""The reports of one session of a worker: take them, and acknowledge each once it is durable."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from milepost.server import failpoints
from milepost.server.access.authorize import Action
from milepost.server.base.refusal import Refusal
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CALL_COST
from milepost.server.dispatch.reports import Acceptance
from milepost.server.dispatch.session_table import rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.rpc.session_parts import SessionParts
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.server.service import validation
from milepost.v1 import Report, WorkResponse


class SessionReports:
    """Takes the reports of one session.

    Those that are not durable yet are charged to ``requests``, and are among ``unanswered``, which the session's
    stream waits for.
    """

    def __init__(
        self,
        parts: SessionParts,
        session: Session,
        requests: ByteBudget,
        writer: ResponseWriter,
        unanswered: set[asyncio.Future[Any]],
    ) -> None:
        self._reports = parts.reports
        self._deadlines = parts.deadlines
        self._access = parts.access
        self._session = session
        self._responses = session.responses
        self._requests = requests
        self._writer = writer
        self._unanswered = unanswered

    async def take(self, report: Report, size: int) -> None:
        """Take a report of ``size`` bytes, once there is room. Raises what refuses it; else the stream answers it."""
        validation.report(report)
        # A job that the session holds was checked when the session got it.
        if report.job_id not in self._session.jobs:
            await self._access.check(self._session.principal, Action.WORK, report.job_id)
        charge = size + CALL_COST
        if not self._requests.try_acquire(charge):
            # Meanwhile the worker is not read; its lease does not run.
            await self._requests.acquire(charge)
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
            self._requests.release(charge)
            if is_end:
                self._session.ending.discard(report.job_id)
            raise
        if is_end and not accepted.over:
            self._session.ending.discard(report.job_id)
        self._acknowledge_when_durable(report, accepted, durable, charge)

    def take_nowait(self, report: Report, size: int) -> bool:
        """Take a report that ``Reports.accept_nowait`` accepts, if there is room; else do nothing.

        Nothing in it can be refused: the session holds the job, and the report is the next one.
        """
        if report.job_id not in self._session.jobs:
            return False
        charge = size + CALL_COST
        if not self._requests.try_acquire(charge):
            return False
        pending = None
        try:
            pending = self._reports.accept_nowait(
                report.job_id,
                report.lease_token,
                report.first_report_sequence,
                report.updates,
                size,
                self._session.caller,
            )
        finally:
            if pending is None:
                self._requests.release(charge)
        if pending is None:
            return False
        self._acknowledge_when_durable(report, *pending, charge)
        return True

    def _may_end(self, report: Report) -> bool:
        """Whether the report has the end of an attempt that the session holds, and no earlier one has."""
        return (
            self._session.jobs.get(report.job_id) == report.lease_token
            and report.job_id not in self._session.ending
            and any(update.HasField("job_ended") for update in report.updates)
        )

    def _acknowledge_when_durable(
        self, report: Report, accepted: Acceptance, durable: PromptFuture[Acceptance], charge: int
    ) -> None:
        """Renew the lease, and acknowledge the report once it is durable."""
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
        self._requests.release(charge)
        self._unanswered.discard(durable)
        error = durable.exception()
        if isinstance(error, Refusal):
            # Another node has cancelled the job or lost its worker; this node has read that by now.
            self._session.ending.discard(report.job_id)
            self._responses.put(rejection(report.job_id, error, report.lease_token))
            drop_tracebacks(error)  # which have the future that has it
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
        if self._unanswered or not self._send_nowait(response):
            self._responses.put(response)

    def _send_nowait(self, response: WorkResponse) -> bool:
        """Send a response that nothing precedes, without waking the task of the call; False where that has to do it."""
        if not self._responses.is_awaited or not self._writer.is_free:
            return False
        failpoints.reach_message(response, "before")
        is_sent = self._writer.offer(response)
        failpoints.reach_message(response, "after")
        return is_sent
