"""How a command ends: the exit status for a job, and for an error."""

from __future__ import annotations

from typing import Final

from milepost.client import errors
from milepost.client._cli.commands.exit_status import Status
from milepost.client._transport.fork_safety import grpc
from milepost.v1 import Job, JobState

__all__ = ["CommandFailed", "TimedOut", "of_error", "of_job"]


class CommandFailed(errors.MilepostError):
    """A command did not do what it was to do."""

    status = Status.FAILED


class TimedOut(CommandFailed):
    """The time that was given has passed."""

    status = Status.TIMED_OUT


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
        return of_job(error.job.proto)
    for kind, status in _ERRORS:
        if isinstance(error, kind):
            return status
    refused = isinstance(error, errors.ServiceError) and error.code not in _DEFECTS
    return Status.USAGE if refused else Status.DEFECT
