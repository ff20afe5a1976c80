"""Cancelling: rules 16 to 18 at the wire."""

from __future__ import annotations

import grpc
import pytest

from milepost.v1 import (
    CancelAcknowledged,
    ErrorReason,
    JobEnded,
    JobState,
    Stage,
    StageStarted,
    StageState,
    Update,
)
from tests.support.rpc import Rpc, error_info, kinds, succeeded


async def test_cancel_queued(rpc: Rpc) -> None:
    """Rule 16: a queued job is cancelled at once."""
    job = await rpc.submit()
    assert (await rpc.cancel(job.job_id)).state == JobState.JOB_STATE_CANCELLED
    events = await rpc.log(job.job_id)
    assert kinds(events) == ["job_submitted", "cancel_requested", "job_ended"]
    assert not events[-1].job_ended.forced


async def test_cancel_running(rpc: Rpc) -> None:
    """Rule 16: CANCELLING on request, acknowledged when the worker has it, CANCELLED when it has stopped."""
    async with rpc.session() as session:
        await rpc.submit(stages=[Stage(stage_id="a"), Stage(stage_id="b")])
        job, token = await session.take()
        await session.report(
            job.job_id, token, 1, Update(stage_started=StageStarted(stage=Stage(stage_id="a")))
        )
        await session.acknowledged(1)
        assert (await rpc.cancel(job.job_id)).state == JobState.JOB_STATE_CANCELLING
        result = (await session.receive("cancel")).cancel
        assert (job.job_id, "enough") == (result.job_id, result.cancellation.reason)
        await session.report(job.job_id, token, 2, Update(cancel_acknowledged=CancelAcknowledged()))
        await session.acknowledged(2)
        await session.report(
            job.job_id, token, 3, Update(job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED))
        )
        await session.acknowledged(3)
    final = await rpc.get(job.job_id)
    assert (final.state, final.cancellation.forced) == (JobState.JOB_STATE_CANCELLED, False)
    assert final.cancellation.HasField("acknowledge_time")
    assert [stage.state for stage in final.stages] == [StageState.STAGE_STATE_CANCELLED] * 2


async def test_cancel_is_idempotent(rpc: Rpc) -> None:
    """Rule 17: asking again changes nothing; an ended job is returned as it ended."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        first = await rpc.cancel(job.job_id)
        assert first == await rpc.cancel(job.job_id)
        await session.receive("cancel")
        await session.report(job.job_id, token, 1, succeeded())
        await session.acknowledged(1)
    final = await rpc.cancel(job.job_id)
    assert final.state == JobState.JOB_STATE_SUCCEEDED
    assert kinds(await rpc.log(job.job_id)) == [
        "job_submitted",
        "job_started",
        "cancel_requested",
        "job_ended",
    ]


async def test_forced_cancel(rpc: Rpc) -> None:
    """Rule 16: if the grace period passes first, the job is CANCELLED with `forced`, and its worker loses its lease."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        await rpc.cancel(job.job_id, grace=0.05)
        await session.receive("cancel")
        rejected = (await session.receive("rejected")).rejected
        assert rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
        await session.report(job.job_id, token, 1, succeeded())
        assert (await session.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
    events = await rpc.ended(job.job_id)
    assert kinds(events) == ["job_submitted", "job_started", "cancel_requested", "job_ended"]
    assert events[-1].job_ended.forced


async def test_cancel_with_less_grace(rpc: Rpc) -> None:
    """A second request with a shorter grace period brings the deadline forward."""
    async with rpc.session() as session:
        await rpc.submit()
        job, _ = await session.take()
        await rpc.cancel(job.job_id)
        assert (await rpc.cancel(job.job_id, grace=0)).state == JobState.JOB_STATE_CANCELLED
    assert (await rpc.get(job.job_id)).cancellation.forced


async def test_cancel_reaches_children(rpc: Rpc) -> None:
    """Rule 18: cancelling a job cancels its children, and theirs."""
    parent = await rpc.submit()
    child = await rpc.submit(parent_job_id=parent.job_id)
    grandchild = await rpc.submit(parent_job_id=child.job_id)
    await rpc.cancel(parent.job_id)
    events = await rpc.ended(grandchild.job_id)
    assert kinds(events) == ["job_submitted", "cancel_requested", "job_ended"]
    assert events[1].cancel_requested.cancellation.requested_by == f"parent job {child.job_id}"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.submit(parent_job_id=parent.job_id)
    assert error_info(caught.value).reason == "JOB_ENDED"
