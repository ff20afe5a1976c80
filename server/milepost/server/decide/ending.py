"""End attempts and jobs other than by a report: cancellation, deadlines, lost workers, released jobs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from google.protobuf.duration_pb2 import Duration

from milepost.contract import limits
from milepost.contract.job_states import LEASED, has_ended
from milepost.fold import RELEASED
from milepost.server.decide import time_limits
from milepost.server.decide.next_event import next_event
from milepost.server.decide.time_limits import Age
from milepost.server.messages.timestamps import SECOND, instant, nanoseconds, timestamp
from milepost.v1 import CancelJobRequest, Cancellation, Event, Failure, Job, JobState, RetryPolicy

_INITIAL_BACKOFF = 1 * SECOND
_MAX_BACKOFF = 300 * SECOND
_MULTIPLIER = 2.0
# Logarithm of the largest backoff growth that is computed: beyond any bound, and without overflow.
_GROWTH_LOG_LIMIT = 50.0
_WORKER_LOST = "WORKER_LOST"


def cancel_requested(
    request: CancelJobRequest, age: Age, requested_by: str = ""
) -> Callable[[Job, int], list[Event]]:
    """The decision on a cancel request of the subject ``requested_by``; see ``cancel``."""
    grace_period = int(limits.GRACE_PERIOD * SECOND)
    if request.HasField("grace_period"):
        grace_period = nanoseconds(request.grace_period)
    return partial(
        cancel, reason=request.reason, requested_by=requested_by, grace_period=grace_period, age=age
    )


def parent_cancelled(parent: Job, age: Age) -> Callable[[Job, int], list[Event]]:
    """The decision on a child of a cancelled job, which gets the grace period that its parent got; see ``cancel``.

    A job that is no child of it stays as it is: the child that is meant may be deleted, and its id used again.
    """
    parent_job_id = parent.job_id
    cancel_child = partial(
        cancel,
        reason=parent.cancellation.reason,
        requested_by=f"parent job {parent_job_id}",
        grace_period=max(time_limits.grace_period(parent).duration, 0),
        age=age,
    )

    def decision(job: Job, now: int) -> list[Event]:
        return cancel_child(job, now) if job.parent_job_id == parent_job_id else []

    return decision


def cancel(
    job: Job, now: int, *, reason: str, requested_by: str, grace_period: int, age: Age | None = None
) -> list[Event]:
    """Cancel a job (rules 16 and 17); ``grace_period`` in nanoseconds.

    A job that has ended stays as it is, a queued job ends at once. Another request changes nothing, unless it shortens
    the time that the worker has left. The deadline is never later than a timeout, so that the worker knows how much
    time it really has. ``age`` measures the time that has passed; by default by ``now``.
    """
    if has_ended(job):
        return []
    age = age or _age_at(now)
    is_leased = job.state in LEASED
    limits_left = [time_limits.left(job.job_id, limit, age) for limit in time_limits.execution_limits(job)]
    grace = max(min([grace_period, *limits_left]), 0) if is_leased else 0
    request = next_event(job, now)
    cancellation = request.cancel_requested.cancellation
    if job.HasField("cancellation"):
        before = time_limits.grace_period(job)
        passed = age(job.job_id, before.since)
        if passed + grace >= before.duration:
            return []
        cancellation.CopyFrom(job.cancellation)
        deadline = before.since + passed + grace
    else:
        cancellation.reason = reason
        cancellation.requested_by = requested_by
        cancellation.request_time.CopyFrom(timestamp(now))
        deadline = now + grace
    cancellation.deadline.CopyFrom(timestamp(deadline))
    if grace:
        return [request]
    if not is_leased:
        return [request, _cancelled(job, now, offset=2)]
    return [request, _forced(job, now, _did_not_stop(job, cancellation), offset=2)]


def release(job: Job, now: int) -> list[Event]:
    """The worker gives up the job unharmed, or has stopped it where it is being cancelled."""
    return _requeue(job, now, f"Given back by worker {job.worker_id!r}.")


def assignment_lost(job: Job, now: int) -> list[Event]:
    """Requeue a job whose worker never received the assignment."""
    return _requeue(job, now, f"The assignment did not reach worker {job.worker_id!r}.")


def claimed_again(job: Job, now: int, instance: str) -> list[Event]:
    """Requeue a job for a claim of the instance that has it; no events where another instance has it by now."""
    if job.worker_instance != instance:
        return []
    return _requeue(job, now, f"The claim of worker {job.worker_id!r} was repeated.")


def over_limit(job: Job, now: int) -> list[Event]:
    """Requeue a job before its assignment: other nodes have started as many of its concurrency key as it allows."""
    message = f"As many jobs of the concurrency_key {job.concurrency_key!r} as it allows were started at the same time."
    return _requeue(job, now, message)


def due(job: Job, now: int, *, lease_is_out: bool, age: Age | None = None) -> list[Event]:
    """Apply the limits of time that are reached (rules 14 and 16); ``lease_is_out`` matters only for a leased job.

    The only limits of a job that is being cancelled are its grace period and its lease. ``age`` measures the time that
    has passed; by default by ``now``.
    """
    if has_ended(job):
        return []
    is_over = partial(time_limits.is_over, job.job_id, age=age or _age_at(now))
    if job.state == JobState.JOB_STATE_CANCELLING:
        if is_over(time_limits.grace_period(job)):
            return [_forced(job, now, _did_not_stop(job, job.cancellation))]
        if lease_is_out:
            return [
                _forced(job, now, f"Worker {job.worker_id!r} was not heard from again and lost its lease.")
            ]
        return []
    if is_over(time_limits.timeout(job)):
        message = f"Took longer than its timeout of {_seconds(job.timeout)}."
        return [_failed(job, now, Failure(code="TIMEOUT", message=message))]
    if is_over(time_limits.start_deadline(job)):
        message = f"Did not start within its start_deadline of {_seconds(job.start_deadline)}."
        return [_failed(job, now, Failure(code="START_DEADLINE", message=message))]
    if is_over(time_limits.attempt_timeout(job)):
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
    """Whether the job has left its worker because that was silent for too long."""
    left = (JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_LOST)
    return job.state in left and job.failure.code == _WORKER_LOST


def retry_delay(job: Job, now: int) -> int:
    """Nanoseconds until a QUEUED job may start, by the wall clock ``now``, but never more than its backoff.

    So a clock that was set back since the attempt ended delays the next one by no more than that.
    """
    if not job.HasField("retry_time"):
        return 0
    counted = job.failure.code != RELEASED  # as the fold counts failed attempts
    return max(
        min(instant(job.retry_time) - now, _backoff(job.retry_policy, job.failed_attempts - counted)), 0
    )


def failed_attempt(job: Job, failure: Failure, now: int, *, otherwise: JobState.ValueType) -> Event:
    """End a failed attempt: the job is requeued where its retry policy allows it, and ends as ``otherwise`` if not."""
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
    policy = job.retry_policy
    retryable = failure.retryable or failure.code in policy.retryable_codes
    attempt_left = job.failed_attempts + 1 < policy.max_attempts
    return (
        retryable
        and failure.code not in policy.final_codes
        and attempt_left
        and job.state == JobState.JOB_STATE_RUNNING
    )


def _backoff(policy: RetryPolicy, failed_before: int) -> int:
    initial = nanoseconds(policy.initial_backoff) if policy.HasField("initial_backoff") else _INITIAL_BACKOFF
    longest = nanoseconds(policy.max_backoff) if policy.HasField("max_backoff") else _MAX_BACKOFF
    multiplier = policy.multiplier or _MULTIPLIER
    growth = (
        multiplier**failed_before if failed_before * math.log(multiplier) < _GROWTH_LOG_LIMIT else math.inf
    )
    return int(min(initial * growth, longest)) if initial else 0


def _requeue(job: Job, now: int, message: str) -> list[Event]:
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


def _did_not_stop(job: Job, cancellation: Cancellation) -> str:
    grace = (instant(cancellation.deadline) - instant(cancellation.request_time)) / SECOND
    return f"Worker {job.worker_id!r} did not stop within its grace period of {grace:g} s and lost its lease."


def _age_at(now: int) -> Age:
    return lambda job_id, instant: now - instant


def _seconds(value: Duration) -> str:
    return f"{nanoseconds(value) / SECOND:g} s"
