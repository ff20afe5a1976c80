"""The deadlines of a job: each the instant at which a limit is reached, None where it does not apply."""

from __future__ import annotations

from milepost.contract.job_states import LEASED, has_ended
from milepost.server.base.timestamps import instant, nanoseconds
from milepost.v1 import Job


def of(job: Job) -> list[int]:
    """All deadlines that apply to the job in its state."""
    deadlines = (timeout(job), attempt_timeout(job), start_deadline(job))
    return [deadline for deadline in deadlines if deadline is not None]


def timeout(job: Job) -> int | None:
    """The end of the whole job, counted from its first start, whether it runs or waits for its next attempt."""
    if not job.HasField("timeout") or not job.attempt or has_ended(job):
        return None
    # Earlier versions did not store the first start.
    started = job.first_start_time if job.HasField("first_start_time") else job.start_time
    return instant(started) + nanoseconds(job.timeout)


def attempt_timeout(job: Job) -> int | None:
    """The end of the current attempt."""
    if not job.HasField("attempt_timeout") or job.state not in LEASED:
        return None
    return instant(job.start_time) + nanoseconds(job.attempt_timeout)


def start_deadline(job: Job) -> int | None:
    """The end of the wait for the first attempt."""
    if not job.HasField("start_deadline") or job.attempt or has_ended(job):
        return None
    return instant(job.submit_time) + nanoseconds(job.start_deadline)


def is_over(deadline: int | None, now: int) -> bool:
    """Whether the deadline has been reached."""
    return deadline is not None and now >= deadline
