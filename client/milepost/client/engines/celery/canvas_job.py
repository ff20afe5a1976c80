"""Chains, groups and chords as the children of one job."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any, Final, Unpack
from uuid import uuid4

from celery.canvas import Signature
from google.protobuf.duration_pb2 import Duration

from milepost.client._job_calls import submit_request
from milepost.client.engines.celery.canvas_stamp import (
    CanvasStamp,
    bodies_alone,
    certain_tasks,
    tasks_with_jobs,
)
from milepost.client.engines.celery.installation import Installation, installation_of
from milepost.client.engines.celery.option_faults import find_fault
from milepost.client.engines.celery.task_with_job import TaskOptions
from milepost.client.engines.labels import ENGINE
from milepost.client.errors import JobAlreadyExists, MilepostError
from milepost.contract import limits
from milepost.contract.job_states import state_name
from milepost.v1 import Dispatch, JobState, RetryPolicy, SubmitJobRequest

__all__ = ["PARENT_DEADLINE", "CanvasJob", "publish_canvas"]

_logger = logging.getLogger("milepost.client")

PARENT_DEADLINE: Final = 7 * 24 * 3600.0
"""Seconds until a parent fails whose tasks have not begun, and, from then on, until one fails that has not ended."""


_GIVES_WAY: Final = frozenset(
    {
        JobState.JOB_STATE_CANCELLING,
        JobState.JOB_STATE_CANCELLED,
        JobState.JOB_STATE_FAILED,
        JobState.JOB_STATE_LOST,
    }
)
"""States of an earlier job with the same id to which this call takes another id: that one would cancel its tasks."""


@dataclass(frozen=True, slots=True)
class CanvasJob:
    """A canvas that was published.

    Attributes:
        job_id: The parent of the jobs of its tasks; None if the server is away.
        result: Celery's result of the canvas.
    """

    job_id: str | None
    result: Any


def publish_canvas(
    canvas: Signature[Any], kind: str, *, args: tuple[Any, ...] = (), **options: Unpack[TaskOptions]
) -> CanvasJob:
    """Publish a chain, a group or a chord, nested as it may be, as the children of one job.

    The progress of that job is that of its tasks, and cancelling it cancels them. It is RUNNING once a task of it runs,
    and ends with its last task: SUCCEEDED if all have, and FAILED once one has not and no other is left to run. Nobody
    has to wait for that. It fails if no task has begun within its `start_deadline`, by default a week, or if it has not
    ended within its `timeout` from then on, by default as long::

        album = publish_canvas(chord([scan.s(page) for page in pages], bind.s()), "album", labels={"user": "7"})

    A call may be repeated with the same `job_id`: the parent gets another id where the job has failed, was cancelled or
    is being cancelled, or is LOST; and nothing is published where it runs or succeeded, whose work would be done twice.
    The tasks become children of one that no task has begun, whose publisher may have ended before it published any.

    Args:
        canvas: The canvas, of an application that called `install`.
        kind: Kind of the parent.
        args: Arguments of the first tasks, as for ``canvas.apply_async(args)``.
        options: Options of the parent; see `TaskOptions` and `SubmitOptions`.

    Raises:
        TypeError: This is no canvas, there is no such option, or its value has the wrong type.
        ValueError: The value of an option is out of its bounds.
        JobAlreadyExists: The job with this `job_id` runs, or succeeded.
        OperationalError: The broker is away. The job is cancelled, and with it the tasks that were published before,
            also those that run by then: what is to follow them would never come.
    """
    if not isinstance(kind, str):
        raise TypeError(f"kind is {kind!r}, and takes text such as 'album'.")
    if not isinstance(canvas, Signature):
        raise TypeError(
            f"canvas is {canvas!r}, and takes a signature: a chain, a group, a chord or a task.s(…)."
        )
    installation = installation_of(canvas.app)
    job_id = _submit(installation, canvas, kind, options) if installation is not None else None
    if installation is None or job_id is None:
        return CanvasJob(None, canvas.apply_async(args))
    stamp = CanvasStamp(job_id, certain_tasks(canvas), secrets.token_urlsafe(16))
    canvas.stamp(**stamp.stamps)
    for body in bodies_alone(canvas):
        body.stamp(**stamp.stamps)  # Celery does not stamp these
    try:
        result = canvas.apply_async(args)
    except BaseException:
        installation.client.cancel_quietly(job_id, "Its tasks could not be published.")
        raise
    if next(tasks_with_jobs(canvas), None) is None:
        installation.client.end_canvas(stamp)
    else:
        installation.client.watch_canvas(stamp)
    return CanvasJob(job_id, result)


def _submit(
    installation: Installation, canvas: Signature[Any], kind: str, options: TaskOptions
) -> str | None:
    try:
        request = _request(canvas, kind, options)
    except Exception as error:
        if fault := find_fault(publish_canvas=options):
            raise (TypeError if isinstance(error, TypeError) else ValueError)(fault) from None
        raise
    if not installation.may_connect:
        return None
    try:
        parent_job_id = request.parent_job_id
        job = installation.client.submit(request)
        # Submitted without its parent, it may be cancelled since that is, so that its tasks do not run.
        has_parent = request.parent_job_id == parent_job_id
        if job is not None and job.state in _GIVES_WAY and has_parent:
            request.job_id = request.request_id = str(uuid4())
            job = installation.client.submit(request)
    except (MilepostError, RuntimeError) as error:
        _logger.warning("the tasks of %s are published without a parent: %s", kind, error)
        return None
    if job is None:
        return None
    if job.state not in _GIVES_WAY and (job.state != JobState.JOB_STATE_QUEUED or job.attempt):
        raise JobAlreadyExists(
            f"The job {job.job_id!r} of a canvas is {state_name(job)}. Use another job_id, or get that job."
        )
    return job.job_id


def _request(canvas: Signature[Any], kind: str, options: TaskOptions) -> SubmitJobRequest:
    planned = sum(1 for _ in tasks_with_jobs(canvas))
    merged: dict[str, Any] = {"job_id": str(uuid4()), "planned_children": planned, **options}
    merged["labels"] = {ENGINE: "celery", **(options.get("labels") or {})}
    merged.setdefault("request_id", merged["job_id"])
    # Where a process that holds the parent is lost, another one goes on.
    merged.setdefault("retry_policy", RetryPolicy(max_attempts=limits.ATTEMPTS, initial_backoff=Duration()))
    values, deadline = merged.pop("input", None), merged.pop("start_deadline", PARENT_DEADLINE)
    merged.setdefault("timeout", deadline)
    return submit_request(kind, values, Dispatch.DISPATCH_EXTERNAL, deadline, **merged)
