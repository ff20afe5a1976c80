"""An attempt at a job on this worker: its lease, its handler and its reports."""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable

from milepost.client._worker.elapsed_text import elapsed_text
from milepost.client._worker.failure_report import failure_of, is_unexpected
from milepost.client._worker.grace_period import ENDED_JOB_GRACE, STOP_GRACE, remaining_grace
from milepost.client._worker.handlers import Handler, Outcome, job_ended, unreportable
from milepost.client._worker.in_process_runner import start_handler
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.send_queue import SendQueue
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

_logger = logging.getLogger("milepost.client")


class _StopReason(enum.Enum):
    """Why the worker asked the handler to stop."""

    CANCELLED = enum.auto()
    LEASE_LOST = enum.auto()
    GIVEN_BACK = enum.auto()


class Attempt:
    """One attempt, from its assignment until the server has acknowledged its end.

    Attributes:
        job_id: The id of the job.
        attached: Whether the server has granted the job to the current session, so that reports may be sent.
        is_running: Whether the handler is running.
        is_over: Whether nothing remains to be sent for this attempt.
        lost_because: Why the lease was lost; empty while it holds.
    """

    def __init__(
        self,
        assignment: Assignment,
        handler: Handler,
        send_queue: SendQueue,
        on_change: Callable[[Attempt], None],
        *,
        loss_level: int = logging.WARNING,
    ) -> None:
        """Start the handler.

        Args:
            assignment: The job, and its lease.
            handler: Runs it.
            send_queue: Takes its reports.
            on_change: Called after each change of `is_running` and `is_over`.
            loss_level: Level at which to log that the lease is lost while the handler runs.
        """
        self.job_id: str = assignment.job.job_id
        self.attached: bool = True
        self.is_running: bool = True
        self.is_over: bool = False
        self.lost_because: str = ""
        self._lease_token = assignment.lease_token
        self._send_queue = send_queue
        self._on_change = on_change
        self._loss_level = loss_level
        self._stop_reason: _StopReason | None = None
        # Fires at the deadline of a handler that is to stop.
        self._stop_timer: asyncio.TimerHandle | None = None
        self._release_pending = False
        self._end_was_refused = False
        self._started = time.monotonic()
        self._reporter = Reporter(self._schedule)
        self._control = JobControl(assignment.job, self._reporter)
        context = JobContext(self._control)
        self._running = start_handler(handler, context, self._reporter)
        self._running.outcome.add_done_callback(lambda outcome: self._handler_ended(outcome.result()))

    # Sending: the attempt is a producer of the send queue.

    def next_request(self, now: float) -> WorkRequest | None:
        """The next report; once all reports of a job to give back are sent, its release."""
        if not self.attached or self.is_over:
            return None
        batch = self._reporter.next_batch(now)
        if batch is not None:
            return WorkRequest(
                report=Report(
                    job_id=self.job_id,
                    lease_token=self._lease_token,
                    first_report_sequence=batch.first,
                    updates=batch.updates,
                )
            )
        if self._release_pending and self._reporter.is_sent:
            self._finish()
            return self._release_request()
        return None

    def due(self, now: float) -> float | None:
        """Seconds until the next tick of the progress of stages; None if no stage is scheduled."""
        return self._reporter.due(now) if self.attached and not self.is_over else None

    def matches(self, lease_token: str) -> bool:
        """Whether a message with this lease token refers to this attempt; one without a token may."""
        return lease_token in ("", self._lease_token)

    def resume_request(self) -> WorkRequest:
        """The request that resumes the attempt on a new session. Reports wait for the answer."""
        return WorkRequest(resume=Resume(job_id=self.job_id, lease_token=self._lease_token))

    def undelivered_report(self) -> Report | None:
        """The unacknowledged updates of an attempt whose handler has ended; None if there are none."""
        batch = self._reporter.unacknowledged() if self._reporter.has_ended and not self.is_over else None
        if batch is None:
            return None
        return Report(
            job_id=self.job_id,
            lease_token=self._lease_token,
            first_report_sequence=batch.first,
            updates=batch.updates,
        )

    def detach(self) -> None:
        """Send nothing until the server has granted the job to a new session."""
        self.attached = False

    # Messages of the server.

    def resumed(self, message: Resumed) -> None:
        """The lease still holds: continue after the last report that the server has (rule 14)."""
        self._rewind(message.acknowledged_report_sequence)
        if self.is_over:
            return
        self.attached = True
        if message.HasField("cancellation"):
            self.cancel(message.cancellation)
        if self._reporter.has_ended and self._reporter.is_empty:
            # The server knows the number of the end, yet the job is open: it refused the end, and the reason got lost.
            self._end_refused("The server did not accept the end of the job.")
        self._schedule()

    def acknowledged(self, report_sequence: int) -> None:
        """Reports up to this one are durable (rule 12)."""
        self._reporter.acknowledge(report_sequence)
        self._finish_if_acknowledged()
        self._schedule()

    def is_own_end(self, message: Rejected) -> bool:
        """Whether a refusal says that the job has ended as this attempt reported.

        The server answers so where the connection was lost before the acknowledgement. Only the attempt itself can
        have the job succeed, and the server refuses an earlier attempt as LEASE_LOST.
        """
        ended = message.reason == ErrorReason.ERROR_REASON_JOB_ENDED
        return ended and message.state == JobState.JOB_STATE_SUCCEEDED and self._reporter.has_ended

    def rejected(self, message: Rejected) -> None:
        """Handle a refusal according to its reason."""
        if self.is_own_end(message):
            self.acknowledged(self._reporter.last)
        elif message.reason in ATTEMPT_OVER:
            if self.attached and message.reason == ErrorReason.ERROR_REASON_LEASE_LOST:
                # It may refer to an earlier attempt of the job. Then the server would believe that this one is running.
                self._send_queue.enqueue(self._release_request())
            grace = STOP_GRACE
            if message.reason == ErrorReason.ERROR_REASON_JOB_ENDED:
                # A cancelled job is ended by the server once its grace period is over.
                grace = 0.0 if self._stop_reason is _StopReason.CANCELLED else ENDED_JOB_GRACE
            self._lose(f"{reason_name(message.reason)}: {message.message}", grace)
        elif message.reason == ErrorReason.ERROR_REASON_REPORT_GAP:
            self._rewind(message.expected_report_sequence - 1)
            self._schedule()
        else:
            _logger.warning(
                "job %s: the server refused report %d: %s",
                self.job_id,
                message.report_sequence,
                message.message,
            )
            if self._reporter.is_end(message.report_sequence):
                self._end_refused(message.message)

    def cancel(self, cancellation: Cancellation) -> None:
        """Acknowledge the cancellation and interrupt the handler (rule 16). A repeated one may shorten the deadline."""
        if not self.is_running:
            return
        if self._stop_reason is not _StopReason.CANCELLED:
            _logger.info("job %s: cancellation requested", self.job_id)
            self._reporter.add(Update(cancel_acknowledged=CancelAcknowledged()))
            self._interrupt(_StopReason.CANCELLED)
        if cancellation.HasField("deadline"):
            self._stop_within(remaining_grace(cancellation))

    # Decisions of the worker.

    def replace(self) -> None:
        """End this attempt: the server has started another one."""
        self._lose("another attempt at it has started")

    def give_back(self) -> None:
        """Stop the handler, then release the job for another worker; without a handler, go on reporting."""
        if self.is_running:
            self._interrupt(_StopReason.GIVEN_BACK)
            self._stop_within(STOP_GRACE)

    def leave(self) -> None:
        """Stop without telling the server: another process goes on with the job, or its lease expires."""
        self._finish()
        self._interrupt(_StopReason.GIVEN_BACK)

    def abandon(self) -> None:
        """Release the job although its handler has not stopped: the worker's process is about to end."""
        if self.is_running and not self.is_over:
            _logger.warning("job %s: the handler does not stop", self.job_id)
            self._release_pending = True
            self._schedule()

    # Private.

    def _release_request(self) -> WorkRequest:
        return WorkRequest(release=Release(job_id=self.job_id, lease_token=self._lease_token))

    def _schedule(self) -> None:
        self._send_queue.schedule(self)

    def _interrupt(self, reason: _StopReason) -> None:
        """Ask the handler to stop. A job that is cancelled while it is given back ends; it is not given back then."""
        if self._stop_reason is None or reason is _StopReason.CANCELLED:
            self._stop_reason = reason
        self._control.cancel_signal.set()
        self._running.interrupt()

    def _stop_within(self, seconds: float) -> None:
        """Set the deadline of a handler that is to stop, unless it has an earlier one."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._stop_timer is None or at < self._stop_timer.when():
            if self._stop_timer is not None:
                self._stop_timer.cancel()
            self._stop_timer = loop.call_at(at, self._stop_timed_out)

    def _stop_timed_out(self) -> None:
        if not self.is_running:
            return
        if self._running.kill():
            _logger.warning("job %s: the handler did not stop in time; killing it", self.job_id)
            return
        _logger.warning("job %s: the handler has not stopped in time, and cannot be killed", self.job_id)
        if self._stop_reason is _StopReason.CANCELLED:
            text = (
                "The handler has not stopped, and does not run in a process that could be killed: "
                "it may go on, but its reports are discarded."
            )
            self._reporter.add(
                Update(log_written=LogWritten(severity=Severity.SEVERITY_WARNING, text=text)), droppable=True
            )

    def _handler_ended(self, outcome: Outcome) -> None:
        self.is_running = False
        if self._stop_timer is not None:
            self._stop_timer.cancel()
        try:
            self._take_outcome(outcome)
        finally:
            outcome.forget()
            self._on_change(self)

    def _take_outcome(self, outcome: Outcome) -> None:
        """Report the outcome, or give the job back; then log it, since handlers of `logging` may raise."""
        after = elapsed_text(time.monotonic() - self._started)
        if self.is_over:
            _logger.info("job %s: the handler of the lost attempt stopped after %s", self.job_id, after)
            self._log_exception(outcome.error)
        elif self._stop_reason is _StopReason.GIVEN_BACK and not outcome.returned:
            self._release_pending = True
            self._schedule()
            _logger.info("job %s is given back after %s", self.job_id, after)
            self._log_exception(outcome.error)
        else:
            ended = self._report_end(outcome)
            _logger.info("job %s %s", self.job_id, _end_text(ended, after))
            self._log_exception(outcome.error)

    def _report_end(self, outcome: Outcome) -> JobEnded:
        """Report the end of the job, whatever happens: without it, heartbeats would renew the lease for good."""
        cancelled = self._stop_reason is _StopReason.CANCELLED
        try:
            ended = job_ended(outcome, self._control.warnings.add, cancelled=cancelled)
            self._reporter.end(Update(job_ended=ended))
        except (SystemExit, KeyboardInterrupt):
            raise  # they end the process, and its leases
        except BaseException as error:  # any other is what a class of the handler's has raised
            ended = unreportable(error, cancelled=cancelled)
            self._reporter.end(Update(job_ended=ended))
            _logger.exception("job %s: the end of its handler cannot be reported", self.job_id)
        return ended

    def _log_exception(self, error: BaseException | None) -> None:
        """Log the traceback of an exception that developers have to look at."""
        if error is not None and is_unexpected(error):
            _logger.error("job %s: the handler raised an exception", self.job_id, exc_info=error)

    def _rewind(self, acknowledged: int) -> None:
        if not self._reporter.rewind(acknowledged):
            # Otherwise the server would believe that the handler is running.
            self._send_queue.enqueue(self._release_request())
            self._lose(f"the server has reports up to {acknowledged}, which cannot be continued")

    def _lose(self, why: str, grace: float = STOP_GRACE) -> None:
        """End an attempt whose lease was lost: stop the handler within so many seconds, and discard its reports."""
        if self.is_over:
            return
        self.lost_because = why
        if not self.is_running:
            _logger.warning("job %s: lost before all of its reports were delivered: %s", self.job_id, why)
        else:
            _logger.log(self._loss_level, "job %s: lease lost: %s", self.job_id, why)
            self._interrupt(_StopReason.LEASE_LOST)
            self._stop_within(grace)
        self._finish()

    def _end_refused(self, why: str) -> None:
        """Report a failure in place of a refused end, then release: otherwise the job would never end."""
        if self._end_was_refused:
            self._release_pending = True
            self._schedule()
            return
        self._end_was_refused = True
        _logger.warning("job %s: the server refused the end; failing the job: %s", self.job_id, why)
        failure = failure_of(JobFailure("RESULT_REFUSED", why))
        self._reporter.replace_end(
            Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))
        )

    def _finish_if_acknowledged(self) -> None:
        if self._reporter.has_ended and self._reporter.is_empty:
            self._finish()

    def _finish(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._reporter.close()
            self._on_change(self)


def _end_text(ended: JobEnded, after: str) -> str:
    """The end of a job in one line."""
    match ended.state:
        case JobState.JOB_STATE_SUCCEEDED:
            return f"succeeded after {after}"
        case JobState.JOB_STATE_CANCELLED:
            return f"was cancelled after {after}"
    message = " ".join(ended.failure.message.split())
    return f"failed after {after}: {message} ({ended.failure.code})"
