"""How long a job may wait, and run: each bound as the instant at which it is reached, None where it does not apply."""

from __future__ import annotations

from milepost.contract.job_states import LEASED, has_ended
from milepost.server.runtime.timestamps import instant, nanoseconds
from milepost.v1 import Job


def of(job: Job) -> list[int]:
    """All those that apply to the job as it is."""
    found = (timeout(job), attempt_timeout(job), start_deadline(job))
    return [bound for bound in found if bound is not None]


def timeout(job: Job) -> int | None:
    """Of the whole job, from its first start, whether it runs or waits for its next attempt."""
    if not job.HasField("timeout") or not job.attempt or has_ended(job):
        return None
    # The first start was not kept in jobs that an earlier version started.
    begun = job.first_start_time if job.HasField("first_start_time") else job.start_time
    return instant(begun) + nanoseconds(job.timeout)


def attempt_timeout(job: Job) -> int | None:
    """Of the attempt that runs."""
    if not job.HasField("attempt_timeout") or job.state not in LEASED:
        return None
    return instant(job.start_time) + nanoseconds(job.attempt_timeout)


def start_deadline(job: Job) -> int | None:
    """Of the wait for the first attempt."""
    if not job.HasField("start_deadline") or job.attempt or has_ended(job):
        return None
    return instant(job.submit_time) + nanoseconds(job.start_deadline)


def is_over(bound: int | None, now: int) -> bool:
    """Whether it is reached."""
    return bound is not None and now >= bound
