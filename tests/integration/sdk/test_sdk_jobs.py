"""The SDK: submitting, running, watching, and results."""

from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import Client, JobContext, JobFailure
from milepost.client.errors import (
    EpochChanged,
    JobCancelled,
    JobFailed,
    SequenceAhead,
)
from milepost.fold import fold
from milepost.v1 import Event, JobState, RetryPolicy, Severity, Stage, StageState
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


def payloads(events: list[Event]) -> list[str | None]:
    """The payload names of the events."""
    return [event.WhichOneof("payload") for event in events]


async def archive(job: JobContext) -> dict[str, object]:
    """A handler with reports of every kind."""
    job.plan(["scan", Stage(stage_id="pack", weight=3)])
    async with job.stage("scan", total=2, unit="files") as scan:
        async with scan.stage("deep"):
            scan.advance()
            job.log("found", stage=scan, severity="debug", path="/a")
        scan.advance()
    with job.stage("pack") as pack:
        pack.skip("nothing to pack")
    job.emit("topic", {"name": "weather"})
    job.artifact("manifest", "file:///m.json", size_bytes=2)
    return {"files": 2, "input": job.input}


async def test_a_job_from_submission_to_result(client: Client, kind: str) -> None:
    """Subscribers get the handler's reports in order; waiting callers get its result."""
    # Before the worker starts, which may be faster than the answer.
    job = await client.submit(
        kind, {"path": "/srv", "deep": [1, {"a": None}]}, labels={"team": "a"}, owner="o"
    )
    assert (job.kind, job.state, dict(job.labels)) == (kind, JobState.JOB_STATE_QUEUED, {"team": "a"})
    async with working(client.address, **{kind: archive}):
        events = [event async for event in client.watch(job.job_id)]
        result = await client.result(job.job_id)
    assert result == {"files": 2.0, "input": {"path": "/srv", "deep": [1.0, {"a": None}]}}
    assert list(range(1, len(events) + 1)) == [event.sequence for event in events]
    assert [payload for payload in payloads(events) if payload != "stage_progressed"] == [
        "job_submitted",
        "job_started",
        "stages_planned",
        "stage_started",
        "stage_started",
        "log_written",
        "stage_ended",
        "stage_ended",
        "stage_started",
        "stage_ended",
        "custom",
        "artifact_added",
        "job_ended",
    ]
    log = next(event.log_written for event in events if event.HasField("log_written"))
    assert (
        log.stage_id,
        log.severity,
        log.text,
        log.fields["path"],
    ) == ("scan", Severity.SEVERITY_DEBUG, "found", "/a")
    assert [(stage.stage_id, stage.current) for stage in (await client.get(job.job_id)).stages] == [
        ("scan", 2.0),
        ("pack", 0.0),
        ("deep", 0.0),
    ]


async def test_following_is_folding(client: Client, kind: str) -> None:
    """`follow` starts with the current job, and ends with the job that the server returns."""
    go_on = asyncio.Event()

    async def handler(job: JobContext) -> None:
        async with job.stage("s", total=100) as stage:
            await go_on.wait()
            for _ in stage.track(range(100)):
                await asyncio.sleep(0)

    submitted = await client.submit(kind)
    following = client.follow(submitted.job_id)
    jobs = [await anext(following)]
    async with working(client.address, **{kind: handler}):
        async for job in following:
            jobs.append(job)
            if job.stages:
                go_on.set()
    assert submitted == jobs[0]
    assert sorted(job.last_sequence for job in jobs) == [job.last_sequence for job in jobs]
    assert sorted(job.fraction for job in jobs) == [job.fraction for job in jobs]
    last = await client.get(submitted.job_id)
    assert last == jobs[-1]
    assert last.state == JobState.JOB_STATE_SUCCEEDED
    assert [last] == [job async for job in client.follow(submitted.job_id)]
    folded = fold([event async for event in client.watch(submitted.job_id)])
    folded.epoch, folded.first_sequence = last.epoch, last.first_sequence
    assert last == folded


async def test_a_plain_handler(client: Client, kind: str) -> None:
    """It runs in a thread with the same reports, and does not block the loop."""

    def handler(job: JobContext) -> dict[str, object]:
        with job.stage("s") as stage:
            for number in stage.track([1, 2, 3]):
                job.log(f"line {number}")
        return {"thread": threading.current_thread().name}

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        assert await client.result(job.job_id) == {"thread": f"job {job.job_id}"}
    lines = [
        event.log_written.text async for event in client.watch(job.job_id) if event.HasField("log_written")
    ]
    assert lines == ["line 1", "line 2", "line 3"]


async def test_an_exception_fails_the_job(client: Client, kind: str) -> None:
    """With its class, message and traceback; the open stage fails with it."""

    async def handler(job: JobContext) -> None:
        async with job.stage("s"):
            raise LookupError("no such track")

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        with pytest.raises(JobFailed, match=r"no such track \(LookupError\)") as failed:
            await client.result(job.job_id)
    assert (
        failed.value.failure.code,
        failed.value.failure.message,
        failed.value.failure.retryable,
    ) == ("LookupError", "no such track", True)
    assert "raise LookupError" in failed.value.failure.detail
    (stage,) = failed.value.job.stages
    assert (stage.state, stage.failure.code) == (StageState.STAGE_STATE_FAILED, "LookupError")


async def test_a_failure_that_may_pass_is_tried_again(client: Client, kind: str) -> None:
    """A `JobFailure` says whether it is retryable; the policy limits the attempts."""

    async def handler(job: JobContext) -> dict[str, object]:
        async with job.stage("s"):
            if job.attempt < 3:
                raise JobFailure("BUSY", "The scanner is busy.", retryable=True)
        return {"attempt": job.attempt}

    policy = RetryPolicy(max_attempts=3, initial_backoff=Duration(nanos=1_000_000))
    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind, retry_policy=policy)
        assert await client.result(job.job_id) == {"attempt": 3.0}
    events = [event async for event in client.watch(job.job_id)]
    assert payloads(events).count("attempt_ended") == 2


async def test_cancelling_an_async_handler(client: Client, kind: str) -> None:
    """It is interrupted at an await, and cleans up; waiting callers get the reason."""
    answered, cleaned = asyncio.Event(), asyncio.Event()

    async def handler(job: JobContext) -> None:
        try:
            async with job.stage("s"):
                await asyncio.Event().wait()
        finally:
            assert job.cancelled
            await answered.wait()
            cleaned.set()

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        events = []
        async for event in client.watch(job.job_id):
            events.append(event)
            if event.HasField("stage_started"):
                result = await client.cancel(job.job_id, reason="too late", grace_period=20)
                assert result.state == JobState.JOB_STATE_CANCELLING
                answered.set()
        with pytest.raises(JobCancelled, match="too late") as cancelled:
            await client.result(job.job_id)
    await cleaned.wait()
    assert payloads(events)[-4:] == ["cancel_requested", "cancel_acknowledged", "stage_ended", "job_ended"]
    assert not cancelled.value.cancellation.forced
    assert cancelled.value.job.stages[0].state == StageState.STAGE_STATE_CANCELLED


async def test_cancelling_a_plain_handler(client: Client, kind: str) -> None:
    """It checks for itself, or stops at the next item."""
    started = threading.Event()

    def handler(job: JobContext) -> None:
        started.set()
        with job.stage("s") as stage:
            for _ in stage.track(iter(int, 1)):
                pass

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        await asyncio.to_thread(started.wait)
        await client.cancel(job.job_id)
        with pytest.raises(JobCancelled):
            await client.result(job.job_id)


async def test_completion_may_win(client: Client, kind: str) -> None:
    """A handler that finishes although it was to stop has succeeded (rule 17)."""

    async def handler(job: JobContext) -> dict[str, object]:
        with job.stage("s"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return {"finished": job.cancelled}
        return {}

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        async for event in client.watch(job.job_id):
            if event.HasField("stage_started"):
                await client.cancel(job.job_id)
        assert await client.result(job.job_id) == {"finished": True}


async def test_a_queued_job_is_cancelled_at_once(client: Client, kind: str) -> None:
    """Without a worker (rule 16); a second request changes nothing (rule 17)."""
    job = await client.submit(kind)
    cancelled = await client.cancel(job.job_id, reason="changed my mind")
    assert cancelled.state == JobState.JOB_STATE_CANCELLED
    assert cancelled == await client.cancel(job.job_id)


async def test_a_worker_runs_as_many_jobs_as_it_may(client: Client, kind: str) -> None:
    """At most `max_concurrency` at once, and that many."""
    now, most = 0, 0
    full = asyncio.Event()

    async def handler(job: JobContext) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        now -= 1

    async with working(client.address, max_concurrency=3, **{kind: handler}):
        jobs = [await client.submit(kind) for _ in range(9)]
        for job in jobs:
            await client.result(job.job_id)
    assert most == 3


async def test_waiting_for_a_result_has_a_timeout(client: Client, kind: str) -> None:
    """The job continues."""
    job = await client.submit(kind)
    with pytest.raises(TimeoutError):
        await client.result(job.job_id, timeout=0.05)
    assert (await client.get(job.job_id)).state == JobState.JOB_STATE_QUEUED


async def test_watching_from_a_cursor(client: Client, kind: str) -> None:
    """Only later events come; a cursor that cannot be continued is refused (rules 1, 3 and 4)."""
    async with working(client.address, **{kind: archive}):
        job = await client.submit(kind)
        await client.result(job.job_id)
    last = (await client.get(job.job_id)).last_sequence
    watch = client.watch(job.job_id, after=4)
    assert list(range(5, last + 1)) == [event.sequence async for event in watch]
    assert (
        watch.cursor,
        watch.head,
        watch.caught_up,
        watch.reconnects,
        watch.connection.state,
    ) == (last, last, True, 0, "live")
    assert [event async for event in client.watch(job.job_id, after=last, epoch=watch.epoch)] == []
    assert [event async for event in client.watch(job.job_id, after=last, follow=False)] == []
    with pytest.raises(EpochChanged) as changed:
        await anext(client.watch(job.job_id, after=1, epoch="another"))
    assert ("another", watch.epoch) == (changed.value.requested, changed.value.epoch)
    with pytest.raises(SequenceAhead) as ahead:
        await anext(client.watch(job.job_id, after=last + 1))
    assert (ahead.value.requested, ahead.value.first, ahead.value.head) == (last + 1, 1, last)


async def test_watching_without_following_stops_at_the_head(client: Client, kind: str) -> None:
    """Although the job continues."""
    job = await client.submit(kind)
    watch = client.watch(job.job_id, follow=False)
    assert payloads([event async for event in watch]) == ["job_submitted"]
    assert watch.caught_up


async def test_events_come_in_batches_as_well(client: Client, kind: str) -> None:
    """The same events, also if some were read one by one before."""

    async def handler(job: JobContext) -> None:
        for number in range(2000):
            job.log(str(number))

    async with working(client.address, **{kind: handler}):
        job = await client.submit(kind)
        await client.result(job.job_id)
    watch = client.watch(job.job_id)
    first = [(await anext(watch)).sequence for _ in range(3)]
    rest = [[event.sequence for event in events] async for events in watch.batches()]
    assert list(range(1, 2004)) == first + [sequence for batch in rest for sequence in batch]
    assert len(rest) < 200
    assert watch.cursor == 2003
