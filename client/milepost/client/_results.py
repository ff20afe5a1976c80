"""The result of a job that has ended, or the error for it."""

from __future__ import annotations

from typing import Any, Final

from milepost.client._conversion import from_struct
from milepost.client.errors import JobCancelled, JobFailed, JobLost
from milepost.v1 import Job, JobState

__all__ = ["result_of"]

_ERRORS: Final[dict[JobState.ValueType, type[JobFailed | JobCancelled | JobLost]]] = {
    JobState.JOB_STATE_FAILED: JobFailed,
    JobState.JOB_STATE_CANCELLED: JobCancelled,
    JobState.JOB_STATE_LOST: JobLost,
}


def result_of(job: Job) -> dict[str, Any]:
    """The result of a job that has ended; empty if its handler returned nothing.

    Raises:
        JobError: The job did not succeed: `JobFailed`, `JobCancelled` or `JobLost`.
    """
    if job.state == JobState.JOB_STATE_SUCCEEDED:
        return from_struct(job.result)
    # Not by a variable: the error has this frame, and with that those of the caller.
    raise _ERRORS[job.state](job)
