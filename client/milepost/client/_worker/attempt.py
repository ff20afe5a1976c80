"""One attempt at a job, at this worker: its lease, its handler, and what it reports."""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable

from milepost.client._worker.elapsed_text import lasted
from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.grace_period import LAST_GRACE, NO_GRACE, grace_of
from milepost.client._worker.handlers import Handler, Outcome, job_ended
from milepost.client._worker.in_process_runner import start
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.send_queue import Outbox
from milepost.client.errors import JobFailure
from milepost.contract.reasons import ATTEMPT_OVER, reason_name
from milepost.v1 import (
    Assignment,
    CancelAcknowledged,
    Cancellation,
    ErrorReason,
    JobEnded,
    JobState,
    LogWritten,
    Rejected,
    Release,
    Report,
    Resume,
    Resumed,
    Severity,
    Update,
    WorkRequest,
)

__all__ = ["Attempt"]

_log = logging.getLogger("milepost.client")


class _Stop(enum.Enum):
    """Why the handler was told to stop."""

    CANCELLED = enum.auto()
    LEASE_LOST = enum.auto()
    GIVEN_BACK = enum.auto()


class Attempt:
    """From the assignment until the server knows of the end.

    Attributes:
        job_id: The job.
        attached: Whether the server knows that this session has the job, so that reports may be sent.
        is_running: Whether the handler is still at work.
        is_over: Whether there is nothing more to say of the job.
        lost_because: Why it was taken away before its end; empty while it was not.
    """

    def __init__(
        self, assignment: Assignment, handler: Handler, outbox: Outbox, on_change: Callable[[Attempt], None]
    ) -> None:
        """Starts the handler. `on_change` is called when `is_running` or `is_over` has changed."""
        self.job_id = assignment.job.job_id
        self.attached = True
        self.is_running = True
        self.is_over = False
        self.lost_because = ""
        self._token = assignment.lease_token
        self._outbox = outbox
        self._on_change = on_change
        self._stop: _Stop | None = None
        # When a handler that was told to stop is out of time.
        self._limit: asyncio.TimerHandle | None = None
        self._to_release = False
        self._end_was_refused = False
        self._started = time.monotonic()
        self._reporter = Reporter(self._call)
        self._context = JobContext(assignment.job, self._reporter)
        self._running = start(handler, self._context, self._reporter)
        self._running.outcome.add_done_callback(lambda outcome: self._returned(outcome.result()))

    # What there is to send.

    def next_request(self, now: float) -> WorkRequest | None:
        """The next report; at the end of a job that is given back, its release."""
        if not self.attached or self.is_over:
            return None
        batch = self._reporter.take(now)
        if batch is not None:
            return WorkRequest(
                report=Report(
                    job_id=self.job_id,
                    lease_token=self._token,
                    first_report_sequence=batch.first,
                    updates=batch.updates,
                )
            )
        if self._to_release and self._reporter.is_sent:
            self._finish()
            return self._release()
        return None

    def due(self, now: float) -> float | None:
        """In how many seconds to ask for the progress of its stages."""
        return self._reporter.due(now) if self.attached and not self.is_over else None

    def is_of(self, lease_token: str) -> bool:
        """Whether what bears this token is about this attempt, and not an earlier one; without a token it may be."""
        return lease_token in ("", self._token)

    def resume(self) -> WorkRequest:
        """Asks, on a new session, to go on with the job. Reports wait for the answer."""
        return WorkRequest(resume=Resume(job_id=self.job_id, lease_token=self._token))

    def rest(self) -> Report | None:
        """What the server has not acknowledged of a job whose handler has ended; None where that is nothing."""
        rest = self._reporter.rest() if self._reporter.has_ended and not self.is_over else None
        if rest is None:
            return None
        return Report(
            job_id=self.job_id,
            lease_token=self._token,
            first_report_sequence=rest.first,
            updates=rest.updates,
        )

    # What the server says.

    def resumed(self, message: Resumed) -> None:
        """The lease still holds: goes on after what the server has (rule 14)."""
        self._rewind(message.acknowledged_report_sequence)
        if self.is_over:
            return
        self.attached = True
        if message.HasField("cancellation"):
            self.cancel(message.cancellation)
        if self._reporter.has_ended and self._reporter.is_empty:
            # The number of the end is used up, and the job goes on: it was refused, and why was lost on its way.
            self._end_refused("The server did not take the end of the job.")
        self._call()

    def acknowledged(self, report_sequence: int) -> None:
        """Reports are durable (rule 12)."""
        self._reporter.acknowledge(report_sequence)
        self._settle()
        self._call()

    def rejected(self, message: Rejected) -> None:
        """Something was refused; what follows depends on the reason."""
        if message.reason in ATTEMPT_OVER:
            if self.attached and message.reason == ErrorReason.ERROR_REASON_LEASE_LOST:
                # It may have been meant for an earlier attempt of the same job. Then the server believes that this one
                # is at work, and nobody is.
                self._outbox.say(self._release())
            is_ended = message.reason == ErrorReason.ERROR_REASON_JOB_ENDED
            self._lose(f"{reason_name(message.reason)}: {message.message}", NO_GRACE if is_ended else None)
        elif message.reason == ErrorReason.ERROR_REASON_REPORT_GAP:
            self._rewind(message.expected_report_sequence - 1)
            self._call()
        else:
            _log.warning(
                "job %s: the server refused report %d: %s",
                self.job_id,
                message.report_sequence,
                message.message,
            )
            if self._reporter.has_ended and message.report_sequence == self._reporter.last:
                self._end_refused(message.message)

    def cancel(self, cancellation: Cancellation) -> None:
        """The job is to stop: says that it has heard, and tells the handler (rule 16). May shorten the time it has."""
        if not self.is_running:
            return
        if self._stop is None:
            _log.info("job %s is to be cancelled", self.job_id)
            self._reporter.add(Update(cancel_acknowledged=CancelAcknowledged()))
            self._interrupt(_Stop.CANCELLED)
        if cancellation.HasField("deadline"):
            self._stop_within(grace_of(cancellation))

    # What the worker decides.

    def replace(self) -> None:
        """The server has started another attempt at the job: this one is over."""
        self._lose("another attempt at it has started")

    def give_back(self) -> None:
        """Stops the handler, and then releases the job for another worker. One that has returned is left to report."""
        if self.is_running:
            self._interrupt(_Stop.GIVEN_BACK)
            self._stop_within(LAST_GRACE)

    def abandon(self) -> None:
        """Releases the job now, although the handler does not stop: its process is about to end."""
        if self.is_running and not self.is_over:
            _log.warning("job %s: the handler does not stop", self.job_id)
            self._to_release = True
            self._call()

    # Within.

    def _release(self) -> WorkRequest:
        return WorkRequest(release=Release(job_id=self.job_id, lease_token=self._token))

    def _call(self) -> None:
        self._outbox.call_on(self)

    def _interrupt(self, why: _Stop) -> None:
        if self._stop is None:
            self._stop = why
        self._context.interrupt()
        self._running.interrupt()

    def _stop_within(self, seconds: float) -> None:
        """The handler, which was told to stop, has so long to do it, or less where that was said before."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._limit is None or at < self._limit.when():
            if self._limit is not None:
                self._limit.cancel()
            self._limit = loop.call_at(at, self._out_of_time)

    def _out_of_time(self) -> None:
        if not self.is_running:
            return
        if self._running.kill():
            _log.warning("job %s: the handler did not stop in time, and is killed", self.job_id)
            return
        _log.warning("job %s: the handler has not stopped in time, and cannot be killed", self.job_id)
        if self._stop is _Stop.CANCELLED:
            text = (
                "The handler has not stopped, and does not run in a process that could be killed: "
                "it may go on, but is not heard any more."
            )
            self._reporter.add(
                Update(log_written=LogWritten(severity=Severity.SEVERITY_WARNING, text=text)), droppable=True
            )

    def _returned(self, outcome: Outcome) -> None:
        self.is_running = False
        if self._limit is not None:
            self._limit.cancel()
        after = lasted(time.monotonic() - self._started)
        if self.is_over:
            _log.info("job %s: its handler stopped %s after it started", self.job_id, after)
            self._log_exception(outcome.error)
        elif self._stop is _Stop.GIVEN_BACK and not outcome.returned:
            _log.info("job %s is given back after %s", self.job_id, after)
            self._to_release = True
            self._call()
        else:
            cancelled = self._stop is _Stop.CANCELLED
            ended = job_ended(outcome, self._context.remarks.add, cancelled=cancelled)
            _log.info("job %s %s", self.job_id, _how(ended, after))
            self._log_exception(outcome.error)
            self._reporter.end(Update(job_ended=ended))
        self._on_change(self)

    def _log_exception(self, error: BaseException | None) -> None:
        """Says where an exception was raised that is neither a failure of the handler's making nor an interruption."""
        if error is not None and not isinstance(error, JobFailure | asyncio.CancelledError):
            _log.error("job %s: its handler raised an exception", self.job_id, exc_info=error)

    def _rewind(self, acknowledged: int) -> None:
        if not self._reporter.rewind(acknowledged):
            self._outbox.say(self._release())  # else the server would believe that it is being worked on
            self._lose(f"the server has reports up to {acknowledged}, which cannot be continued")

    def _lose(self, why: str, grace: float | None = None) -> None:
        """Another has the job, or nobody: the handler stops, and is not heard any more."""
        if self.is_over:
            return
        self.lost_because = why
        if not self.is_running:
            _log.warning("job %s was lost before all of its reports were taken: %s", self.job_id, why)
        else:
            _log.warning("job %s is not this worker's any more: %s", self.job_id, why)
            if self._stop is not None:
                grace = 0.0  # it was told to stop before, and has had its time
            self._interrupt(_Stop.LEASE_LOST)
            self._stop_within(LAST_GRACE if grace is None else grace)
        self._reporter.close()
        self._finish()

    def _end_refused(self, why: str) -> None:
        """The end has to be told somehow, or the job would never end."""
        if self._end_was_refused:
            self._to_release = True
            self._call()
            return
        self._end_was_refused = True
        _log.warning("job %s: the server refused its end, so that it fails: %s", self.job_id, why)
        failure = failure_of(JobFailure("RESULT_REFUSED", why))
        self._reporter.amend(Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure)))

    def _settle(self) -> None:
        if self._reporter.has_ended and self._reporter.is_empty:
            self._finish()

    def _finish(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._on_change(self)


def _how(ended: JobEnded, after: str) -> str:
    """In one line, how a job ended."""
    match ended.state:
        case JobState.JOB_STATE_SUCCEEDED:
            return f"succeeded after {after}"
        case JobState.JOB_STATE_CANCELLED:
            return f"was cancelled after {after}"
    message = " ".join(ended.failure.message.split())
    return f"failed after {after}: {message} ({ended.failure.code})"
