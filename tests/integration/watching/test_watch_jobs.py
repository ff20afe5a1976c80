"""Watches of many jobs: filters, positions, snapshots, and jobs that begin or cease to match."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    Delivery,
    Event,
    GetJobRequest,
    JobFilter,
    JobState,
    OnGap,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WatchJobsRequest,
    WatchJobsResponse,
)
from tests.support.rpc import Rpc, connect, error_info, kinds, log_line, succeeded
from tests.support.server import Server
from tests.support.validators import EventView, History, Recording, Stream, check


async def frames_of(rpc: Rpc, wanted: JobFilter | None = None, **request: Any) -> list[WatchJobsResponse]:
    """All frames of a watch that ends at the head; of this test's own kind of job if no filter is given."""
    wanted = wanted or JobFilter(kinds=[rpc.kind])
    call = rpc.jobs.WatchJobs(WatchJobsRequest(filter=wanted, no_follow=True, **request))
    return [frame async for frame in call]


def names(frames: list[WatchJobsResponse]) -> list[str | None]:
    """The names of the frames."""
    return [frame.WhichOneof("frame") for frame in frames]


def events_of(frames: list[WatchJobsResponse], job_id: str = "") -> list[Event]:
    """The events in the frames, of one job or of all."""
    return [e for frame in frames for e in frame.events.events if job_id in ("", e.job_id)]


async def run(rpc: Rpc, job_id: str, lines: int = 1) -> None:
    """Run a queued job of the test to its end."""
    async with rpc.session() as session:
        job, token = await session.take()
        assert job_id == job.job_id
        await session.report(job_id, token, 1, *[log_line(str(n)) for n in range(lines)], succeeded())
        await session.acknowledged(lines + 1)
        await session.leave()


async def test_logs_of_all_jobs(rpc: Rpc) -> None:
    """Each job's log is complete and in order within the feed; each frame has the position to resume at."""
    for _ in range(3):
        await run(rpc, (await rpc.submit()).job_id)
    frames = await frames_of(rpc)
    assert (names(frames)[0], names(frames)[-1]) == ("opened", "caught_up")
    job_ids = {event.job_id for event in events_of(frames)}
    assert len(job_ids) == 3
    for job_id in job_ids:
        assert await rpc.log(job_id) == events_of(frames, job_id)
    positions = [frame.events.position for frame in frames if frame.HasField("events")]
    assert sorted(set(positions)) == positions
    assert positions[-1] <= frames[-1].caught_up.sequence
    check(Recording.of(frames, follows=False), History.of_feed(await frames_of(rpc, max_batch_events=1)))


async def test_resume_from_each_position(rpc: Rpc) -> None:
    """A watch resumes at any position with the events after it, each once (rule 2)."""
    for _ in range(2):
        await run(rpc, (await rpc.submit()).job_id)
    whole = await frames_of(rpc, max_batch_events=1)
    history = History.of_feed(whole)
    for index, frame in enumerate(whole):
        if frame.HasField("events"):
            position = frame.events.position
            rest = await frames_of(rpc, max_batch_events=2, after_position=position)
            assert events_of(whole[index + 1 :]) == events_of(rest)
            seen = Stream(frames=list(whole[: index + 1]))
            check(Recording([seen, *Recording.of(rest, cursor=position, follows=False).streams]), history)


async def test_the_latest_progress_of_each_job(rpc: Rpc) -> None:
    """Stages of one name in two jobs are two stages, and do not hide each other's progress (rule 8)."""
    job_ids = [(await rpc.submit()).job_id for _ in range(2)]
    started = Update(stage_started=StageStarted(stage=Stage(stage_id="s")))
    async with rpc.session(max_concurrency=2) as session:
        for job, token in [await session.take() for _ in job_ids]:
            progress = [
                Update(stage_progressed=StageProgressed(stage_id="s", current=number)) for number in range(3)
            ]
            await session.report(job.job_id, token, 1, started, *progress)
            await session.acknowledged(4)

    shown = events_of(await frames_of(rpc, delivery=Delivery.DELIVERY_LATEST))
    assert [(job_id, 2.0) for job_id in sorted(job_ids)] == sorted(
        (event.job_id, event.stage_progressed.current)
        for event in shown
        if event.HasField("stage_progressed")
    )


@pytest.mark.parametrize("by", ["owner", "labels", "job_ids", "parent_job_id", "kinds"])
async def test_filters(rpc: Rpc, by: str) -> None:
    """Only matching jobs are sent, live and from the log."""
    parent = await rpc.submit()
    wanted = {
        "owner": JobFilter(owner=rpc.kind),
        "labels": JobFilter(labels={"for": rpc.kind}),
        "job_ids": JobFilter(job_ids=[f"{rpc.kind}-yes"]),
        "parent_job_id": JobFilter(parent_job_id=parent.job_id),
        "kinds": JobFilter(kinds=[f"{rpc.kind}-other"]),
    }[by]
    call = rpc.jobs.WatchJobs(WatchJobsRequest(filter=wanted, from_latest=True))
    assert (await next_frame(call)).WhichOneof("frame") == "opened"
    assert (await next_frame(call)).WhichOneof("frame") == "caught_up"
    await rpc.submit(job_id=f"{rpc.kind}-no", kind=rpc.kind)
    await rpc.submit(
        job_id=f"{rpc.kind}-yes",
        owner=rpc.kind,
        labels={"for": rpc.kind, "other": "x"},
        parent_job_id=parent.job_id,
        kind=f"{rpc.kind}-other",
    )
    assert [event.job_id for event in (await next_frame(call)).events.events] == [f"{rpc.kind}-yes"]
    call.cancel()
    shown = {event.job_id for event in events_of(await frames_of(rpc, wanted))}
    assert shown - {parent.job_id} == {f"{rpc.kind}-yes"}
    # A parent matches with its children.
    assert (parent.job_id in shown) == (by == "parent_job_id")


async def next_frame(call: Any) -> WatchJobsResponse:
    """Receive the next frame of an open watch."""
    frame = await call.read()
    assert isinstance(frame, WatchJobsResponse), "the stream ended"
    return frame


@pytest.mark.parametrize("live", [True, False])
async def test_comes_to_match(rpc: Rpc, live: bool) -> None:
    """A job that begins to match comes with a snapshot; one that ceases to match, with the event that changes it."""
    wanted = JobFilter(kinds=[rpc.kind], states=[JobState.JOB_STATE_RUNNING])
    call = rpc.jobs.WatchJobs(WatchJobsRequest(filter=wanted))
    seen = [await next_frame(call), await next_frame(call)]
    assert names(seen) == ["opened", "caught_up"]
    job = await rpc.submit()
    await run(rpc, job.job_id)
    if live:
        frames = [await next_frame(call)]
        while not any(event.HasField("job_ended") for event in events_of(frames)):
            frames.append(await next_frame(call))
    else:
        frames = [f for f in await frames_of(rpc, wanted) if f.WhichOneof("frame") in ("snapshot", "events")]
    call.cancel()
    assert names(frames)[0] == "snapshot"
    snapshot = frames[0].snapshot.job
    shown = [event.sequence for event in events_of(frames)]
    assert list(range(snapshot.last_sequence + 1, 5)) == shown
    history = History.of_feed(await frames_of(rpc, max_batch_events=1))
    stream = Stream(frames=[*seen, *frames] if live else [seen[0], *frames])
    check(Recording([stream]), history, EventView.of_filter(wanted))


async def test_from_snapshot(rpc: Rpc) -> None:
    """The stream begins with the current state of all matching jobs, and continues without a gap."""
    done = await rpc.submit()
    await run(rpc, done.job_id)
    waiting = await rpc.submit(input={"a": 1})
    call = rpc.jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), from_snapshot=True))
    frames = [await next_frame(call)]
    while names(frames)[-1] != "caught_up":
        frames.append(await next_frame(call))
    document = {
        frame.snapshot.job.job_id: frame.snapshot.job for frame in frames if frame.HasField("snapshot")
    }
    for job_id in (done.job_id, waiting.job_id):
        assert (await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))).job == document[job_id]
    assert events_of(frames) == []
    await rpc.jobs.CancelJob(CancelJobRequest(job_id=waiting.job_id))
    frames.append(await next_frame(call))
    assert [event.sequence for event in events_of(frames)] == [2, 3]
    call.cancel()
    check(
        Recording([Stream(None, frames=list(frames))]),
        History.of_feed(await frames_of(rpc, max_batch_events=1)),
    )


async def test_deleted(rpc: Rpc) -> None:
    """A deletion is sent; the watch of the job itself ends with NOT_FOUND, and its id is free again."""
    job = await rpc.submit()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))
    assert error_info(caught.value).reason == "JOB_NOT_ENDED"
    call = rpc.jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), from_latest=True))
    assert names([await next_frame(call), await next_frame(call)]) == ["opened", "caught_up"]
    await run(rpc, job.job_id)
    await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job.job_id))
    frames = [await next_frame(call)]
    while names(frames)[-1] != "deleted":
        frames.append(await next_frame(call))
    assert job.job_id == frames[-1].deleted.job_id
    call.cancel()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id))
    assert error_info(caught.value).reason == "JOB_NOT_FOUND"
    assert (await rpc.submit(job_id=job.job_id)).last_sequence == 1


async def test_dropped_positions(server: Server) -> None:
    """Rule 3: a position after which events were dropped is refused, or answered with snapshots."""
    async with connect(server.address) as rpc:
        first, second = await rpc.submit(), await rpc.submit()
        await rpc.jobs.CancelJob(CancelJobRequest(job_id=first.job_id))
        position = (await frames_of(rpc))[-1].caught_up.sequence
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=first.job_id))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await frames_of(rpc, after_position=1)
        assert caught.value.code() == grpc.StatusCode.OUT_OF_RANGE
        assert error_info(caught.value).reason == "SEQUENCE_TRIMMED"
        assert names(await frames_of(rpc, after_position=position)) == ["opened", "deleted", "caught_up"]
        frames = await frames_of(rpc, after_position=1, on_gap=OnGap.ON_GAP_SNAPSHOT)
        assert names(frames) == ["opened", "snapshot", "caught_up"]
        assert second.job_id == frames[1].snapshot.job.job_id
    server.kill()
    server.restart()
    async with connect(server.address) as again:
        again.kind = rpc.kind
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await frames_of(again, after_position=1)
        assert error_info(caught.value).reason == "SEQUENCE_TRIMMED"


async def test_event_filter_and_cursor(rpc: Rpc) -> None:
    """An event filter hides events; the stream's position still advances past them."""
    job = await rpc.submit()
    await run(rpc, job.job_id, lines=5)
    frames = await frames_of(rpc, event_filter={"payloads": ["job_ended"]})
    assert kinds(events_of(frames)) == ["job_ended"]
    assert frames[-1].caught_up.sequence >= max(f.events.position for f in await frames_of(rpc))
