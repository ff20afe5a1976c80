"""Redelivery of spooled reports: the end of a job that an earlier worker could not deliver."""

from __future__ import annotations

import logging
from collections.abc import Callable

from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.reporter import Batch, Reporter
from milepost.client._worker.send_queue import SendQueue
from milepost.client.errors import JobFailure
from milepost.contract.reasons import ATTEMPT_OVER, reason_name
from milepost.v1 import ErrorReason, JobEnded, JobState, Rejected, Report, Update, WorkRequest

__all__ = ["Redelivery"]

_logger = logging.getLogger("milepost.client")


class Redelivery:
    """Sends the undelivered report of an attempt on the worker's session, exactly once: under its original numbers.

    It does not resume the attempt first: a report that the server has already is acknowledged even after the end of its
    job (rule 11), while a resumption would be refused.

    Attributes:
        job_id: The id of the job.
        lease_token: The lease token of the attempt.
        attached: Whether a session is open.
    """

    def __init__(self, report: Report, send_queue: SendQueue, on_done: Callable[[Redelivery], None]) -> None:
        """`on_done` is called once the report was delivered, or cannot be delivered any more."""
        self.job_id = report.job_id
        self.lease_token = report.lease_token
        self.attached = False
        self._send_queue = send_queue
        self._on_done = on_done
        self._end_was_refused = False
        self._reporter = Reporter.restored(
            self._schedule, Batch(report.first_report_sequence, list(report.updates))
        )

    def attach(self) -> None:
        """Resend everything unacknowledged on a new session."""
        self._reporter.rewind(self._reporter.acknowledged)
        self.attached = True
        self._schedule()

    def detach(self) -> None:
        """Send nothing until ``attach``: the session is closed."""
        self.attached = False

    def next_request(self, now: float) -> WorkRequest | None:
        """The next report."""
        batch = self._reporter.next_batch(now) if self.attached else None
        if batch is None:
            return None
        report = Report(
            job_id=self.job_id,
            lease_token=self.lease_token,
            first_report_sequence=batch.first,
            updates=batch.updates,
        )
        return WorkRequest(report=report)

    def due(self, now: float) -> float | None:
        """None: a redelivery has no progress to poll."""
        return None

    def acknowledged(self, report_sequence: int) -> None:
        """Reports up to this one are durable (rule 12)."""
        self._reporter.acknowledge(report_sequence)
        if self._reporter.is_empty:
            _logger.info("job %s: spooled report delivered", self.job_id)
            self._on_done(self)
        else:
            self._schedule()

    def rejected(self, message: Rejected) -> None:
        """Handle a refusal according to its reason."""
        if message.reason in ATTEMPT_OVER:
            self._discard(f"{reason_name(message.reason)}: {message.message}")
        elif message.reason == ErrorReason.ERROR_REASON_REPORT_GAP:
            expected = message.expected_report_sequence
            if self._reporter.rewind(expected - 1):
                self._schedule()
            else:
                self._discard(f"the server expects report {expected}, which the spool does not have")
        else:
            number = message.report_sequence
            _logger.warning("job %s: the server refused report %d: %s", self.job_id, number, message.message)
            if self._reporter.is_end(number):
                self._end_refused(message.message)

    def _end_refused(self, why: str) -> None:
        if self._end_was_refused:
            self._discard(why)
            return
        self._end_was_refused = True
        failure = failure_of(JobFailure("RESULT_REFUSED", why))
        self._reporter.replace_end(
            Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))
        )

    def _discard(self, why: str) -> None:
        rest = self._reporter.unacknowledged()
        updates = rest.updates if rest is not None else []
        states = [update.job_ended.state for update in updates if update.HasField("job_ended")]
        _logger.warning(
            "job %s: discarding a spooled report that cannot be delivered any more, %d updates with the end %s: %s",
            self.job_id,
            len(updates),
            JobState.Name(states[-1]).removeprefix("JOB_STATE_") if states else "nothing",
            why,
        )
        self._reporter.close()
        self._on_done(self)

    def _schedule(self) -> None:
        self._send_queue.schedule(self)
