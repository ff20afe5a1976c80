"""A watch of many jobs resumes unless an event that it would send was dropped (rule 3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import grpc

from milepost.fold import fold
from milepost.v1 import (
    DeleteJobRequest,
    EventFilter,
    Job,
    JobFilter,
    JobState,
    Retention,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WatchJobsRequest,
)
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, connect, error_info, eventually, log_line, succeeded
from tests.support.server import Serve, Server

FILTERS = {
    "owner": JobFilter(owner="a"),
    "kinds": JobFilter(kinds=["mine"]),
    "labels": JobFilter(labels={"whose": "mine"}),
    "job_ids": JobFilter(job_ids=["mine"]),
    "parent": JobFilter(parent_job_id="parent"),
    "states": JobFilter(owner="a", states=[JobState.JOB_STATE_RUNNING]),
    "never": JobFilter(owner="a", states=[JobState.JOB_STATE_LOST]),
}


async def run(rpc: Rpc, job_id: str, **fields: object) -> Job:
    """An ended job of 153 events, with the given retention."""
    async with rpc.session(kinds=[job_id]) as session:
        await rpc.submit(job_id=job_id, **{"kind": job_id, **fields})
        job, token = await session.take()
        for first in range(1, 150, 50):
            await session.report(job_id, token, first, *[log_line("x")] * 50)
            await session.acknowledged(first + 49)
        await session.report(job_id, token, 151, succeeded())
        await session.acknowledged(151)
        await session.leave()
    return job


async def run_mine(rpc: Rpc, **fields: object) -> None:
    """The job that all filters select."""
    await run(rpc, "mine", owner="a", labels={"whose": "mine"}, parent_job_id="parent", **fields)


async def trimmed(rpc: Rpc, job_id: str) -> None:
    """Wait until the beginning of the job's log was dropped."""

    async def is_trimmed() -> bool:
        return (await rpc.get(job_id)).first_sequence > 50

    await eventually(is_trimmed)


async def begun(rpc: Rpc) -> int:
    """The position after the creation of the job's parent, before anything else."""
    await rpc.submit(job_id="parent", kind="parent")
    return await position(rpc)


async def watched(rpc: Rpc, wanted: JobFilter, after: int, payloads: Sequence[str] = ()) -> str:
    """The outcome of a watch after a position: "resumed", or the reason of the refusal."""
    request = WatchJobsRequest(
        filter=wanted, after_position=after, no_follow=True, event_filter=EventFilter(payloads=payloads)
    )
    try:
        async for _ in rpc.jobs.WatchJobs(request):
            pass
    except grpc.aio.AioRpcError as error:
        return error_info(error).reason
    return "resumed"


async def position(rpc: Rpc) -> int:
    """The position of the newest event."""
    request = WatchJobsRequest(from_latest=True, no_follow=True)
    frames = [frame async for frame in rpc.jobs.WatchJobs(request)]
    return frames[0].opened.head_sequence


async def outcomes(rpc: Rpc, after: int) -> dict[str, str]:
    """The outcome of a watch for each filter."""
    return {name: await watched(rpc, wanted, after) for name, wanted in FILTERS.items()}


async def test_other_peoples_jobs_do_not_count(server: Server) -> None:
    """Neither their dropped events nor their deletion; also after a restart."""
    async with connect(server.address) as rpc:
        start = await begun(rpc)
        await run_mine(rpc)
        await run(rpc, "trimmed", owner="b", retention=Retention(max_events=100))
        await trimmed(rpc, "trimmed")
        await run(rpc, "deleted", owner="b")
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id="deleted"))
        assert await outcomes(rpc, start) == dict.fromkeys(FILTERS, "resumed")
        assert await watched(rpc, JobFilter(owner="b"), start) == "SEQUENCE_TRIMMED"
        assert await watched(rpc, JobFilter(), start) == "SEQUENCE_TRIMMED"
    server.kill()
    server.restart()
    async with connect(server.address) as rpc:
        assert await outcomes(rpc, start) == dict.fromkeys(FILTERS, "resumed")
        assert await watched(rpc, JobFilter(owner="b"), start) == "SEQUENCE_TRIMMED"
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id="mine"))
        assert await outcomes(rpc, start) == {
            **dict.fromkeys(FILTERS, "SEQUENCE_TRIMMED"),
            "never": "resumed",
        }
        assert await outcomes(rpc, await position(rpc)) == dict.fromkeys(FILTERS, "resumed")


async def test_a_drop_counts_only_where_it_would_have_been_shown(server: Server) -> None:
    """By states and payloads: a filter that excludes the dropped events can resume."""
    async with connect(server.address) as rpc:
        start = await begun(rpc)
        await run_mine(rpc, retention=Retention(max_events=100))
        await trimmed(rpc, "mine")
        mine = JobFilter(owner="a")
        assert await watched(rpc, mine, start) == "SEQUENCE_TRIMMED"
        assert await watched(rpc, mine, start, ["log_written"]) == "SEQUENCE_TRIMMED"
        assert await watched(rpc, mine, start, ["job_submitted"]) == "SEQUENCE_TRIMMED"
        assert await watched(rpc, mine, start, ["job_ended"]) == "resumed"
        ended = JobFilter(owner="a", states=[JobState.JOB_STATE_SUCCEEDED])
        assert await watched(rpc, ended, start) == "resumed"


async def test_from_the_beginning_is_not_a_cursor(server: Server) -> None:
    """Position 0 is no cursor: both send all retained events, even if earlier ones were dropped (rule 1)."""
    async with connect(server.address) as rpc:
        await run(rpc, "trimmed", retention=Retention(max_events=100))
        await trimmed(rpc, "trimmed")
        frames = [
            [frame async for frame in rpc.jobs.WatchJobs(request)]
            for request in (
                WatchJobsRequest(no_follow=True),
                WatchJobsRequest(no_follow=True, after_position=0),
            )
        ]
        for result in frames:
            result[0].opened.ClearField("server_time")
        assert frames[0] == frames[1]
        assert "trimmed" in [frame.WhichOneof("frame") for frame in frames[0]]


async def test_thinning_is_not_dropping(tmp_path: Path, serve: Serve) -> None:
    """Superseded progress may be missing; a watch resumed before it folds the same job."""
    with serve(tmp_path / "data", "--sweep-interval", "0.05", "--keep-progress", "0") as server:
        async with connect(server.address) as rpc, rpc.session() as session:
            start = await position(rpc)
            job_id = (await rpc.submit()).job_id
            _, token = await session.take()
            stage = Update(stage_started=StageStarted(stage=Stage(stage_id="s", total=10)))
            progress = [Update(stage_progressed=StageProgressed(stage_id="s", current=n)) for n in range(9)]
            await session.report(job_id, token, 1, stage, *progress, succeeded())
            await session.acknowledged(11)

            async def is_thinned() -> bool:
                return (await rpc.get(job_id)).thinned_sequence > 0

            await eventually(is_thinned)
            request = WatchJobsRequest(
                filter=JobFilter(kinds=[rpc.kind]), after_position=start, no_follow=True
            )
            frames = [frame async for frame in rpc.jobs.WatchJobs(request)]
            shown = [event for frame in frames for event in frame.events.events]
            assert [event.sequence for event in shown] == [1, 2, 3, 12, 13]
            folded, stored = fold(shown), await rpc.get(job_id)
            for output_only in ("epoch", "first_sequence", "thinned_sequence"):
                setattr(folded, output_only, getattr(stored, output_only))
            assert folded == stored


async def test_a_node_that_starts_empty_knows_what_was_dropped(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    """It learns that from the stream, which no longer has the events."""
    stream = f"drops-{tmp_path.name}"
    for name in ("a", "late"):
        (tmp_path / name).mkdir()
    with Nodes(tmp_path / "a", [nats_server.url], stream=stream) as nodes:
        async with connect(nodes.address) as rpc:
            start = await begun(rpc)
            await run_mine(rpc)
            await run(rpc, "trimmed", owner="b", retention=Retention(max_events=100))
            await trimmed(rpc, "trimmed")
            await run(rpc, "deleted", owner="b")
            await rpc.jobs.DeleteJob(DeleteJobRequest(job_id="deleted"))
            with Nodes(tmp_path / "late", [nats_server.url], stream=stream) as late:
                async with connect(late.address) as at_late:
                    for each in (rpc, at_late):
                        assert await outcomes(each, start) == dict.fromkeys(FILTERS, "resumed")
                        assert await watched(each, JobFilter(owner="b"), start) == "SEQUENCE_TRIMMED"
