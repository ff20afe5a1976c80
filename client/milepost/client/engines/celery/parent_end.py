"""The end of the parent of a canvas, which no code of its own runs: the last of its tasks reports it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from milepost.client._attach import Attached
from milepost.client._calls import JobCalls, job_filter
from milepost.client.errors import JobEndedError, JobFailure, LeaseLost
from milepost.contract.job_states import has_ended
from milepost.v1 import Job, JobState

__all__ = ["end_parent"]

_OPEN_STATES: Final = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_CANCELLING,
)


async def end_parent(calls: JobCalls, attach: Callable[[str], Attached], parent_job_id: str) -> None:
    """End the parent if its last child has ended.

    Raises:
        MilepostError: There is no such job, or no answer.
    """
    end = await _end_of_parent(calls, parent_job_id)
    if end is False:
        return
    # Of two children that end at once, one may find that the other one was faster.
    with contextlib.suppress(LeaseLost, JobEndedError, JobFailure):
        async with attach(parent_job_id):
            if isinstance(end, JobFailure):
                raise end


async def _end_of_parent(calls: JobCalls, parent_job_id: str) -> JobFailure | bool:
    """How the parent ends now that a child has ended: True for success; False while it goes on.

    Raises:
        MilepostError: There is no such job, or no answer.
    """
    running = job_filter(parent_job_id=parent_job_id, states=_OPEN_STATES)
    async for _ in calls.list(running, "", 1):
        return False
    parent = (await calls.get(parent_job_id)).job
    if has_ended(parent):
        return False
    succeeded, failed = 0, Job()
    async for child in calls.list(job_filter(parent_job_id=parent_job_id), "submit_time", 0):
        if not has_ended(child.proto):
            return False  # it was published meanwhile
        if child.proto.state == JobState.JOB_STATE_SUCCEEDED:
            succeeded += 1
        elif not failed.job_id:
            failed = child.proto
    if failed.job_id:
        state = JobState.Name(failed.state).removeprefix("JOB_STATE_")
        why = failed.failure.message or failed.cancellation.reason
        return JobFailure("CHILD_FAILED", f"{failed.kind} {failed.job_id} is {state}{why and ': '}{why}")
    return succeeded >= parent.planned_children
