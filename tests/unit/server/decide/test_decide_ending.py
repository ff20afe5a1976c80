"""Ends of attempts and jobs other than by their worker: details that the table leaves out."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.decide import time_limits
from milepost.server.messages.timestamps import SECOND, instant
from milepost.v1 import Event, Failure, JobEnded, JobState, RetryPolicy, SubmitJobRequest, Update
from tests.unit.server.states import NOW, STATES, apply, ended, run, submitted


def ask(state: Fold, grace: float, *, now: int = NOW) -> list[Event]:
    """Request cancellation."""
    return decide.cancel(state.job, reason="r", requested_by="b", grace_period=int(grace * SECOND), now=now)


def time_left(state: Fold, *, now: int = NOW) -> int | None:
    """Nanoseconds to the job's next limit of time; None where it has none."""
    limits = time_limits.of(state.job)
    return min(
        (time_limits.left("job", limit, lambda job_id, instant: now - instant) for limit in limits),
        default=None,
    )


def fail(state: Fold, *, code: str = "X", retryable: bool = True) -> Event:
    """The event of a worker's failure."""
    failure = Failure(code=code, message="m", retryable=retryable)
    end = JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure)
    return decide.report(state, Update(job_ended=end), NOW)


def test_cancelling_says_who_why_and_by_when() -> None:
    """Rule 16: the request has the deadline for the worker."""
    (event,) = ask(run(), 10)

    result = event.cancel_requested.cancellation
    assert (result.reason, result.requested_by) == ("r", "b")
    assert (instant(result.request_time), instant(result.deadline)) == (NOW, NOW + 10 * SECOND)


def test_asking_again_later_changes_nothing() -> None:
    """Rule 17: the first deadline stands."""
    state = apply(run(), ask(run(), 10))

    assert ask(state, 10) == []
    assert ask(state, 60, now=NOW + SECOND) == []


def test_asking_again_for_sooner_moves_the_deadline_only() -> None:
    """A later request may shorten the grace period; requester and reason of the first stay."""
    state = apply(run(), ask(run(), 10))
    (event,) = decide.cancel(state.job, reason="now!", requested_by="c", grace_period=SECOND, now=NOW)

    result = event.cancel_requested.cancellation
    assert (result.reason, result.requested_by, instant(result.request_time)) == ("r", "b", NOW)
    assert instant(result.deadline) == NOW + SECOND


def test_a_queued_job_is_cancelled_at_once_and_not_by_force() -> None:
    """Rule 16: there is no worker to wait for."""
    _, end = ask(submitted(), 10)

    assert end.job_ended == JobEnded(state=JobState.JOB_STATE_CANCELLED)


def test_a_parent_cancels_only_jobs_that_are_its_children() -> None:
    """Rule 18: by the time that a child is cancelled, its id may be that of a later job, perhaps of another owner."""
    parent = apply(run(), ask(run(), 10)).job
    decision = decide.parent_cancelled(parent, lambda job_id, instant: 0)
    child, later = (submitted(SubmitJobRequest(kind="k", parent_job_id=name)).job for name in ("j", ""))

    assert [len(decision(job, NOW)) for job in (child, later)] == [2, 0]


def test_the_earlier_of_grace_period_and_timeout_counts() -> None:
    """Of the grace period and the timeout the earlier one counts."""
    state = run(SubmitJobRequest(kind="k", timeout=Duration(seconds=60)))
    assert time_left(state) == 60 * SECOND

    apply(state, ask(state, 10))
    assert time_left(state) == 10 * SECOND


def test_the_grace_does_not_reach_past_a_timeout() -> None:
    """The deadline is at most the timeout, and cancelling wins; a later request with more grace changes nothing."""
    request = SubmitJobRequest(kind="k", timeout=Duration(seconds=60), attempt_timeout=Duration(seconds=20))
    state = apply(run(request), ask(run(request), 30))
    assert instant(state.job.cancellation.deadline) == NOW + 20 * SECOND
    assert ask(state, 60) == []

    (event,) = decide.due(state.job, NOW + 100 * SECOND, lease_is_out=True)
    assert (event.job_ended.state, event.job_ended.forced) == (JobState.JOB_STATE_CANCELLED, True)


def bounded(timeout: int = 0, attempt_timeout: int = 0, start_deadline: int = 0) -> SubmitJobRequest:
    """A job with these bounds in seconds, 0 for none, and many attempts."""
    return SubmitJobRequest(
        kind="k",
        retry_policy=RetryPolicy(max_attempts=9, initial_backoff=Duration(seconds=5)),
        timeout=Duration(seconds=timeout) if timeout else None,
        attempt_timeout=Duration(seconds=attempt_timeout) if attempt_timeout else None,
        start_deadline=Duration(seconds=start_deadline) if start_deadline else None,
    )


def test_the_timeout_is_the_whole_jobs() -> None:
    """It runs from the start of the first attempt, through waits and further attempts, to the end."""
    state = run(bounded(timeout=60))
    apply(state, decide.due(state.job, NOW + 30 * SECOND, lease_is_out=True))
    assert time_left(state) == 60 * SECOND
    assert decide.due(state.job, NOW + 60 * SECOND - 1, lease_is_out=False) == []
    (while_it_waits,) = decide.due(state.job, NOW + 60 * SECOND, lease_is_out=False)
    assert _failed(while_it_waits) == ("TIMEOUT", False)

    apply(state, [decide.start(state.job, "w", NOW + 35 * SECOND)])
    assert time_left(state) == 60 * SECOND
    (while_it_runs,) = decide.due(state.job, NOW + 60 * SECOND, lease_is_out=False)
    assert _failed(while_it_runs) == ("TIMEOUT", False)


def test_an_attempt_has_a_timeout_of_its_own() -> None:
    """Each from its own start; another attempt follows if the policy says so."""
    state = run(bounded(attempt_timeout=10))
    assert decide.due(state.job, NOW + 10 * SECOND - 1, lease_is_out=False) == []
    (event,) = decide.due(state.job, NOW + 10 * SECOND, lease_is_out=False)
    assert (
        event.attempt_ended.failure.code,
        event.attempt_ended.failure.retryable,
    ) == ("ATTEMPT_TIMEOUT", True)
    assert instant(event.attempt_ended.retry_time) == NOW + 15 * SECOND
    apply(state, [event])
    assert time_left(state) is None

    apply(state, [decide.start(state.job, "w", NOW + 15 * SECOND)])
    assert time_left(state) == 25 * SECOND


def test_the_last_attempt_that_takes_too_long_fails_the_job() -> None:
    """No attempt is left."""
    request = SubmitJobRequest(kind="k", attempt_timeout=Duration(seconds=10))
    (event,) = decide.due(run(request).job, NOW + 10 * SECOND, lease_is_out=False)

    assert _failed(event) == ("ATTEMPT_TIMEOUT", True)


def test_of_two_bounds_the_jobs_own_counts() -> None:
    """A job past its timeout is not retried."""
    (event,) = decide.due(
        run(bounded(timeout=10, attempt_timeout=10)).job, NOW + 10 * SECOND, lease_is_out=True
    )

    assert _failed(event) == ("TIMEOUT", False)


def test_a_job_starts_in_time_or_not_at_all() -> None:
    """The bound is from submission to the first start; later waits have none."""
    state = submitted(bounded(start_deadline=10))
    assert time_left(state) == 10 * SECOND
    assert decide.due(state.job, NOW + 10 * SECOND - 1, lease_is_out=False) == []
    (event,) = decide.due(state.job, NOW + 10 * SECOND, lease_is_out=False)
    assert _failed(event) == ("START_DEADLINE", False)

    apply(state, [decide.start(state.job, "w", NOW)])
    apply(state, decide.release(state.job, NOW))
    assert time_left(state) is None
    assert decide.due(state.job, NOW + 10 * SECOND, lease_is_out=False) == []


def test_what_an_older_server_started_has_its_timeout() -> None:
    """An older server stored only the start of the last attempt."""
    state = run(bounded(timeout=60))
    state.job.ClearField("first_start_time")

    assert time_left(state) == 60 * SECOND


def _failed(event: Event) -> tuple[str, bool]:
    assert event.job_ended.state == JobState.JOB_STATE_FAILED
    return event.job_ended.failure.code, event.job_ended.failure.retryable


@pytest.mark.parametrize("name", [name for name in STATES if name not in ("RUNNING", "CANCELLING")])
def test_a_job_without_a_worker_has_no_deadline(name: str) -> None:
    """Nothing is ever due."""
    state = STATES[name]()

    assert time_left(state) is None
    assert decide.due(state.job, 10 * NOW, lease_is_out=True) == []


def test_nothing_is_due_before_its_time() -> None:
    """Nothing happens a nanosecond early."""
    state = run(SubmitJobRequest(kind="k", timeout=Duration(seconds=60)))
    assert decide.due(state.job, NOW + 60 * SECOND - 1, lease_is_out=False) == []

    apply(state, ask(state, 10))
    assert decide.due(state.job, NOW + 10 * SECOND - 1, lease_is_out=False) == []


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (RetryPolicy(max_attempts=9), [1, 2, 4, 8]),
        (
            RetryPolicy(max_attempts=9, initial_backoff=Duration(nanos=5 * 10**8), multiplier=3),
            [0.5, 1.5, 4.5],
        ),
        (RetryPolicy(max_attempts=9, max_backoff=Duration(seconds=3)), [1, 2, 3, 3]),
        (RetryPolicy(max_attempts=9, multiplier=1), [1, 1, 1]),
        (RetryPolicy(max_attempts=9, initial_backoff=Duration()), [0, 0, 0]),
        (RetryPolicy(max_attempts=9, multiplier=100), [1, 100, 300, 300]),
    ],
    ids=["default", "given", "bounded", "steady", "none", "steep"],
)
def test_the_wait_before_a_retry_grows(policy: RetryPolicy, waits: list[float]) -> None:
    """Exponential in the failed attempts, up to a bound."""
    state = run(SubmitJobRequest(kind="k", retry_policy=policy))
    found = []
    for _ in waits:
        event = fail(state)
        found.append((instant(event.attempt_ended.retry_time) - NOW) / SECOND)
        apply(state, [event])
        apply(state, [decide.start(state.job, "w", NOW)])

    assert waits == found


@pytest.mark.parametrize("multiplier", [1.0, 1.5, 2.0, 100.0])
@pytest.mark.parametrize("backoff", [0, 1, 300, 315_576_000_000])
def test_the_backoff_is_finite_after_any_number_of_failures(multiplier: float, backoff: int) -> None:
    """No overflow, and no instant beyond the range of Timestamp."""
    wait = Duration(seconds=backoff)
    policy = RetryPolicy(max_attempts=1000, initial_backoff=wait, max_backoff=wait, multiplier=multiplier)
    state = run(SubmitJobRequest(kind="k", retry_policy=policy))

    for failed in (0, 1, 150, 998):
        state.job.failed_attempts = failed
        event = fail(state)
        expected = min(NOW + backoff * SECOND, 253_402_300_800 * SECOND - 1)
        assert instant(event.attempt_ended.retry_time) == expected
        assert event.attempt_ended.retry_time.ToJsonString()


@pytest.mark.parametrize(
    ("policy", "code", "retryable", "again"),
    [
        (RetryPolicy(max_attempts=2), "X", True, True),
        (RetryPolicy(max_attempts=2), "X", False, False),
        (RetryPolicy(max_attempts=2, retryable_codes=["X"]), "X", False, True),
        (RetryPolicy(max_attempts=2, retryable_codes=["X"]), "Y", False, False),
        (RetryPolicy(max_attempts=2, final_codes=["X"]), "X", True, False),
        (RetryPolicy(max_attempts=2, final_codes=["X"]), "Y", True, True),
        (RetryPolicy(max_attempts=2, retryable_codes=["X"], final_codes=["X"]), "X", False, False),
        (RetryPolicy(max_attempts=1), "X", True, False),
        (RetryPolicy(), "X", True, False),
        (None, "X", True, False),
    ],
)
def test_a_failure_is_retried_if_it_may_be_and_attempts_are_left(
    policy: RetryPolicy | None, code: str, retryable: bool, again: bool
) -> None:
    """The failure is marked as retryable, or the policy lists its code, and does not list it as final."""
    request = SubmitJobRequest(kind="k", retry_policy=policy)

    event = fail(run(request), code=code, retryable=retryable)

    assert ("attempt_ended" if again else "job_ended") == event.WhichOneof("payload")


def test_the_last_attempt_that_fails_ends_the_job() -> None:
    """Rule 14: a job has as many attempts as the policy says."""
    state = run(SubmitJobRequest(kind="k", retry_policy=RetryPolicy(max_attempts=3)))
    for _ in range(2):
        apply(state, [fail(state)])
        assert state.job.state == JobState.JOB_STATE_QUEUED
        apply(state, [decide.start(state.job, "w", NOW)])

    apply(state, [fail(state)])

    assert (state.job.state, state.job.failed_attempts) == (JobState.JOB_STATE_FAILED, 3)


def test_giving_a_job_back_costs_no_attempt() -> None:
    """However often the job is released."""
    state = run()
    for attempt in (2, 3, 4):
        apply(state, decide.release(state.job, NOW))
        apply(state, [decide.start(state.job, "w", NOW)])
        assert (attempt, 0) == (state.job.attempt, state.job.failed_attempts)


def test_a_timeout_is_not_retried() -> None:
    """An attempt that took too long would do so again."""
    request = SubmitJobRequest(
        kind="k",
        timeout=Duration(seconds=60),
        retry_policy=RetryPolicy(max_attempts=9, retryable_codes=["TIMEOUT"]),
    )
    (event,) = decide.due(run(request).job, NOW + 60 * SECOND, lease_is_out=True)

    assert (event.job_ended.failure.code, event.job_ended.state) == ("TIMEOUT", JobState.JOB_STATE_FAILED)


def test_a_worker_that_is_lost_is_named() -> None:
    """Rule 14: the failure names the worker, and is retryable."""
    (event,) = decide.due(run().job, NOW, lease_is_out=True)

    failure = event.job_ended.failure
    assert (
        failure.code,
        failure.retryable,
        event.job_ended.state,
    ) == ("WORKER_LOST", True, JobState.JOB_STATE_LOST)
    assert "'w'" in failure.message


def test_completion_may_win_against_cancellation() -> None:
    """Rule 17: a worker that is done before it gets the cancellation reports success."""
    state = apply(run(), ask(run(), 10))
    apply(state, [decide.report(state, ended(JobState.JOB_STATE_SUCCEEDED), NOW)])

    assert state.job.state == JobState.JOB_STATE_SUCCEEDED
    assert ask(state, 0) == []
