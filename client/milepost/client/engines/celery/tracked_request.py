"""Requests of tasks in the parent of the pool, which notices when a process dies that can no longer report."""

from __future__ import annotations

from typing import Any, Final

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.worker.request import Request

from milepost.client.engines.celery.installation import installation_of
from milepost.client.engines.celery.process_identity import instance_of, worker_id_of
from milepost.client.engines.celery.task_job import TaskJob

__all__ = ["TRACKED_REQUEST", "TrackedRequest", "cancel_revoked", "fail_unknown"]

TRACKED_REQUEST: Final = f"{__name__}:TrackedRequest"
"""Its name, as tasks have it."""

_LOST: Final = "PROCESS_CRASHED"
_INTERRUPTED: Final = "INTERRUPTED"
_UNKNOWN: Final = "TASK_NOT_REGISTERED"
_TIME_LIMIT: Final = "TIME_LIMIT_EXCEEDED"


class TrackedRequest(Request):
    """Ends the attempt of a process that was killed, at once rather than when its lease expires."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Handle a time limit: after the soft one the task still runs, and reports itself."""
        super().on_timeout(soft, timeout)
        if not soft:
            text = f"The task ran longer than its time limit of {timeout:g} s."
            self._end_attempt(_TIME_LIMIT, text, retryable=_requeued_after_timeout(self.task))

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Handle a failure: one of the task itself is reported where it ran."""
        super().on_failure(exc_info, send_failed_event, return_ok)
        # An ExceptionWithTraceback wraps the error.
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        is_lost = isinstance(error, WorkerLostError | SystemExit | KeyboardInterrupt)
        if is_lost and not getattr(self, "_already_revoked", False):
            continues = _continues_after_loss(self.task, self.request_dict.get("retries", 0))
            if getattr(self, "_already_cancelled", False):
                continues = not self.acknowledged  # the worker stops; the broker delivers the others again
            self._end_attempt(_LOST, f"The process that ran the task is gone: {error}", retryable=continues)

    def cancel(self, pool: Any, signal: Any = None, emit_retry: bool = True) -> None:
        """Handle a cold shutdown, which stops what still runs; no broker delivers an acknowledged message again."""
        super().cancel(pool, signal, emit_retry)
        if self.acknowledged:
            self._end_attempt(
                _INTERRUPTED, "The worker was shut down while it ran the task.", retryable=False
            )

    def _end_attempt(self, code: str, message: str, *, retryable: bool) -> None:
        installation = installation_of(self.task.app)
        if installation is None:
            return
        job = TaskJob.of_message(self.request_dict, self.id)
        process = worker_id_of(int(self.worker_pid or 0))
        instance = instance_of(job.instance, process)
        reports = installation.parent_reports
        reports.fail(job, instance, code, message, retryable=retryable, worker_id=process)


def cancel_revoked(
    sender: Any, request: Any, terminated: bool = False, expired: bool = False, **_: object
) -> None:
    """Cancel the job of a task that Celery has revoked; a receiver of `task_revoked`, in the parent of the pool."""
    installation = installation_of(sender.app)
    if installation is not None and isinstance(sender, Task) and sender.Request == TRACKED_REQUEST:
        how = "has expired" if expired else "was terminated" if terminated else "was revoked"
        job = TaskJob.of_message(request.headers, request.id or "")
        installation.parent_reports.cancel(job, f"Its task {how} in Celery.")


def fail_unknown(sender: Any, message: Any, id: str, name: str, **_: object) -> None:  # noqa: A002
    """Fail the job of a task that this worker does not have; a receiver of `task_unknown`."""
    installation = installation_of(sender.app)
    job = TaskJob.from_headers(message.headers, id)
    if installation is not None and job is not None:
        text = f"The worker has no task {name!r}, and has discarded its message."
        installation.parent_reports.fail(job, job.instance, _UNKNOWN, text, retryable=False)


def _requeued_after_timeout(task: Any) -> bool:
    acknowledged = getattr(task, "acks_on_timeout", None)  # from Celery 5.7
    if acknowledged is None:
        acknowledged = task.acks_on_failure_or_timeout
    return bool(task.acks_late and not acknowledged)


def _continues_after_loss(task: Any, retries: int) -> bool:
    """Whether Celery runs a task again whose process was lost."""
    if getattr(task, "retry_on_worker_lost", False):  # from Celery 5.7
        return task.max_retries is None or retries < task.max_retries
    return bool(task.acks_late and task.reject_on_worker_lost)
