"""Timeouts over the wire: of a job, of an attempt, and of the first start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    Dispatch,
    ErrorReason,
    Event,
    Failure,
    Job,
    JobEnded,
    JobState,
    RetryPolicy,
    Update,
)
from tests.support.rpc import Rpc, connect, kinds
from tests.support.server import Serve

SECOND = Duration(seconds=1)
LONG = Duration(seconds=3600)

_Outcome = TypeVar("_Outcome")


async def within_a_bound(run: Callable[[Duration], Awaitable[_Outcome | None]]) -> _Outcome:
    """The outcome with the first bound that did not end the job before its test could act, as on a busy machine."""
    for seconds in (1, 4, 16, 64):
        outcome = await run(Duration(seconds=seconds))
        if outcome is not None:
            return outcome
    raise AssertionError("each bound ended the job too early")


async def test_a_job_that_does_not_start_in_time_fails(rpc: Rpc) -> None:
    """For jobs of workers and for external jobs."""
    queued = await rpc.submit(start_deadline=SECOND)
    external = await rpc.submit(start_deadline=SECOND, dispatch=Dispatch.DISPATCH_EXTERNAL)
    for job in (queued, external):
        events = await rpc.ended(job.job_id)
        assert kinds(events) == ["job_submitted", "job_ended"]
        failure = events[-1].job_ended.failure
        assert (failure.code, events[-1].job_ended.state) == ("START_DEADLINE", JobState.JOB_STATE_FAILED)


async def test_an_attempt_that_takes_too_long_is_followed_by_another(rpc: Rpc) -> None:
    """According to the policy; the first attempt's worker gets a rejection, and the last timeout fails the job."""
    policy = RetryPolicy(max_attempts=2, initial_backoff=Duration())
    job = await rpc.submit(attempt_timeout=SECOND, retry_policy=policy)
    async with rpc.session(max_concurrency=1) as session:
        await session.take()
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST
        assert (await session.take())[0].attempt == 2
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
    events = await rpc.ended(job.job_id)

    assert kinds(events) == ["job_submitted", "job_started", "attempt_ended", "job_started", "job_ended"]
    codes = [events[2].attempt_ended.failure.code, events[4].job_ended.failure.code]
    assert codes == ["ATTEMPT_TIMEOUT"] * 2


async def test_a_jobs_time_runs_while_it_waits_for_its_next_attempt(rpc: Rpc) -> None:
    """The job ends in the queue."""
    policy = RetryPolicy(max_attempts=9, initial_backoff=LONG, max_backoff=LONG)
    failure = Failure(code="FLAKY", retryable=True)
    failed = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))

    async def run(bound: Duration) -> list[Event] | None:
        job = await rpc.submit(timeout=bound, retry_policy=policy)
        async with rpc.session() as session:
            _, token = await session.take()
            await session.report(job.job_id, token, 1, failed)
            answer = await session.next()
        events = await rpc.ended(job.job_id)
        return events if answer.HasField("acknowledged") else None

    events = await within_a_bound(run)
    assert kinds(events) == ["job_submitted", "job_started", "attempt_ended", "job_ended"]
    assert events[-1].job_ended.failure.code == "TIMEOUT"
    assert (await rpc.get(events[-1].job_id)).failed_attempts == 1


async def test_bounds_hold_over_a_restart(tmp_path: Path, serve: Serve) -> None:
    """Timeouts that expired meanwhile take effect when the server restarts."""
    with serve(tmp_path / "data") as server:
        async with connect(server.address) as rpc:
            waits = await rpc.submit(start_deadline=SECOND)
            external = await rpc.submit(start_deadline=SECOND, dispatch=Dispatch.DISPATCH_EXTERNAL)
            runs = await rpc.submit(kind="runs", timeout=SECOND)
            async with rpc.session(kinds=["runs"]) as session:
                await session.take()
            server.kill()
        server.restart()
        async with connect(server.address) as rpc:
            for job, code in ((waits, "START_DEADLINE"), (external, "START_DEADLINE"), (runs, "TIMEOUT")):
                assert code == (await rpc.ended(job.job_id))[-1].job_ended.failure.code


async def test_cancelling_wins_over_a_timeout(rpc: Rpc) -> None:
    """The timeout ends the grace period; the job is CANCELLED, and its message says why it was forced."""

    async def run(bound: Duration) -> Job | None:
        job = await rpc.submit(timeout=bound)
        async with rpc.session() as session:
            await session.take()
            await rpc.cancel(job.job_id, grace=3600)
            answer = await session.next()
            await rpc.ended(job.job_id)
        if not answer.HasField("cancel"):
            return None
        times = answer.cancel.cancellation
        assert times.HasField("deadline")
        assert times.deadline.ToNanoseconds() - times.request_time.ToNanoseconds() <= bound.ToNanoseconds()
        return job

    job = await within_a_bound(run)
    end = (await rpc.log(job.job_id))[-1].job_ended
    assert (end.state, end.forced) == (JobState.JOB_STATE_CANCELLED, True)
    assert "did not stop within its grace period" in end.message
    assert "lost its lease" in end.message
    assert end.message == (await rpc.get(job.job_id)).message
