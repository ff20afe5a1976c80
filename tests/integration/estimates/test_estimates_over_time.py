"""Estimates through what happens to jobs and servers: children, jobs that take too long, restarts, backups, nodes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from milepost.v1 import DeleteJobRequest, Estimate, Stage, StagesPlanned, Update
from tests.support.clock import SettableClock
from tests.support.command import milepost
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, connect, eventually, succeeded
from tests.support.server import ServerProcess
from tests.support.staged_runs import RUN, get, history, progressed, run, started


async def test_a_parent_is_estimated_from_its_children(wall: SettableClock, timed: Rpc) -> None:
    """From those that run, those that wait and those that are planned only; without evidence for one, not at all."""
    async with timed.session(kinds=[timed.kind, f"{timed.kind}.child"], max_concurrency=2) as session:
        parent = (await timed.submit(planned_children=4)).job_id
        await session.take()
        child = f"{timed.kind}.child"
        first = (await timed.submit(kind=child, parent_job_id=parent)).job_id
        _, token = await session.take()
        before = (await get(timed, parent)).job.HasField("estimate")
        wall.jump(3600)  # its work: of a run that is over at once the next one would soon be overdue
        await session.report(first, token, 1, *RUN, succeeded())
        await session.acknowledged(len(RUN) + 1)
        running = (await timed.submit(kind=child, parent_job_id=parent)).job_id
        await session.take()
        waiting = (await timed.submit(kind=child, parent_job_id=parent)).job_id
        of_parent = (await get(timed, parent)).job.estimate
        of_child = (await get(timed, running)).job.estimate
        of_next = (await get(timed, waiting)).waiting.run

    assert not before
    assert (of_parent.sample_size, of_child.sample_size, of_next.sample_size) == (1, 1, 1)
    # One that waits and one that is planned come after the one that runs, which may end at any moment.
    assert of_parent.remaining_p50.ToNanoseconds() >= 2 * of_next.remaining_p50.ToNanoseconds() - 1e6


async def test_a_job_that_takes_far_too_long_is_overdue(rpc: Rpc) -> None:
    """It says so, and on how many runs that rests, and no remaining time any more; in calls, watches and snapshots."""
    async with rpc.session() as session:
        await run(rpc, session, *RUN, succeeded())
        job_id = (await rpc.submit()).job_id
        await session.take()
        job = await eventually(lambda: _overdue(rpc, job_id))
        watch = rpc.watch(job_id, from_snapshot=True)
        seen: list[Estimate] = []
        async for frame in watch:
            if frame.HasField("snapshot"):
                seen.append(frame.snapshot.job.estimate)
                break
        watch.cancel()
    for estimate in (job, *seen):
        assert (estimate.overdue, estimate.sample_size) == (True, 1)
        assert not estimate.HasField("remaining_p50")
    assert len(seen) == 1


async def _overdue(rpc: Rpc, job_id: str) -> Estimate | None:
    estimate = (await get(rpc, job_id)).job.estimate
    return estimate if estimate.overdue else None


async def test_a_run_through_a_restart_is_learned_from(tmp_path: Path, forkery: Forkery) -> None:
    """The server is killed in the middle of it: its stages are those of the whole run, also of the part before."""
    with ServerProcess(tmp_path, forkery=forkery) as server:
        async with connect(server.address) as rpc, rpc.session(instance="w") as session:
            job_id = (await rpc.submit()).job_id
            _, token = await session.take()
            kind = rpc.kind
            await session.report(job_id, token, 1, *RUN[:4])
            await session.acknowledged(4)
        server.kill()
        server.restart()
        async with connect(server.address) as rpc:
            async with rpc.session(instance="w", kinds=[kind], job_ids=[job_id]) as session:
                await session.send(resume={"job_id": job_id, "lease_token": token})
                await session.receive("resumed")
                await session.report(job_id, token, 5, *RUN[4:], succeeded())
                await session.acknowledged(len(RUN) + 1)
            job = await rpc.get(job_id)
            known = await history(rpc, kind)
    took = (job.end_time.ToNanoseconds() - job.start_time.ToNanoseconds()) / 1e9
    assert (known.runs, [stage.stage_id for stage in known.stages]) == (1, ["load", "work"])
    assert known.duration_p50.ToNanoseconds() / 1e9 == pytest.approx(took)


async def test_a_backup_has_the_runs(tmp_path: Path, forkery: Forkery) -> None:
    """Of jobs that are there and of deleted ones, however lately they ended."""
    file = tmp_path / "copy.db"
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with connect(server.address) as rpc, rpc.session() as session:
            gone = await run(rpc, session, *RUN, succeeded())
            await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=gone))
            await run(rpc, session, *RUN, succeeded())
            outcome = await milepost("backup", file, address=server.address)
            assert outcome.status == 0, outcome.err
            known, kind = await history(rpc), rpc.kind
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(file, restored / "milepost.db")
    with ServerProcess(restored, forkery=forkery) as server:
        async with connect(server.address) as rpc:
            assert known.runs == 2
            assert await history(rpc, kind) == known


async def test_each_node_estimates_jobs_of_the_others(
    tmp_path: Path, nats_server: NatsServer, forkery: Forkery
) -> None:
    """From the same runs, at about the same time; the weights of stages that are planned later are the same, too."""
    with Nodes(tmp_path, [nats_server.url] * 2, stream="estimates", forkery=forkery) as nodes:
        first, second = (server.address for server in nodes.servers)
        async with connect(first) as rpc, connect(second) as other, rpc.session() as session:
            for _ in range(2):
                await run(rpc, session, *RUN, succeeded())
            job_id = (await rpc.submit()).job_id
            _, token = await session.take()
            plan = StagesPlanned(stages=[Stage(stage_id="load"), Stage(stage_id="work")])
            await session.report(job_id, token, 1, Update(stages_planned=plan), started("load"))
            await session.report(job_id, token, 3, started("work", 4), progressed("work", 1))
            await session.acknowledged(4)
            jobs = [
                await eventually(lambda node=node: _with_events(node, job_id, 6)) for node in (rpc, other)
            ]
    assert [job.estimate.sample_size for job in jobs] == [2, 2]
    assert [[stage.weight for stage in job.stages] for job in jobs] == [
        [stage.weight for stage in jobs[0].stages]
    ] * 2
    assert sum(stage.weight for stage in jobs[0].stages) == pytest.approx(2)


async def _with_events(node: Rpc, job_id: str, count: int) -> object:
    """The job, once the node has so many of its events."""
    job = (await get(node, job_id)).job
    return job if job.last_sequence >= count else None
