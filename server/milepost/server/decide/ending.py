"""How attempts and jobs end other than by their worker's word: cancelling, time running out, workers lost."""

from __future__ import annotations

import math

from milepost.fold import RELEASED
from milepost.server.decide.authoring import LEASED, is_final, next_event
from milepost.server.instants import SECOND, instant, nanoseconds, timestamp
from milepost.v1 import Event, Failure, Job, JobState, RetryPolicy

_INITIAL_BACKOFF = 1 * SECOND
_MAX_BACKOFF = 300 * SECOND
_MULTIPLIER = 2.0
# The logarithm of what is growth enough to reach any bound, and is still a number.
_GROWTH_LOG = 50.0


def cancel(job: Job, *, reason: str, requested_by: str, grace_period: int, now: int) -> list[Event]:
    """What asking to cancel does (rules 16 and 17); ``grace_period`` in nanoseconds.

    Nothing to a job that has ended. A queued job ends at once. Asking again changes nothing, unless it leaves the
    worker less time than it had.
    """
    if is_final(job):
        return []
    deadline = now + (grace_period if job.state in LEASED else 0)
    request = next_event(job, now)
    cancellation = request.cancel_requested.cancellation
    if job.HasField("cancellation"):
        if deadline >= instant(job.cancellation.deadline):
            return []
        cancellation.CopyFrom(job.cancellation)
    else:
        cancellation.reason = reason
        cancellation.requested_by = requested_by
        cancellation.request_time.CopyFrom(timestamp(now))
    cancellation.deadline.CopyFrom(timestamp(deadline))
    if deadline > now:
        return [request]
    end = next_event(job, now, offset=2)
    end.job_ended.state = JobState.JOB_STATE_CANCELLED
    end.job_ended.forced = job.state in LEASED
    return [request, end]


def release(job: Job, now: int) -> list[Event]:
    """The worker gives the job back unharmed, or is done stopping it where it was being cancelled."""
    if job.state == JobState.JOB_STATE_CANCELLING:
        return [_cancelled(job, now, forced=False)]
    event = next_event(job, now)
    event.attempt_ended.failure.code = RELEASED
    event.attempt_ended.failure.message = f"Given back by worker {job.worker_id!r}."
    event.attempt_ended.failure.retryable = True
    event.attempt_ended.retry_time.CopyFrom(timestamp(now))
    return [event]


def due(job: Job, now: int, *, lease_is_out: bool) -> list[Event]:
    """What the passing of time has done to a job that is leased (rules 14 and 16); nothing to any other."""
    if job.state not in LEASED:
        return []
    if job.state == JobState.JOB_STATE_CANCELLING and (
        lease_is_out or now >= instant(job.cancellation.deadline)
    ):
        return [_cancelled(job, now, forced=True)]
    if job.HasField("timeout") and now >= instant(job.start_time) + nanoseconds(job.timeout):
        event = next_event(job, now)
        event.job_ended.state = JobState.JOB_STATE_FAILED
        event.job_ended.failure.code = "TIMEOUT"
        event.job_ended.failure.message = (
            f"Ran longer than its timeout of {nanoseconds(job.timeout) / SECOND:g} s."
        )
        return [event]
    if lease_is_out:
        failure = Failure(
            code="WORKER_LOST",
            message=f"Worker {job.worker_id!r} was not heard from again.",
            retryable=True,
        )
        return [failed_attempt(job, failure, now, otherwise=JobState.JOB_STATE_LOST)]
    return []


def next_deadline(job: Job) -> int | None:
    """The instant at which ``due`` is to be asked next, leases aside; None where time does nothing."""
    deadlines = []
    if job.state == JobState.JOB_STATE_CANCELLING:
        deadlines.append(instant(job.cancellation.deadline))
    if job.state in LEASED and job.HasField("timeout"):
        deadlines.append(instant(job.start_time) + nanoseconds(job.timeout))
    return min(deadlines, default=None)


def failed_attempt(job: Job, failure: Failure, now: int, *, otherwise: JobState.ValueType) -> Event:
    """The end of an attempt that failed: back to the queue if the policy has it so, ``otherwise`` the job's end."""
    event = next_event(job, now)
    if _may_retry(job, failure):
        event.attempt_ended.failure.CopyFrom(failure)
        event.attempt_ended.retry_time.CopyFrom(
            timestamp(now + _backoff(job.retry_policy, job.failed_attempts))
        )
    else:
        event.job_ended.state = otherwise
        event.job_ended.failure.CopyFrom(failure)
    return event


def _may_retry(job: Job, failure: Failure) -> bool:
    retryable = failure.retryable or failure.code in job.retry_policy.retryable_codes
    attempt_left = job.failed_attempts + 1 < job.retry_policy.max_attempts
    return retryable and attempt_left and job.state == JobState.JOB_STATE_RUNNING


def _backoff(policy: RetryPolicy, failed_before: int) -> int:
    initial = nanoseconds(policy.initial_backoff) if policy.HasField("initial_backoff") else _INITIAL_BACKOFF
    most = nanoseconds(policy.max_backoff) if policy.HasField("max_backoff") else _MAX_BACKOFF
    multiplier = policy.multiplier or _MULTIPLIER
    growth = multiplier**failed_before if failed_before * math.log(multiplier) < _GROWTH_LOG else math.inf
    return int(min(initial * growth, most)) if initial else 0


def _cancelled(job: Job, now: int, *, forced: bool) -> Event:
    event = next_event(job, now)
    event.job_ended.state = JobState.JOB_STATE_CANCELLED
    event.job_ended.forced = forced
    return event
