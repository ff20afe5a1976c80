"""Estimates of a server: of jobs that run, of jobs that wait, in watches, and what they rest on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from milepost.v1 import (
    DeleteJobRequest,
    Estimate,
    EstimateBasis,
    Failure,
    GetHistoryResponse,
    JobEnded,
    JobState,
    ListJobsRequest,
    Stage,
    StagesPlanned,
    Update,
)
from tests.support.clock import SettableClock
from tests.support.forking import Forkery
from tests.support.nats import NatsServer
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, connect, eventually, succeeded
from tests.support.server import ServerProcess
from tests.support.staged_runs import RUN, get, history, run, started


async def test_a_job_is_estimated_from_the_runs_before_it(wall: SettableClock, timed: Rpc) -> None:
    """Without any there is no evidence, and no estimate; a running one has it in GetJob and lists, and none once it has
    ended.
    """
    async with timed.session() as session:
        first = await timed.submit()
        _, token = await session.take()
        before = (await get(timed, first.job_id)).job
        wall.jump(3600)  # its work: of a run that is over at once the next one would soon be overdue
        await session.report(first.job_id, token, 1, *RUN, succeeded())
        await session.acknowledged(len(RUN) + 1)
        await run(timed, session, *RUN, succeeded())

        second = await timed.submit()
        await session.take()
        running = (await get(timed, second.job_id)).job
        listed = {job.job_id: job for job in (await timed.jobs.ListJobs(ListJobsRequest())).jobs}
        known = await history(timed)

    assert not before.HasField("estimate")
    assert (running.estimate.sample_size, running.estimate.overdue) == (2, False)
    assert running.estimate.basis == EstimateBasis.ESTIMATE_BASIS_HISTORY
    assert running.estimate.remaining_p90.ToNanoseconds() >= running.estimate.remaining_p50.ToNanoseconds()
    assert running.estimate.as_of.ToNanoseconds() >= running.start_time.ToNanoseconds()
    assert listed[second.job_id].estimate.sample_size == 2
    assert not listed[first.job_id].HasField("estimate")
    assert (known.runs, [stage.stage_id for stage in known.stages]) == (2, ["load", "work"])
    assert sum(stage.share for stage in known.stages) == pytest.approx(1)


async def test_failed_runs_are_not_learned_from(rpc: Rpc) -> None:
    """Nor are cancelled ones; a kind that never ran has no history."""
    failed = Update(job_ended=JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X")))
    unknown = await history(rpc)
    async with rpc.session() as session:
        await run(rpc, session, *RUN, failed)
        cancelled = await rpc.submit()
        await rpc.cancel(cancelled.job_id)
    assert unknown == GetHistoryResponse()
    assert await history(rpc) == GetHistoryResponse()


async def test_a_queued_job_says_how_long_it_takes_and_when_it_starts(
    wall: SettableClock, timed: Rpc
) -> None:
    """With its place among the jobs of its workers; without workers the start is unknown."""
    async with timed.session(max_concurrency=1) as session:
        first = await timed.submit()
        _, token = await session.take()
        wall.jump(3600)  # its work: a run that is over at once says nothing of the next one
        await session.report(first.job_id, token, 1, *RUN, succeeded())
        await session.acknowledged(len(RUN) + 1)
        await timed.submit()
        await session.take()
        waiting = [(await timed.submit()).job_id for _ in range(3)]
        with_worker = [(await get(timed, job_id)).waiting for job_id in waiting]
        queued = (await get(timed, waiting[0])).job
    without = await eventually(lambda: _without_worker(timed, waiting[2]))

    assert [each.jobs_ahead for each in with_worker] == [0, 1, 2]
    assert {each.jobs_waiting for each in with_worker} == {3}
    assert [each.run.sample_size for each in with_worker] == [1, 1, 1]
    starts = [each.start_p50.ToNanoseconds() for each in with_worker]
    assert starts == sorted(starts)
    assert starts[0] < starts[2]
    assert all(each.start_p90.ToNanoseconds() >= each.start_p50.ToNanoseconds() for each in with_worker)
    assert not queued.HasField("estimate")
    assert (without.run.sample_size, without.HasField("start_p50")) == (1, False)


async def _without_worker(rpc: Rpc, job_id: str) -> object:
    waiting = (await get(rpc, job_id)).waiting
    return None if waiting.workers else waiting


async def test_a_watch_has_the_estimate_in_its_status(rpc: Rpc) -> None:
    """With a status once there is evidence, without waiting for the interval."""
    async with rpc.session() as session:
        await run(rpc, session, *RUN, succeeded())
        job_id = (await rpc.submit()).job_id
        _, token = await session.take()
        estimates: list[Estimate] = []
        watch = rpc.watch(job_id)
        async for frame in watch:
            if frame.HasField("caught_up"):
                await session.report(job_id, token, 1, *RUN[:3])
            if frame.HasField("status") and frame.status.HasField("estimate"):
                estimates.append(frame.status.estimate)
                break
        watch.cancel()
    assert [estimate.sample_size for estimate in estimates] == [1]


async def test_deleted_jobs_leave_their_runs(rpc: Rpc) -> None:
    """Which do not name them."""
    async with rpc.session() as session:
        job_id = await run(rpc, session, *RUN, succeeded())
        await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=job_id))
    assert (await history(rpc)).runs == 1


async def test_history_survives_a_restart(tmp_path: Path, forkery: Forkery) -> None:
    """And so does the evidence of a running job."""
    with ServerProcess(tmp_path, forkery=forkery) as server:
        async with connect(server.address) as rpc, rpc.session() as session:
            await run(rpc, session, *RUN, succeeded())
            job_id = (await rpc.submit()).job_id
            _, token = await session.take()
            await session.report(job_id, token, 1, *RUN[:4])
            await session.acknowledged(4)
            before, kind = await history(rpc), rpc.kind
        server.kill()
        server.restart()
        async with connect(server.address) as rpc:
            assert await history(rpc, kind) == before
            assert (await get(rpc, job_id)).job.estimate.sample_size == 1


async def test_history_is_the_same_at_all_nodes(
    tmp_path: Path, nats_server: NatsServer, forkery: Forkery
) -> None:
    """Also at one that comes after jobs were deleted, and purged from the stream, and that reads all of it again."""
    with Nodes(tmp_path, [nats_server.url] * 2, stream="history", forkery=forkery) as nodes:
        nodes.servers[1].kill()
        async with connect(nodes.servers[0].address) as rpc, rpc.session() as session:
            ended = [await run(rpc, session, *RUN, succeeded()) for _ in range(5)]
            for gone in (ended[1], ended[3]):
                await rpc.jobs.DeleteJob(DeleteJobRequest(job_id=gone))
            known = await history(rpc)
            found = []
            for _ in range(2):
                nodes.servers[1].restart()
                async with connect(nodes.servers[1].address) as other:
                    found.append(await history(other, rpc.kind))
                nodes.servers[1].kill()
                shutil.rmtree(nodes.servers[1].data)
    assert (known.runs, known.estimates) == (5, 4)
    assert found == [known, known]


async def test_stages_that_are_planned_during_the_run_get_weights_too(rpc: Rpc) -> None:
    """Those of a plan that grows, and one that is declared when it starts; a given one stays."""
    plan = StagesPlanned(
        stages=[Stage(stage_id="load"), Stage(stage_id="work"), Stage(stage_id="given", weight=3)]
    )
    async with rpc.session() as session:
        await run(rpc, session, *RUN, succeeded())
        planned = await rpc.get(await run(rpc, session, Update(stages_planned=plan)))
        declared = await rpc.get(await run(rpc, session, started("load"), started("work"), started("other")))
    weights = {stage.stage_id: stage.weight for stage in planned.stages}
    assert weights["load"] + weights["work"] == pytest.approx(2)
    assert weights["given"] == 3
    ratio = weights["work"] / weights["load"]
    assert [stage.HasField("weight") for stage in declared.stages] == [True, True, False]
    assert declared.stages[1].weight / declared.stages[0].weight == pytest.approx(ratio)


async def test_stages_without_weights_get_those_of_earlier_runs(rpc: Rpc) -> None:
    """Given ones stay; the same request finds the same job although more is known by then."""
    plan = [Stage(stage_id="load"), Stage(stage_id="work"), Stage(stage_id="given", weight=3)]
    async with rpc.session() as session:
        first = await rpc.get(await run(rpc, session, *RUN, succeeded(), stages=plan))
        second = await rpc.submit(stages=plan, request_id="r")
        await session.take()
        await run(rpc, session, *RUN, succeeded())
        again = await rpc.submit(stages=plan, request_id="r")
    weights = {stage.stage_id: stage.weight for stage in second.stages if stage.HasField("weight")}
    assert not any(stage.HasField("weight") for stage in first.stages[:2])
    assert weights["load"] + weights["work"] == pytest.approx(2)
    assert weights["given"] == 3
    assert again.job_id == second.job_id
