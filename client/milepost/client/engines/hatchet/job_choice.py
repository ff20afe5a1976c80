"""Choose the job that an attempt of a task run reports to."""

from __future__ import annotations

from typing import Final

from milepost.client.engines.hatchet.task_run import TaskRun, retry_of
from milepost.client.errors import MilepostError
from milepost.contract.job_states import LEASED, has_ended
from milepost.v1 import Job, JobState

__all__ = ["AttemptNotReported", "CancelledBefore", "choose_job", "is_with_predecessor"]


class AttemptNotReported(MilepostError):
    """Another attempt of the run has the job."""


class CancelledBefore(MilepostError):
    """The job was cancelled while no attempt ran, so that the run does not know it yet."""


def choose_job(job: Job, run: TaskRun) -> str:
    """The id of the job that this attempt reports to: the job of the run, or one of its own if that has ended.

    Hatchet may start a run again whose job has ended: after a worker was lost, or when somebody replays the run.

    Args:
        job: The job of the run.
        run: The attempt.

    Raises:
        AttemptNotReported: The job is with a later attempt, or this one was reported before: Hatchet has started it
            twice.
        CancelledBefore: The job was cancelled between attempts.
    """
    latest = retry_of(job.worker_id)
    if not has_ended(job):
        if latest is not None and latest > run.retry_count and job.state in LEASED:
            raise AttemptNotReported(f"It is with a later attempt of its run, retry {latest}.")
        return job.job_id
    if job.state == JobState.JOB_STATE_CANCELLED and not job.cancellation.HasField("acknowledge_time"):
        raise CancelledBefore(job.cancellation.reason or _NO_REASON)
    if job.job_id == run.own_job_id or (latest is not None and latest >= run.retry_count):
        raise AttemptNotReported("It has ended with this attempt, or with a later one.")
    return run.own_job_id


def is_with_predecessor(job: Job, run: TaskRun) -> bool:
    """Whether an earlier attempt of the run has the job."""
    latest = retry_of(job.worker_id)
    return job.state in LEASED and latest is not None and latest < run.retry_count


_NO_REASON: Final = "No reason was given."
