"""End attempts and jobs other than by a report: cancellation, deadlines, lost workers, released jobs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from google.protobuf.duration_pb2 import Duration

from milepost.contract import limits
from milepost.contract.job_states import LEASED, has_ended
from milepost.fold import RELEASED
from milepost.server.base.timestamps import SECOND, instant, nanoseconds, timestamp
from milepost.server.decide import time_limits
from milepost.server.decide.next_event import next_event
from milepost.v1 import CancelJobRequest, Cancellation, Event, Failure, Job, JobState, RetryPolicy

_INITIAL_BACKOFF = 1 * SECOND
_MAX_BACKOFF = 300 * SECOND
_MULTIPLIER = 2.0
# Logarithm of the largest backoff growth that is computed: beyond any bound, and without overflow.
_GROWTH_LOG_LIMIT = 50.0
_WORKER_LOST = "WORKER_LOST"


def cancel_requested(request: CancelJobRequest) -> Callable[[Job, int], list[Event]]:
    """The decision on a cancel request; see ``cancel``."""
    grace_period = int(limits.GRACE_PERIOD * SECOND)
    if request.HasField("grace_period"):
        grace_period = nanoseconds(request.grace_period)
    return partial(cancel, reason=request.reason, requested_by="", grace_period=grace_period)


def parent_cancelled(parent: Job) -> Callable[[Job, int], list[Event]]:
    """The decision on a child of a cancelled job, which gets the grace period that its parent got; see ``cancel``."""
    cancellation = parent.cancellation
    return partial(
        cancel,
        reason=cancellation.reason,
        requested_by=f"parent job {parent.job_id}",
        grace_period=max(instant(cancellation.deadline) - instant(cancellation.request_time), 0),
    )


def cancel(job: Job, now: int, *, reason: str, requested_by: str, grace_period: int) -> list[Event]:
    """Cancel a job (rules 16 and 17); ``grace_period`` in nanoseconds.

    A job that has ended stays as it is, a queued job ends at once. Another request changes nothing, unless it shortens
    the time that the worker has left. The deadline is never later than a timeout, so that the worker knows how much
    time it really has.
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
    return [request, _forced(job, now, _did_not_stop(job, cancellation), offset=2)]


def release(job: Job, now: int) -> list[Event]:
    """The worker gives up the job unharmed, or has stopped it where it is being cancelled."""
    return _requeue(job, now, f"Given back by worker {job.worker_id!r}.")


def assignment_lost(job: Job, now: int) -> list[Event]:
    """Requeue a job whose worker never received the assignment."""
    return _requeue(job, now, f"The assignment did not reach worker {job.worker_id!r}.")


def over_limit(job: Job, now: int) -> list[Event]:
    """Requeue a job before its assignment: other nodes have started as many of its concurrency key as it allows."""
    message = f"As many jobs of the concurrency_key {job.concurrency_key!r} as it allows were started at the same time."
    return _requeue(job, now, message)


def due(job: Job, now: int, *, lease_is_out: bool) -> list[Event]:
    """Apply the deadlines that have passed (rules 14 and 16); ``lease_is_out`` matters only for a leased job.

    The only deadlines of a job that is being cancelled are the end of its grace period and that of its lease.
    """
    if has_ended(job):
        return []
    if job.state == JobState.JOB_STATE_CANCELLING:
        if now >= instant(job.cancellation.deadline):
            return [_forced(job, now, _did_not_stop(job, job.cancellation))]
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
    """Whether the job has left its worker because that was silent for too long."""
    left = (JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_LOST)
    return job.state in left and job.failure.code == _WORKER_LOST


def next_deadline(job: Job) -> int | None:
    """The instant of the job's next deadline, leases aside; None where it has none."""
    if job.state == JobState.JOB_STATE_CANCELLING:
        return instant(job.cancellation.deadline)
    return min(time_limits.of(job), default=None)


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
    retryable = failure.retryable or failure.code in job.retry_policy.retryable_codes
    attempt_left = job.failed_attempts + 1 < job.retry_policy.max_attempts
    return retryable and attempt_left and job.state == JobState.JOB_STATE_RUNNING


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
    return f"Worker {job.worker_id!r} did not stop within its grace period of {grace:g} s and was fenced off."


def _seconds(value: Duration) -> str:
    return f"{nanoseconds(value) / SECOND:g} s"
