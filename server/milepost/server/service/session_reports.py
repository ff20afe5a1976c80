"""The reports of one session of a worker: accept them, and answer each once it is durable."""

from __future__ import annotations

from milepost.server.access.authorize import Action
from milepost.server.base.refusal import Refusal
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.dispatch.reports import Acceptance, PendingReport
from milepost.server.dispatch.session_table import rejection
from milepost.server.dispatch.worker_session import Session
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.server.service import validation
from milepost.server.service.session_parts import SessionParts
from milepost.v1 import Report, WorkResponse


class SessionReports:
    """Accepts the reports of one session.

    Rejections are put among the session's responses. Acknowledgements are returned: the stream may send them at once.
    """

    def __init__(self, parts: SessionParts, session: Session) -> None:
        self._reports = parts.reports
        self._deadlines = parts.deadlines
        self._access = parts.access
        self._session = session
        self._responses = session.responses

    async def check(self, report: Report) -> None:
        """Raise what refuses a report before it is decided: INVALID_FIELD, JOB_NOT_FOUND, PERMISSION_DENIED."""
        validation.report(report)
        # A job that the session holds was checked when the session got it.
        if report.job_id not in self._session.jobs:
            await self._access.check(self._session.principal, Action.WORK, report.job_id)

    async def accept(self, report: Report, size: int) -> PendingReport:
        """Accept a checked report of ``size`` bytes, and renew the lease. Raises as ``Reports.accept``."""
        # The end that the worker reports is no news to it, and may be durable before `accept` returns.
        is_end = self._may_end(report)
        if is_end:
            self._session.ending.add(report.job_id)
        try:
            pending = await self._reports.accept(
                report.job_id,
                report.lease_token,
                report.first_report_sequence,
                report.updates,
                size=size,
                caller=self._session.caller,
            )
        except BaseException:
            if is_end:
                self._session.ending.discard(report.job_id)
            raise
        if is_end and not pending.accepted.over:
            self._session.ending.discard(report.job_id)
        self._deadlines.renew([report.job_id])
        self._reject_updates(report, pending.accepted)
        return pending

    def accept_nowait(self, report: Report, size: int) -> PendingReport | None:
        """Accept a report that ``Reports.accept_nowait`` accepts, and renew the lease; else do nothing.

        Nothing in it can be refused: the session holds the job, and the report is the next one.
        """
        if report.job_id not in self._session.jobs:
            return None
        pending = self._reports.accept_nowait(
            report.job_id,
            report.lease_token,
            report.first_report_sequence,
            report.updates,
            size,
            self._session.caller,
        )
        if pending is not None:
            self._deadlines.renew([report.job_id])
        return pending

    def reject(self, report: Report, refusal: Refusal) -> None:
        """Answer a report that is refused as a whole; the session goes on."""
        self._responses.put(rejection(report.job_id, refusal, report.lease_token))
        drop_tracebacks(refusal)  # which have the session, or the future that has the refusal

    def acknowledgement(
        self, report: Report, decided: Acceptance, durable: PromptFuture[Acceptance]
    ) -> WorkResponse | None:
        """The acknowledgement of a report that is durable; None for one that is not, which is answered here.

        After an error of the store that ends the session: the report is sent again on the next one.
        """
        error = durable.exception()
        if isinstance(error, Refusal):
            # Another node has cancelled the job or lost its worker; this node has read that by now.
            self._session.ending.discard(report.job_id)
            self.reject(report, error)
            return None
        if error is not None:
            self._responses.close(error)
            return None
        accepted = durable.result()
        if accepted is not decided:
            self._reject_updates(report, accepted)
        response = WorkResponse()
        # Set in place: protobuf would copy a message that it is given by encoding and decoding it.
        acknowledged = response.acknowledged
        acknowledged.job_id = report.job_id
        acknowledged.report_sequence = accepted.report_sequence
        acknowledged.last_sequence = accepted.last_sequence
        acknowledged.lease_token = report.lease_token
        return response

    def _may_end(self, report: Report) -> bool:
        """Whether the report has the end of an attempt that the session holds, and no earlier one has."""
        return (
            self._session.jobs.get(report.job_id) == report.lease_token
            and report.job_id not in self._session.ending
            and any(update.HasField("job_ended") for update in report.updates)
        )

    def _reject_updates(self, report: Report, accepted: Acceptance) -> None:
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
