"""What every event bears, and the names of states that decisions turn on."""

from __future__ import annotations

from milepost.server.runtime.timestamps import timestamp
from milepost.v1 import Event, Job, JobState

FINAL = frozenset(
    {
        JobState.JOB_STATE_SUCCEEDED,
        JobState.JOB_STATE_FAILED,
        JobState.JOB_STATE_CANCELLED,
        JobState.JOB_STATE_LOST,
    }
)
LEASED = frozenset({JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_CANCELLING})
ACTIVE = frozenset({JobState.JOB_STATE_QUEUED, *LEASED})


def next_event(job: Job, now: int, *, offset: int = 1) -> Event:
    """The event after the job's last one, its payload still to be set. ``offset`` is its place among several."""
    return Event(
        job_id=job.job_id, sequence=job.last_sequence + offset, time=timestamp(now), attempt=job.attempt
    )


def is_final(job: Job) -> bool:
    """Whether the job has ended."""
    return job.state in FINAL


def state_name(job: Job) -> str:
    """The job's state for people: ``"SUCCEEDED"``."""
    return JobState.Name(job.state).removeprefix("JOB_STATE_")
