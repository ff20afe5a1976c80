"""How attempts and jobs end other than by their worker's word: cancelling, time running out, workers lost."""

from __future__ import annotations

import math

from google.protobuf.duration_pb2 import Duration

from milepost.contract.job_states import LEASED, has_ended
from milepost.fold import RELEASED
from milepost.server.decide import time_limits
from milepost.server.decide.next_event import next_event
from milepost.server.runtime.timestamps import SECOND, instant, nanoseconds, timestamp
from milepost.v1 import Cancellation, Event, Failure, Job, JobState, RetryPolicy

_INITIAL_BACKOFF = 1 * SECOND
_MAX_BACKOFF = 300 * SECOND
_MULTIPLIER = 2.0
# The logarithm of what is growth enough to reach any bound, and is still a number.
_GROWTH_LOG = 50.0
_WORKER_LOST = "WORKER_LOST"


def cancel(job: Job, *, reason: str, requested_by: str, grace_period: int, now: int) -> list[Event]:
    """What asking to cancel does (rules 16 and 17); ``grace_period`` in nanoseconds.

    Nothing to a job that has ended. A queued job ends at once. Asking again changes nothing, unless it leaves the
    worker less time than it had. The grace does not reach past a timeout, so that the worker is told what it has.
    """
    if has_ended(job):
        return []
    deadline = min([now + grace_period, *time_limits.of(job)]) if job.state in LEASED else now
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
    cancellation.deadline.CopyFrom(timestamp(max(deadline, now)))
    if deadline > now:
        return [request]
    if job.state not in LEASED:
        return [request, _cancelled(job, now, offset=2)]
    return [request, _forced(job, now, _no_stop(job, cancellation), offset=2)]


def release(job: Job, now: int) -> list[Event]:
    """The worker gives the job back unharmed, or is done stopping it where it was being cancelled."""
    return _given_back(job, now, f"Given back by worker {job.worker_id!r}.")


def lost_on_its_way(job: Job, now: int) -> list[Event]:
    """The worker never heard of the attempt that was started for it: the job is given back in its place."""
    return _given_back(job, now, f"Lost on its way to worker {job.worker_id!r}.")


def crowded_out(job: Job, now: int) -> list[Event]:
    """Others of its key were started at the same time: the job is given back, before the worker has heard of it."""
    message = (
        f"As many of the concurrency_key {job.concurrency_key!r} as it allows were started at the same time."
    )
    return _given_back(job, now, message)


def due(job: Job, now: int, *, lease_is_out: bool) -> list[Event]:
    """What the passing of time has done to a job (rules 14 and 16); ``lease_is_out`` counts where it is leased.

    A job that is being cancelled has its grace period, and no other bound.
    """
    if has_ended(job):
        return []
    if job.state == JobState.JOB_STATE_CANCELLING:
        if now >= instant(job.cancellation.deadline):
            return [_forced(job, now, _no_stop(job, job.cancellation))]
        if lease_is_out:
            return [
                _forced(job, now, f"Worker {job.worker_id!r} was not heard from again and was fenced off.")
            ]
        return []
    if time_limits.is_over(time_limits.timeout(job), now):
        message = f"Took longer than its timeout of {_seconds(job.timeout)}."
        return [_failed(job, now, Failure(code="TIMEOUT", message=message))]
    if time_limits.is_over(time_limits.start_deadline(job), now):
        message = f"Did not start within its start_deadline of {_seconds(job.start_deadline)}."
        return [_failed(job, now, Failure(code="START_DEADLINE", message=message))]
    if time_limits.is_over(time_limits.attempt_timeout(job), now):
        message = (
            f"Attempt {job.attempt} ran longer than its attempt_timeout of {_seconds(job.attempt_timeout)}."
        )
        failure = Failure(code="ATTEMPT_TIMEOUT", message=message, retryable=True)
        return [failed_attempt(job, failure, now, otherwise=JobState.JOB_STATE_FAILED)]
    if lease_is_out and job.state in LEASED:
        failure = Failure(
            code=_WORKER_LOST,
            message=f"Worker {job.worker_id!r} was not heard from again.",
            retryable=True,
        )
        return [failed_attempt(job, failure, now, otherwise=JobState.JOB_STATE_LOST)]
    return []


def is_lost(job: Job) -> bool:
    """Whether the job has left its worker since that was not heard from."""
    left = (JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_LOST)
    return job.state in left and job.failure.code == _WORKER_LOST


def next_deadline(job: Job) -> int | None:
    """The instant at which ``due`` is to be asked next, leases aside; None where time does nothing."""
    if job.state == JobState.JOB_STATE_CANCELLING:
        return instant(job.cancellation.deadline)
    return min(time_limits.of(job), default=None)


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


def _given_back(job: Job, now: int, message: str) -> list[Event]:
    if job.state == JobState.JOB_STATE_CANCELLING:
        return [_cancelled(job, now)]
    event = next_event(job, now)
    event.attempt_ended.failure.code = RELEASED
    event.attempt_ended.failure.message = message
    event.attempt_ended.failure.retryable = True
    event.attempt_ended.retry_time.CopyFrom(timestamp(now))
    return [event]


def _failed(job: Job, now: int, failure: Failure) -> Event:
    event = next_event(job, now)
    event.job_ended.state = JobState.JOB_STATE_FAILED
    event.job_ended.failure.CopyFrom(failure)
    return event


def _cancelled(job: Job, now: int, *, offset: int = 1) -> Event:
    event = next_event(job, now, offset=offset)
    event.job_ended.state = JobState.JOB_STATE_CANCELLED
    return event


def _forced(job: Job, now: int, message: str, *, offset: int = 1) -> Event:
    event = _cancelled(job, now, offset=offset)
    event.job_ended.forced = True
    event.job_ended.message = message
    return event


def _no_stop(job: Job, cancellation: Cancellation) -> str:
    grace = (instant(cancellation.deadline) - instant(cancellation.request_time)) / SECOND
    return f"Worker {job.worker_id!r} did not stop within its grace period of {grace:g} s and was fenced off."


def _seconds(value: Duration) -> str:
    return f"{nanoseconds(value) / SECOND:g} s"
