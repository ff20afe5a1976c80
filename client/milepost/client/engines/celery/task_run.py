"""One run of a task, in the process that executes it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from billiard.exceptions import SoftTimeLimitExceeded
from celery.exceptions import Ignore

from milepost.client._attach import AttachedJob, SyncAttached
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.current_job import as_current_job, current_job
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines.celery.task_job import TaskJob
from milepost.client.engines.celery.task_outcome import job_error
from milepost.client.errors import JobEndedError, MilepostError
from milepost.v1 import Job, JobState

if TYPE_CHECKING:
    from milepost.client.engines.celery.installation import Installation
    from milepost.client.engines.celery.milepost_task import MilepostTask

__all__ = ["TaskRun", "job_of_this_task"]

_log = logging.getLogger("milepost.client")

CLAIM_WAIT: Final = 5.0
"""Seconds to wait for the previous attempt to end: a retry may start before its predecessor has reported its end."""


def job_of_this_task() -> AttachedJob:
    """The current job; outside of any one whose reports nobody gets."""
    job = current_job()
    if job is None:
        return _unreported_job(Job())
    return job if isinstance(job, AttachedJob) else AttachedJob(job)


class TaskRun:
    """Claims the job of a task, runs the task, and reports its end. What goes wrong with Milepost goes to the log."""

    def __init__(self, installation: Installation, task: MilepostTask[..., Any]) -> None:
        self._client = installation.client
        self._flush_timeout = installation.flush_timeout
        self._task = task
        self._request = task.request
        self._task_id = task.request.id or ""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task.

        Raises:
            Ignore: The job was cancelled; the state of the task is REVOKED.
            BaseException: What the task raises.
        """
        task_job = TaskJob.from_headers(self._request.headers, self._task_id) or TaskJob.of(
            self._task, self._task_id, args, kwargs, {}
        )
        claimed = self._claim(task_job)
        if claimed is None:
            with as_current_job(_unreported_job(Job(job_id=task_job.request.job_id))):
                return self._task.run(*args, **kwargs)
        attached, job = claimed
        try:
            value = self._task.run(*args, **kwargs)
        except BaseException as error:
            self._leave(attached, job_error(error, cancelled=job.cancelled))
            if isinstance(error, asyncio.CancelledError):
                raise self._revoked("Its job was cancelled.") from None
            raise
        if job.result is None:
            job.result = self._task.job_result(value)
        self._leave(attached, None)
        return value

    def _claim(self, task_job: TaskJob) -> tuple[SyncAttached, AttachedJob] | None:
        """Claim the job; None if the task runs without."""
        enter = self._client.submitted_block if task_job.is_submitted else self._client.block
        attached = enter(
            task_job.request,
            wait=CLAIM_WAIT,
            on_unreachable="go on",
            on_lost="go on",
            flush_timeout=self._flush_timeout,
        )
        try:
            return attached, attached.__enter__()
        except Cancelled:
            raise self._revoked("Its job was cancelled.") from None
        except (MilepostError, RuntimeError, OSError) as error:
            if isinstance(error, JobEndedError) and self._is_cancelled(task_job.request.job_id):
                raise self._revoked("Its job was cancelled.") from None
            _log.warning("task %s runs without being reported: %s", self._task_id, error)
            return None

    def _leave(self, attached: SyncAttached, error: BaseException | None) -> None:
        """Report the end of the task to its job."""
        try:
            attached.__exit__(type(error) if error is not None else None, error, None)
        except (MilepostError, asyncio.CancelledError, SoftTimeLimitExceeded) as lost:
            _log.info("task %s: its job has ended in another way: %r", self._task_id, lost)

    def _is_cancelled(self, job_id: str) -> bool:
        try:
            return self._client.get(job_id).state == JobState.JOB_STATE_CANCELLED
        except MilepostError:
            return False

    def _revoked(self, reason: str) -> Ignore:
        """Give the task the state REVOKED, as Celery does for one that it revokes itself."""
        self._task.backend.mark_as_revoked(
            self._task_id, reason, request=self._request, store_result=not self._request.ignore_result
        )
        return Ignore(reason)


def _unreported_job(message: Job) -> AttachedJob:
    return AttachedJob(JobContext(JobControl(message, Reporter(lambda: None))))
