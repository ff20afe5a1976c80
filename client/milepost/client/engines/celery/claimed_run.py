"""One run of a task, in the process that executes it."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any, Final

from billiard.common import TERM_SIGNAME
from billiard.pool import SIG_SOFT_TIMEOUT
from celery import states
from celery.exceptions import Ignore, Reject

from milepost.client._attach import AttachedJob, SyncAttached
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.current_job import as_current_job, current_job
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines.celery.canvas_stamp import CanvasStamp, canvas_in_stamps
from milepost.client.engines.celery.deferred_signals import DeferredSignals
from milepost.client.engines.celery.installation import Installation
from milepost.client.engines.celery.option_faults import describe_fault
from milepost.client.engines.celery.process_identity import instance_of, is_dead, own_worker_id
from milepost.client.engines.celery.second_delivery import is_redelivered, publish_later
from milepost.client.engines.celery.task_client import CLAIM_WAIT
from milepost.client.engines.celery.task_job import TaskJob
from milepost.client.engines.celery.task_outcome import GivenBack, job_error
from milepost.client.engines.celery.task_with_job import TaskOptions, TaskWithJob
from milepost.client.errors import JobEndedError, JobFailure, LeaseLost, MilepostError
from milepost.v1 import Job, JobState

__all__ = ["ClaimedRun", "job_of_this_task"]

_logger = logging.getLogger("milepost.client")

_CANCELLED: Final = "Its job was cancelled."


def job_of_this_task() -> AttachedJob:
    """The current job; outside of any job, one whose reports are discarded."""
    job = current_job()
    if job is None:
        return _unreported_job(Job())
    return job if isinstance(job, AttachedJob) else AttachedJob(job)


class ClaimedRun:
    """Claims the job of a task, runs the task, and reports its end. What goes wrong with Milepost goes to the log.

    Signals raise in the code of the task, of Celery and of its backends only: anywhere else they would leave a claimed
    job behind. They wait no longer than the bounds of the calls to the server.
    """

    def __init__(self, installation: Installation, task: TaskWithJob[..., Any]) -> None:
        self._installation = installation
        self._client = installation.client
        self._task = task
        self._request = task.request
        self._task_id = task.request.id or ""
        self._signals = DeferredSignals()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task.

        Raises:
            Ignore: Its job was cancelled, and the state of the task is REVOKED; or it runs elsewhere, or has succeeded
                there, and this is the second delivery of its message.
            BaseException: What the task raises.
        """
        with self._signals:
            task_job = self._job_of_message(args, kwargs)
            claimed = self._claim(task_job)
            if claimed is None:
                with as_current_job(_unreported_job(Job(job_id=task_job.job_id))):
                    return self._signals.interruptible(self._task.run, *args, **kwargs)
            attached, job = claimed
            try:
                if canvas := self._canvas:
                    self._client.begin_canvas(CanvasStamp.from_text(canvas))
                value = self._signals.interruptible(self._task.run, *args, **kwargs)
                if job.result is None:
                    job.result = self._result(value)
            except BaseException as error:
                self._leave(attached, job, job_error(error, cancelled=job.cancelled))
                if isinstance(error, asyncio.CancelledError):
                    raise self._revoked() from None
                raise
            self._leave(attached, job, None)
            return value

    # Private.

    def _job_of_message(self, args: Any, kwargs: Any) -> TaskJob:
        job = TaskJob.from_headers(self._request.headers, self._task_id)
        if job is not None:
            return job
        try:
            canvas = canvas_in_stamps(self._request.stamps)
            return self._signals.interruptible(
                TaskJob.of,
                self._task,
                self._task_id,
                args,
                kwargs,
                TaskOptions(),
                instance=self._task_id,
                canvas=canvas,
            )
        except Exception as error:  # noqa: BLE001 - options and `job_input` of the application must not fail the task
            fault = describe_fault(error, job_options=self._task.job_options)
            _logger.warning("task %s runs without a job: %s", self._task_id, fault)
            return TaskJob.without_job(self._task_id)

    def _result(self, value: object) -> Any:
        try:
            return self._signals.interruptible(self._task.job_result, value)
        except Exception as error:  # noqa: BLE001 - as above
            _logger.warning("task %s: job_result failed: %r", self._task_id, error)
            return None

    def _claim(self, task_job: TaskJob) -> tuple[SyncAttached, AttachedJob] | None:
        """Claim the job; None if the task runs without.

        A message that comes again finds the lease of its first delivery. It takes the job over if the process of that
        is dead, and otherwise waits its turn.
        """
        if not self._installation.may_connect or (task_job.is_submitted and not task_job.request.kind):
            return None
        worker_id = own_worker_id()
        try:
            holder = self._dead_holder(task_job) if is_redelivered(self._request) else None
            try:
                return self._enter(task_job, worker_id, holder or worker_id)
            except LeaseLost as held:
                holder = self._dead_holder(task_job)
                if holder is None:
                    raise self._stepped_aside(held) from None
                return self._enter(task_job, worker_id, holder)
        except Cancelled:
            raise self._revoked() from None
        except JobEndedError as ended:
            self._check_end(task_job, ended)
        except (MilepostError, RuntimeError, OSError) as error:
            _logger.warning("task %s runs without being reported: %s", self._task_id, error)
        return None

    def _enter(self, task_job: TaskJob, worker_id: str, holder: str) -> tuple[SyncAttached, AttachedJob]:
        enter = self._client.submitted_block if task_job.is_submitted else self._client.block
        attached = enter(
            task_job.request,
            self._terminate if self._installation.is_pool_process else None,
            wait=CLAIM_WAIT,
            instance=instance_of(task_job.instance, holder),
            on_unreachable="go on",
            on_lost="go on",
            worker_id=worker_id,
            flush_timeout=self._installation.flush_timeout,
        )
        return attached, attached.__enter__()

    def _dead_holder(self, task_job: TaskJob) -> str | None:
        """The worker_id of the process that has the job, if that is dead; None if it may live, or if nobody has it."""
        job = self._client.get(task_job.job_id)
        return job.worker_id if job.state == JobState.JOB_STATE_RUNNING and is_dead(job.worker_id) else None

    def _stepped_aside(self, held: LeaseLost) -> Ignore | Reject:
        """Publish the message again, for later, before this one is acknowledged: so it is never lost."""
        delay = self._installation.redelivery_delay
        try:
            self._signals.interruptible(publish_later, self._task, self._request, delay)
        except self._task.OperationalError as error:
            return Reject(error, requeue=True)
        _logger.info("task %s is tried again in %.0f s: %s", self._task_id, delay, held)
        return Ignore(f"Another process runs this task: {held}")

    def _check_end(self, task_job: TaskJob, ended: JobEndedError) -> None:
        """Run a task whose job has ended, unless that was cancelled, or this is the message of a finished run.

        Raises:
            Ignore: The task must not run.
        """
        try:
            state = self._client.get(task_job.job_id).state
        except MilepostError:
            state = JobState.JOB_STATE_UNSPECIFIED
        if state == JobState.JOB_STATE_CANCELLED:
            raise self._revoked() from None
        # Celery stores the result last: without it the first run was cut off, and its callbacks may not be out.
        if (
            state == JobState.JOB_STATE_SUCCEEDED
            and is_redelivered(self._request)
            and self._signals.interruptible(self._has_succeeded)
        ):
            raise Ignore("The task has succeeded before this second delivery of its message.")
        _logger.warning("task %s runs without being reported: %s", self._task_id, ended)
        self._end_canvas()

    def _has_succeeded(self) -> bool:
        return bool(self._task.AsyncResult(self._task_id).state == states.SUCCESS)

    def _leave(self, attached: SyncAttached, job: AttachedJob, error: BaseException | None) -> None:
        """Report the end of the task to its job.

        With early acknowledgement a task does not wait until the server has its end. With `acks_late` it does: if the
        process were killed after the message is acknowledged and before the server has the end, the broker would not
        deliver the message again, and the job would wait for that. With a spool, the task waits until its end is on
        disk, so that nothing is lost even if its process is killed right afterwards.

        A soft time limit that is over meanwhile changes nothing: the task has ended, and the time is Milepost's.
        """
        gives_back = isinstance(error, GivenBack)
        is_final = error is None or (isinstance(error, JobFailure) and not error.retryable)
        canvas = "" if gives_back else self._canvas
        timeout = self._installation.flush_timeout
        leaving = attached.leave(error, gives_back=gives_back)
        record = attached.record_end if attached.has_spool else None
        self._client.end(
            leaving,
            job,
            canvas,
            waits=self._task.acks_late,
            is_final=is_final,
            timeout=timeout,
            record=record,
        )
        if self._signals.discard(SIG_SOFT_TIMEOUT):
            _logger.info("task %s had ended when its soft time limit was over", self._task_id)

    @property
    def _canvas(self) -> str:
        job = TaskJob.from_headers(self._request.headers, self._task_id)
        return job.canvas if job is not None else canvas_in_stamps(self._request.stamps)

    def _end_canvas(self) -> None:
        """End the parent of the task's canvas, if this task was the last."""
        if canvas := self._canvas:
            self._client.end_canvas(CanvasStamp.from_text(canvas))

    def _terminate(self) -> None:
        """Have Celery end this process by a signal that raises SystemExit in the task, so that ``finally`` runs.

        That is SIGTERM, or the signal that REMAP_SIGTERM names: the process ignores SIGTERM then.
        """
        revoke = self._task.app.control.revoke
        options = {"terminate": True, "signal": TERM_SIGNAME, "destination": [self._request.hostname]}
        threading.Thread(
            target=revoke, args=(self._task_id,), kwargs=options, name="milepost revoke", daemon=True
        ).start()

    def _revoked(self) -> Ignore:
        """Give the task the state REVOKED, as Celery does for one that it revokes itself."""
        self._signals.interruptible(
            self._task.backend.mark_as_revoked,
            self._task_id,
            _CANCELLED,
            request=self._request,
            store_result=not self._request.ignore_result,
        )
        self._end_canvas()
        return Ignore(_CANCELLED)


def _unreported_job(message: Job) -> AttachedJob:
    return AttachedJob(JobContext(JobControl(message, Reporter(lambda: None))))
