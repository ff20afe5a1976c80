"""The limits of a job's time: each a duration since an instant of the job, None where it does not apply.

The caller measures how long ago that instant was (``Age``), by a clock that does not jump.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.contract.job_states import LEASED, has_ended
from milepost.server.messages.timestamps import instant, nanoseconds
from milepost.v1 import Job, JobState

Age: TypeAlias = Callable[[str, int], int]
"""Nanoseconds since an instant of a job, given by the job's id and nanoseconds since 1970."""


class TimeLimit(NamedTuple):
    """A limit, ``duration`` nanoseconds after the instant ``since``."""

    since: int
    duration: int


def of(job: Job) -> list[TimeLimit]:
    """All limits that apply to the job in its state, that of its lease aside.

    The only one of a job that is being cancelled is its grace period.
    """
    if job.state == JobState.JOB_STATE_CANCELLING:
        return [grace_period(job)]
    return execution_limits(job)


def execution_limits(job: Job) -> list[TimeLimit]:
    """The limits that the job's submission has set."""
    limits = (timeout(job), attempt_timeout(job), start_deadline(job))
    return [limit for limit in limits if limit is not None]


def grace_period(job: Job) -> TimeLimit:
    """The time that a job has to stop."""
    requested = instant(job.cancellation.request_time)
    return TimeLimit(requested, instant(job.cancellation.deadline) - requested)


def timeout(job: Job) -> TimeLimit | None:
    """The time of the whole job, counted from its first start, whether it runs or waits for its next attempt."""
    if not job.HasField("timeout") or not job.attempt or has_ended(job):
        return None
    # Earlier versions did not store the first start.
    started = job.first_start_time if job.HasField("first_start_time") else job.start_time
    return _limit(started, job.timeout)


def attempt_timeout(job: Job) -> TimeLimit | None:
    """The time of the current attempt."""
    if not job.HasField("attempt_timeout") or job.state not in LEASED:
        return None
    return _limit(job.start_time, job.attempt_timeout)


def start_deadline(job: Job) -> TimeLimit | None:
    """The wait for the first attempt."""
    if not job.HasField("start_deadline") or job.attempt or has_ended(job):
        return None
    return _limit(job.submit_time, job.start_deadline)


def left(job_id: str, limit: TimeLimit, age: Age) -> int:
    """Nanoseconds that are left; 0 or less where the limit is reached."""
    return limit.duration - age(job_id, limit.since)


def is_over(job_id: str, limit: TimeLimit | None, age: Age) -> bool:
    """Whether the limit is reached."""
    return limit is not None and left(job_id, limit, age) <= 0


def _limit(since: Timestamp, duration: Duration) -> TimeLimit:
    return TimeLimit(instant(since), nanoseconds(duration))
