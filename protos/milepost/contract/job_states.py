"""Groups of job states: which are final, which are under a lease, which are still to end."""

from __future__ import annotations

from typing import Final, Protocol

from milepost.v1 import JobState

__all__ = ["ACTIVE", "FINAL", "LEASED", "has_ended", "state_name"]

FINAL: Final = frozenset(
    {
        JobState.JOB_STATE_SUCCEEDED,
        JobState.JOB_STATE_FAILED,
        JobState.JOB_STATE_CANCELLED,
        JobState.JOB_STATE_LOST,
    }
)
"""States that a job never leaves."""

LEASED: Final = frozenset({JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_CANCELLING})
"""States in which a worker holds the job's lease."""

ACTIVE: Final = frozenset({JobState.JOB_STATE_QUEUED, *LEASED})
"""States of a job that has not ended."""


class HasState(Protocol):
    """A job, or a view of one."""

    @property
    def state(self) -> JobState.ValueType:
        """The job's state."""


def has_ended(job: HasState) -> bool:
    """Whether the job's state is final."""
    return job.state in FINAL


def state_name(job: HasState) -> str:
    """The job's state for people: ``"SUCCEEDED"``."""
    return JobState.Name(job.state).removeprefix("JOB_STATE_")
