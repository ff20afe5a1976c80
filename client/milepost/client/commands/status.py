"""The exit statuses: the one table of what they mean."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import grpc

from milepost.client import errors
from milepost.v1 import Job, JobState

__all__ = ["MEANINGS", "CommandFailed", "Status", "TimedOut", "of_error", "of_job"]


class Status(IntEnum):
    """How a command ends. One that follows a job to its end exits with the job's status."""

    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    LOST = 6
    DEFECT = 70
    TIMED_OUT = 124
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


class CommandFailed(errors.MilepostError):
    """A command did not do what it was to do."""

    status = Status.FAILED


class TimedOut(CommandFailed):
    """The time that was given has passed."""

    status = Status.TIMED_OUT


MEANINGS: Final = {
    Status.SUCCEEDED: "the command or, where it was followed, the job succeeded",
    Status.FAILED: "the job or, of milepost serve, the store failed",
    Status.USAGE: "what was asked for cannot be done as it was given",
    Status.CANCELLED: "the job was cancelled",
    Status.NOT_FOUND: "there is no such job",
    Status.UNREACHABLE: "the server cannot be reached, or cannot serve just now",
    Status.LOST: "the job is lost: its worker is gone, and no attempt is left",
    Status.DEFECT: "a defect in Milepost",
    Status.TIMED_OUT: "the job or the command timed out",
    Status.INTERRUPTED: "interrupted by Ctrl-C; the job goes on",
    Status.READER_GONE: "whoever read the output is gone",
    Status.TERMINATED: "terminated by a signal; the job goes on",
}

_STATES: Final[dict[JobState.ValueType, Status]] = {
    JobState.JOB_STATE_FAILED: Status.FAILED,
    JobState.JOB_STATE_CANCELLED: Status.CANCELLED,
    JobState.JOB_STATE_LOST: Status.LOST,
}

# The codes of failures that the server's clock is the cause of.
_TIMED_OUT: Final = frozenset({"TIMEOUT", "ATTEMPT_TIMEOUT", "START_DEADLINE"})

_DEFECTS: Final = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.ABORTED}
)

# The first that fits counts. What is not here was refused for what was asked.
_ERRORS: Final[tuple[tuple[type[errors.MilepostError], Status], ...]] = (
    (errors.JobNotFound, Status.NOT_FOUND),
    (errors.Unreachable, Status.UNREACHABLE),
    (errors.StoreUnavailable, Status.UNREACHABLE),
    (errors.StoreFull, Status.UNREACHABLE),
    (errors.LimitReached, Status.UNREACHABLE),
    (errors.Draining, Status.UNREACHABLE),
    (errors.ProtocolError, Status.DEFECT),
)


def of_job(job: Job) -> Status:
    """How a command ends that has followed ``job``; SUCCEEDED also where the job goes on."""
    if job.state == JobState.JOB_STATE_FAILED and job.failure.code in _TIMED_OUT:
        return Status.TIMED_OUT
    return _STATES.get(job.state, Status.SUCCEEDED)


def of_error(error: errors.MilepostError) -> Status:
    """How a command ends that met with ``error``."""
    if isinstance(error, CommandFailed):
        return error.status
    if isinstance(error, errors.JobError):
        return of_job(error.job)
    for kind, status in _ERRORS:
        if isinstance(error, kind):
            return status
    refused = isinstance(error, errors.ServiceError) and error.code not in _DEFECTS
    return Status.USAGE if refused else Status.DEFECT
