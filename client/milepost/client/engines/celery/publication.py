"""Publication of a task: its job is submitted before its message leaves."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from celery import Task

from milepost.client._worker.current_job import current_job
from milepost.client.engines.celery.canvas_stamp import canvas_in_stamps
from milepost.client.engines.celery.installation import Installation
from milepost.client.engines.celery.option_faults import describe_fault
from milepost.client.engines.celery.task_client import PARENT_CANCELLED, TaskClient
from milepost.client.engines.celery.task_job import HEADER, TaskJob
from milepost.client.engines.celery.task_with_job import TaskOptions, TaskWithJob
from milepost.client.errors import MilepostError
from milepost.contract.job_states import has_ended
from milepost.v1 import Job

__all__ = ["publish"]

_logger = logging.getLogger("milepost.client")


@contextlib.contextmanager
def publish(
    installation: Installation,
    task: TaskWithJob[..., Any],
    task_id: str,
    args: Any,
    kwargs: Any,
    job_options: TaskOptions,
    headers: Mapping[str, Any],
    canvas: str,
) -> Iterator[dict[str, Any]]:
    """The headers of the message that the block publishes.

    A retry, and a task that replaces the running one, keep their id and their job. Any other task gets a job, which
    the message carries where gRPC cannot be used: whoever starts the task submits it then. If the message does not get
    out, the job is cancelled, unless it has started by then.
    """
    job = _continued(headers, task_id, task.app.current_worker_task)
    if job is not None:
        yield {**headers, HEADER: job.to_header()}
        return
    running = task.app.current_worker_task
    canvas = canvas or _canvas_of(running)
    publishing = current_job() if running is not None else None
    client = installation.client
    try:
        if publishing is not None and publishing.id and not canvas:
            job_options = {"parent_job_id": publishing.id, **job_options}
        job = TaskJob.of(task, task_id, args, kwargs, job_options, canvas=canvas)
    except Exception as error:  # noqa: BLE001 - options and `job_input` of the application must not keep the task back
        fault = describe_fault(error, milepost=job_options, job_options=task.job_options)
        _logger.warning("task %s is published without a job: %s", task_id, fault)
        job = TaskJob.without_job(task_id)
    if installation.may_connect and not job.is_submitted:
        job = _submit(client, job)
    try:
        yield {**headers, HEADER: job.to_header()}
    except BaseException:
        if job.request.kind and job.is_submitted:
            # A broker that has not confirmed the message may have it all the same.
            client.cancel_unstarted(job.job_id, "Its task could not be published.")
        raise


def _continued(headers: Mapping[str, Any], task_id: str, running: Task[..., Any] | None) -> TaskJob | None:
    """The job that this task has already; None for a task that is new."""
    job = TaskJob.from_headers(headers, task_id)
    if job is None and running is not None and running.request.id == task_id:
        job = TaskJob.from_headers(running.request.headers, task_id)
    return job


def _submit(client: TaskClient, job: TaskJob) -> TaskJob:
    """Submit the job if the server answers; if not, the message carries it."""
    try:
        submitted = client.submit(job.request)
        if submitted is not None and _is_of_earlier_run(submitted.proto):
            # Somebody uses a task's id again, as some do on purpose. The new run gets a job of its own.
            job.request.job_id = job.request.request_id = str(uuid4())
            submitted = client.submit(job.request)
    except (MilepostError, RuntimeError) as error:
        _logger.warning("task %s is published without a job: %s", job.task_id, error)
        return job
    return job.submitted() if submitted is not None else job


def _is_of_earlier_run(job: Job) -> bool:
    return has_ended(job) and job.cancellation.reason != PARENT_CANCELLED


def _canvas_of(running: Task[..., Any] | None) -> str:
    """The parent of the canvas of the running task: what it publishes, as its next one, belongs there, too."""
    if running is None:
        return ""
    job = TaskJob.from_headers(running.request.headers, running.request.id or "")
    return job.canvas if job is not None else canvas_in_stamps(running.request.stamps)
