"""Retention, and the progress of parents."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.fold import fold
from milepost.v1 import (
    Job,
    JobFilter,
    ListJobsRequest,
    OnGap,
    Retention,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WatchJobRequest,
)
from tests.support.rpc import Rpc, connect, error_info, eventually, kinds, log_line, succeeded
from tests.support.server import Serve, Server

NOW = Duration()
HOUR = Duration(seconds=3600)


async def finished(rpc: Rpc, retention: Retention, *updates: Update, request_id: str = "r") -> Job:
    """Run a job with these updates to its end."""
    async with rpc.session() as session:
        await rpc.submit(request_id=request_id, retention=retention)
        job, token = await session.take()
        await session.report(job.job_id, token, 1, *updates, succeeded())
        await session.acknowledged(len(updates) + 1)
    return job


@pytest.fixture
def sweeping(tmp_path: Path, serve: Serve) -> Server:
    """A server with continuous sweeps, not started yet."""
    return serve(tmp_path / "data", "--sweep-interval", "0.05")


async def test_events_are_dropped(sweeping: Server) -> None:
    """Rule 3: a trimmed log starts later; an earlier cursor is refused, or answered with a snapshot."""
    with sweeping as server:
        async with connect(server.address) as rpc:
            job = await finished(rpc, Retention(keep_events=NOW), log_line("1"))

            async def is_dropped() -> bool:
                return (await rpc.get(job.job_id)).first_sequence == 5

            await eventually(is_dropped)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rpc.log(job.job_id)
            info = error_info(caught.value)
            assert (
                info.reason,
                dict(info.metadata),
            ) == ("SEQUENCE_TRIMMED", {"requested": "0", "first": "5", "head": "4"})
            request = WatchJobRequest(job_id=job.job_id, on_gap=OnGap.ON_GAP_SNAPSHOT)
            frames = [frame async for frame in rpc.jobs.WatchJob(request)]
            assert [frame.WhichOneof("frame") for frame in frames] == ["opened", "snapshot", "caught_up"]
            assert await rpc.get(job.job_id) == frames[1].snapshot.job
            # Its submission can still be repeated, although the event is gone.
            assert await rpc.get(job.job_id) == await rpc.submit(
                request_id="r", retention=Retention(keep_events=NOW)
            )
            # A cursor at the head is not affected.
            assert [f async for f in rpc.watch(job.job_id, after_sequence=4) if f.HasField("events")] == []


async def test_jobs_are_deleted(sweeping: Server) -> None:
    """A job is deleted after its retention time."""
    with sweeping as server:
        async with connect(server.address) as rpc:
            job = await finished(rpc, Retention(keep_job=NOW))

            async def is_still_there() -> bool:
                await rpc.get(job.job_id)
                return False

            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await eventually(is_still_there)
            assert error_info(caught.value).reason == "JOB_NOT_FOUND"


async def test_retention_of_a_job_overrides_that_of_the_server(tmp_path: Path, serve: Serve) -> None:
    """Of three ended jobs one has the server's retention, one retains the job, and one its events too."""
    options = ("--sweep-interval", "0.05", "--keep-events", "0", "--keep-jobs", "0s")
    with serve(tmp_path / "data", *options) as server:
        async with connect(server.address) as rpc:
            whole = await finished(rpc, Retention(keep_events=HOUR, keep_job=HOUR), request_id="whole")
            alone = await finished(rpc, Retention(keep_job=HOUR), request_id="alone")
            await finished(rpc, Retention(), request_id="gone")  # which is looked at last

            async def is_so() -> bool:
                jobs = (await rpc.jobs.ListJobs(ListJobsRequest(filter=JobFilter(kinds=[rpc.kind])))).jobs
                return {whole.job_id: 1, alone.job_id: 4} == {job.job_id: job.first_sequence for job in jobs}

            await eventually(is_so)


async def test_progress_is_thinned(tmp_path: Path, serve: Serve) -> None:
    """Thinning leaves only the newest progress of each stage of an ended job; the fold stays the same."""
    start = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=10)))
    progress = [Update(stage_progressed=StageProgressed(stage_id="s", current=n)) for n in range(1, 10)]
    options = ("--sweep-interval", "0.05", "--keep-progress", "0")
    with serve(tmp_path / "data", *options) as server:
        async with connect(server.address) as rpc:
            job = await finished(rpc, Retention(), start, *progress, log_line("done"))

            async def is_thinned() -> bool:
                return (await rpc.get(job.job_id)).thinned_sequence > 0

            await eventually(is_thinned)
            log = await rpc.log(job.job_id)
            assert kinds(log) == (
                [
                    "job_submitted",
                    "job_started",
                    "stage_started",
                    "stage_progressed",
                    "log_written",
                    "job_ended",
                ]
            )
            assert [event.sequence for event in log] == [1, 2, 3, 12, 13, 14]
            stored = await rpc.get(job.job_id)
            folded = fold(log)
            for output_only in ("epoch", "first_sequence", "thinned_sequence"):
                setattr(folded, output_only, getattr(stored, output_only))
            assert folded == stored
            for cursor in range(15):
                frames = [frame async for frame in rpc.watch(job.job_id, after_sequence=cursor)]
                shown = [event.sequence for frame in frames for event in frame.events.events]
                assert [s for s in (1, 2, 3, 12, 13, 14) if s > cursor] == shown
                assert frames[0].opened.thinned_sequence == 14


async def test_newest_events_are_kept(server: Server) -> None:
    """A job may bound its own log, even while it runs; a watch that falls behind is refused (rule 3)."""
    async with connect(server.address) as rpc, rpc.session() as session:
        await rpc.submit(retention=Retention(max_events=100))
        job, token = await session.take()
        for batch in range(10):
            await session.report(job.job_id, token, batch * 50 + 1, *[log_line("x")] * 50)
            await session.acknowledged((batch + 1) * 50)

        async def is_trimmed() -> bool:
            return (await rpc.get(job.job_id)).first_sequence == 403

        await eventually(is_trimmed)
        stored = await rpc.get(job.job_id)
        assert stored.last_sequence == 502
        kept = [
            e
            async for f in rpc.watch(job.job_id, after_sequence=stored.first_sequence - 1, no_follow=True)
            for e in f.events.events
        ]
        assert list(range(stored.first_sequence, stored.last_sequence + 1)) == [
            event.sequence for event in kept
        ]


async def test_parents_follow_their_children(server: Server) -> None:
    """The progress of a parent without stages is that of its children, in its own log; it never falls."""
    async with connect(server.address) as rpc, rpc.session() as session:
        parent = await rpc.submit(kind="parent", planned_children=2)
        for _ in range(2):
            await rpc.submit(parent_job_id=parent.job_id, stages=[Stage(stage_id="s")])
        first, second = await session.take(), await session.take()
        start = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=4)))
        half = Update(stage_progressed=StageProgressed(stage_id="s", current=2))

        async def parent_is_at(fraction: float) -> bool:
            return (await rpc.get(parent.job_id)).fraction == fraction

        await session.report(first[0].job_id, first[1], 1, start, half)
        await eventually(lambda: parent_is_at(0.25))
        await session.report(first[0].job_id, first[1], 3, succeeded())
        await eventually(lambda: parent_is_at(0.5))
        await session.report(second[0].job_id, second[1], 1, start, half)
        await eventually(lambda: parent_is_at(0.75))
        log = await rpc.log(parent.job_id)
        assert [
            (result.total, result.ended, result.job_fraction)
            for result in (e.children_progressed for e in log)
            if result.total
        ] == [(2, 0, 0.25), (2, 1, 0.5), (2, 1, 0.75)]
