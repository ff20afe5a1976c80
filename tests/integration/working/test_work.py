"""Working: rules 11 to 15 at the wire."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import (
    Capacity,
    Claim,
    Dispatch,
    ErrorReason,
    Failure,
    Heartbeat,
    JobEnded,
    JobState,
    Release,
    ReportJobRequest,
    Resume,
    RetryPolicy,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
)
from tests.support.rpc import Rpc, connect, error_info, eventually, kinds, log_line, state_name, succeeded
from tests.support.server import Serve


async def test_assignment_and_progress(rpc: Rpc) -> None:
    """Rule 13: the server authors fractions and times; a worker reports amounts."""
    async with rpc.session(worker_id="w-1") as session:
        await rpc.submit(input={"path": "/x"}, stages=[Stage(stage_id="a", weight=3), Stage(stage_id="b")])
        job, token = await session.take()
        assert (job.input["path"], job.worker_id, job.attempt) == ("/x", "w-1", 1)
        await session.report(
            job.job_id,
            token,
            1,
            Update(stage_started=StageStarted(stage=Stage(stage_id="a", total=10, unit="files"))),
            Update(stage_progressed=StageProgressed(stage_id="a", current=4, fraction=0.9, job_fraction=0.9)),
            Update(stage_progressed=StageProgressed(stage_id="a", current=2)),
            Update(stage_ended=StageEnded(stage_id="a", state=StageState.STAGE_STATE_SUCCEEDED)),
            Update(stage_started=StageStarted(stage=Stage(stage_id="b"))),
            succeeded(),
        )
        await session.acknowledged(6)
    events = await rpc.ended(job.job_id)
    progress = [event.stage_progressed for event in events if event.HasField("stage_progressed")]
    assert [(p.current, p.total, p.fraction, round(p.job_fraction, 9)) for p in progress] == [
        (4.0, 10.0, 0.4, 0.3),
        (2.0, 10.0, 0.4, 0.3),
    ]
    assert [event.stage_ended.job_fraction for event in events if event.HasField("stage_ended")] == [0.75]
    final = await rpc.get(job.job_id)
    assert final.fraction == 1.0
    assert [stage.state for stage in final.stages] == [StageState.STAGE_STATE_SUCCEEDED] * 2
    assert all(stage.HasField("end_time") for stage in final.stages)


async def test_duplicate_reports(rpc: Rpc) -> None:
    """Rule 11: a repeated report is acknowledged, and not appended again."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, log_line("1"), log_line("2"))
        await session.report(job.job_id, token, 1, log_line("1"), log_line("2"))
        await session.report(job.job_id, token, 2, log_line("2"), log_line("3"))
        await session.acknowledged(3)
        texts = [
            event.log_written.text for event in await rpc.log(job.job_id) if event.HasField("log_written")
        ]
        assert texts == ["1", "2", "3"]


async def test_report_gap(rpc: Rpc) -> None:
    """Rule 11: a gap is refused with the expected number, and the session goes on."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 3, log_line("3"))
        rejected = (await session.receive("rejected")).rejected
        assert (
            rejected.reason,
            rejected.expected_report_sequence,
        ) == (ErrorReason.ERROR_REASON_REPORT_GAP, 1)
        await session.report(job.job_id, token, 1, log_line("1"))
        await session.acknowledged(1)


async def test_refused_update(rpc: Rpc) -> None:
    """A refused update has used up its number; those around it are accepted."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        bad = Update(stage_progressed=StageProgressed(stage_id="nowhere", current=1))
        await session.report(job.job_id, token, 1, log_line("1"), bad, log_line("3"))
        rejected = (await session.receive("rejected")).rejected
        assert (
            rejected.reason,
            rejected.report_sequence,
            rejected.expected_report_sequence,
            rejected.field,
        ) == (ErrorReason.ERROR_REASON_INVALID_FIELD, 2, 4, "stage_progressed.stage_id")
        await session.acknowledged(3)
        await session.report(job.job_id, token, 4, bad)
        assert (await session.receive("rejected")).rejected.report_sequence == 4
        await session.acknowledged(4)
        await session.report(job.job_id, token, 5, succeeded())
        await session.acknowledged(5)
    assert kinds(await rpc.log(job.job_id)) == [
        "job_submitted",
        "job_started",
        "log_written",
        "log_written",
        "job_ended",
    ]


async def test_after_the_end(rpc: Rpc) -> None:
    """Rule 11: after job_ended only an exact repeat is acknowledged."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, log_line("1"), succeeded())
        await session.acknowledged(2)
        await session.report(job.job_id, token, 1, log_line("1"), succeeded())
        await session.acknowledged(2)
        await session.report(job.job_id, token, 3, log_line("3"))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED


async def test_wrong_lease(rpc: Rpc) -> None:
    """Rule 11: a lease token that is not the attempt's is refused."""
    async with rpc.session() as session:
        await rpc.submit()
        job, _ = await session.take()
        await session.report(job.job_id, "f" * 32, 1, log_line("1"))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST
        await session.report("no-such-job", "f" * 32, 1, log_line("1"))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_NOT_FOUND


async def test_resume_after_reconnect(rpc: Rpc) -> None:
    """Rule 14: a worker that reconnects in time continues after its last acknowledgement."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await session.report(job.job_id, token, 1, log_line("1"), log_line("2"))
        await session.acknowledged(2)
    async with rpc.session() as session:
        await session.send(resume=Resume(job_id=job.job_id, lease_token=token))
        assert (await session.receive("resumed")).resumed.acknowledged_report_sequence == 2
        await session.report(job.job_id, token, 3, succeeded())
        await session.acknowledged(3)
    assert state_name(await rpc.get(job.job_id)) == "SUCCEEDED"


async def test_resume_is_refused(rpc: Rpc) -> None:
    """Resuming requires the lease."""
    async with rpc.session() as session:
        await rpc.submit()
        job, _ = await session.take()
        await session.send(resume=Resume(job_id=job.job_id, lease_token="0" * 32))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST


async def test_release(rpc: Rpc) -> None:
    """A released job goes to the next worker at once, as a new attempt; this counts as no failure."""
    async with rpc.session(max_concurrency=1) as session:
        await rpc.submit()
        job, token = await session.take()
        await session.send(capacity=Capacity(max_concurrency=0))
        await session.send(release=Release(job_id=job.job_id, lease_token=token))
        async with rpc.session(worker_id="second") as second:
            again, second_token = await second.take()
            assert (again.job_id, again.attempt, again.failed_attempts) == (job.job_id, 2, 0)
            await session.report(job.job_id, token, 1, log_line("late"))
            assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST
            await second.report(job.job_id, second_token, 1, succeeded())
            await second.acknowledged(1)
    assert kinds(await rpc.log(job.job_id)) == [
        "job_submitted",
        "job_started",
        "attempt_ended",
        "job_started",
        "job_ended",
    ]


async def test_claim(rpc: Rpc) -> None:
    """A job for another engine is not dispatched; its code claims it, once."""
    async with rpc.session() as session:
        external = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        queued = await rpc.submit()
        job, _ = await session.take()
        assert queued.job_id == job.job_id
        async with rpc.session(kinds=[]) as engine:
            await engine.send(claim=Claim(job_id=external.job_id))
            claimed, token = await engine.take()
            assert external.job_id == claimed.job_id
            await session.send(claim=Claim(job_id=external.job_id))
            assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LEASE_LOST
            await engine.report(claimed.job_id, token, 1, succeeded())
            await engine.acknowledged(1)
        await session.send(claim=Claim(job_id=external.job_id))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
        await session.send(claim=Claim(job_id="nobody"))
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_NOT_FOUND


async def test_claim_of_a_queued_job(rpc: Rpc) -> None:
    """A job of the queue cannot be claimed."""
    queued = await rpc.submit()
    async with rpc.session(kinds=[]) as engine:
        await engine.send(claim=Claim(job_id=queued.job_id))
        assert (await engine.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_INVALID_FIELD
    await rpc.cancel(queued.job_id)


async def test_concurrency(rpc: Rpc) -> None:
    """A worker gets as many jobs as its capacity, in order of submission, and the next when one has ended."""
    submitted = [(await rpc.submit()).job_id for _ in range(3)]
    async with rpc.session(max_concurrency=2) as session:
        first, second = await session.take(), await session.take()
        assert submitted[:2] == [first[0].job_id, second[0].job_id]
        await session.send(heartbeat=Heartbeat())
        await session.report(second[0].job_id, second[1], 1, succeeded())
        responses = [await session.call.read() for _ in range(2)]
        assert {response.WhichOneof("message") for response in responses} == {"acknowledged", "assignment"}


async def test_retry(rpc: Rpc) -> None:
    """A failure that the policy retries sends the job back to the queue; its progress starts again."""
    failure = Failure(code="FLAKY", message="no luck", retryable=True)
    failed = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure))
    async with rpc.session() as session:
        await rpc.submit(
            stages=[Stage(stage_id="a")],
            retry_policy=RetryPolicy(max_attempts=2, initial_backoff=Duration(nanos=10_000_000)),
        )
        job, token = await session.take()
        await session.report(
            job.job_id, token, 1, Update(stage_started=StageStarted(stage=Stage(stage_id="a"))), failed
        )
        await session.acknowledged(2)
        again, second_token = await session.take()
        assert (again.attempt, again.failed_attempts, again.fraction) == (2, 1, 0.0)
        assert [stage.state for stage in again.stages] == [StageState.STAGE_STATE_PENDING]
        await session.report(job.job_id, second_token, 1, failed)
        await session.acknowledged(1)
    events = await rpc.ended(job.job_id)
    assert kinds(events) == [
        "job_submitted",
        "job_started",
        "stage_started",
        "attempt_ended",
        "job_started",
        "job_ended",
    ]
    assert events[-1].job_ended.failure.code == "FLAKY"


async def test_timeout(rpc: Rpc) -> None:
    """A job that runs longer than its timeout FAILED, and its worker gets a rejection."""
    async with rpc.session() as session:
        await rpc.submit(timeout=Duration(seconds=1))
        job, _ = await session.take()
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
    assert (await rpc.ended(job.job_id))[-1].job_ended.failure.code == "TIMEOUT"


async def test_lost_worker(tmp_path: Path, serve: Serve) -> None:
    """Rule 14: a silent worker loses its lease; subscribers never wait for it forever."""
    with serve(tmp_path / "data", "--lease-ttl", "1") as server:
        async with connect(server.address) as rpc:
            async with rpc.session() as session:
                await rpc.submit()
                job, token = await session.take()
            events = await rpc.ended(job.job_id)
            assert (
                events[-1].job_ended.state,
                events[-1].job_ended.failure.code,
            ) == (JobState.JOB_STATE_LOST, "WORKER_LOST")
            async with rpc.session() as session:
                await session.send(resume=Resume(job_id=job.job_id, lease_token=token))
                assert (
                    await session.receive("rejected")
                ).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED


async def test_heartbeats_keep_the_lease(tmp_path: Path, serve: Serve) -> None:
    """A worker without reports keeps its jobs by heartbeats."""
    with serve(tmp_path / "data", "--lease-ttl", "3") as server:
        async with (
            connect(server.address) as rpc,
            rpc.session() as session,
            rpc.session(kinds=["other"]) as silent,
        ):
            await rpc.submit()
            await rpc.submit(kind="other")
            job, token = await session.take()
            lost, _ = await silent.take()

            async def other_is_lost() -> bool:
                await session.send(heartbeat=Heartbeat())
                return state_name(await rpc.get(lost.job_id)) == "LOST"

            await eventually(other_is_lost)
            await session.report(job.job_id, token, 1, succeeded())
            await session.acknowledged(1)


async def test_report_job(rpc: Rpc) -> None:
    """ReportJob has the same rules for scripts, and is refused as a whole."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with rpc.session(kinds=[]) as engine:
        await engine.send(claim=Claim(job_id=job.job_id))
        _, token = await engine.take()

    def request(first: int, *updates: Update) -> ReportJobRequest:
        return ReportJobRequest(
            job_id=job.job_id, lease_token=token, first_report_sequence=first, updates=updates
        )

    assert (await rpc.workers.ReportJob(request(1, log_line("1")))).report_sequence == 1
    assert (await rpc.workers.ReportJob(request(1, log_line("1")))).report_sequence == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.workers.ReportJob(request(2, log_line("2"), Update(stage_ended=StageEnded(stage_id="x"))))
    assert error_info(caught.value).reason == "INVALID_FIELD"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.workers.ReportJob(request(5, log_line("5")))
    assert (
        error_info(caught.value).reason,
        error_info(caught.value).metadata["expected"],
    ) == ("REPORT_GAP", "2")
    await rpc.cancel(job.job_id)
    answer = await rpc.workers.ReportJob(request(2, log_line("2"), succeeded()))
    assert (answer.report_sequence, answer.cancellation.reason) == (3, "enough")
    assert [e.log_written.text for e in await rpc.log(job.job_id) if e.HasField("log_written")] == ["1", "2"]


async def test_answers_say_which_attempt_they_are_about(rpc: Rpc) -> None:
    """A late answer to an earlier attempt names that attempt's lease."""
    async with rpc.session() as session:
        await rpc.submit()
        job, first = await session.take()
        await session.report(job.job_id, first, 1, log_line("1"))
        assert first == (await session.receive("acknowledged")).acknowledged.lease_token
        await session.send(release=Release(job_id=job.job_id, lease_token=first))
        _, second = await session.take()
        await session.report(job.job_id, first, 2, log_line("2"))
        assert first == (await session.receive("rejected")).rejected.lease_token
        await session.report(job.job_id, second, 1, log_line("1"))
        assert second == (await session.receive("acknowledged")).acknowledged.lease_token
