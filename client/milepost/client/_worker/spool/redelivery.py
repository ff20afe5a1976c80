"""What an earlier worker has left to tell of an attempt: the end of a job, which the server was not there to hear."""

from __future__ import annotations

import logging
from collections.abc import Callable

from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.reporter import Batch, Reporter
from milepost.client._worker.send_queue import Outbox
from milepost.client.errors import JobFailure
from milepost.contract.reasons import ATTEMPT_OVER, reason_name
from milepost.v1 import ErrorReason, JobEnded, JobState, Rejected, Report, Update, WorkRequest

__all__ = ["Redelivery"]

_log = logging.getLogger("milepost.client")


class Redelivery:
    """Told on the worker's session like any other report, and just as exactly once: under the numbers that it had.

    It is not resumed first. A report that was taken already is acknowledged even after the end of its job (rule 11),
    where a resumption would be refused.

    Attributes:
        job_id: The job.
        lease_token: Of the attempt.
        attached: Whether there is a session to tell it on.
    """

    def __init__(self, rest: Report, outbox: Outbox, on_over: Callable[[Redelivery], None]) -> None:
        """`on_over` is called when it is told, or cannot be told any more."""
        self.job_id = rest.job_id
        self.lease_token = rest.lease_token
        self.attached = False
        self._outbox = outbox
        self._on_over = on_over
        self._end_was_refused = False
        self._reporter = Reporter.restored(self._call, Batch(rest.first_report_sequence, list(rest.updates)))

    def attach(self) -> None:
        """There is a new session: all that is not acknowledged is told on it."""
        self._reporter.rewind(self._reporter.acknowledged)
        self.attached = True
        self._call()

    def next_request(self, now: float) -> WorkRequest | None:
        """The next report."""
        batch = self._reporter.take(now) if self.attached else None
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
        """It has nothing that moves."""
        return None

    def acknowledged(self, report_sequence: int) -> None:
        """Reports are durable (rule 12)."""
        self._reporter.acknowledge(report_sequence)
        if self._reporter.is_empty:
            _log.info("job %s: what was kept of it is delivered", self.job_id)
            self._on_over(self)
        else:
            self._call()

    def rejected(self, message: Rejected) -> None:
        """Something was refused; what follows depends on the reason."""
        if message.reason in ATTEMPT_OVER:
            self._lost(f"{reason_name(message.reason)}: {message.message}")
        elif message.reason == ErrorReason.ERROR_REASON_REPORT_GAP:
            expected = message.expected_report_sequence
            if self._reporter.rewind(expected - 1):
                self._call()
            else:
                self._lost(f"the server goes on with report {expected}, which is not here")
        else:
            number = message.report_sequence
            _log.warning("job %s: the server refused report %d: %s", self.job_id, number, message.message)
            if number == self._reporter.last:
                self._end_refused(message.message)

    def _end_refused(self, why: str) -> None:
        if self._end_was_refused:
            self._lost(why)
            return
        self._end_was_refused = True
        failure = failure_of(JobFailure("RESULT_REFUSED", why))
        self._reporter.amend(Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure)))

    def _lost(self, why: str) -> None:
        rest = self._reporter.rest()
        updates = rest.updates if rest is not None else []
        states = [update.job_ended.state for update in updates if update.HasField("job_ended")]
        _log.warning(
            "job %s: what was kept of it cannot be told any more, %d updates with its end as %s, and is removed: %s",
            self.job_id,
            len(updates),
            JobState.Name(states[-1]).removeprefix("JOB_STATE_") if states else "nothing",
            why,
        )
        self._reporter.close()
        self._on_over(self)

    def _call(self) -> None:
        self._outbox.call_on(self)
