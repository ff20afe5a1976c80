"""A fraction with an unknown number of stages or children is never full, and is marked as unknown."""

from __future__ import annotations

import asyncio
from functools import partial

from google.protobuf.duration_pb2 import Duration

from milepost.client import Client, JobContext
from milepost.v1 import Dispatch, Job, Stage, StageEnded, StagesPlanned, StageStarted, StageState, Update
from tests.support.rpc import Rpc, WorkSession, connect, eventually, succeeded
from tests.support.server import Server
from tests.support.working import working


def start(stage_id: str, parent: str = "") -> Update:
    """A stage that starts."""
    return Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id, parent_stage_id=parent)))


def end(stage_id: str) -> Update:
    """The successful end of a stage."""
    return Update(stage_ended=StageEnded(stage_id=stage_id, state=StageState.STAGE_STATE_SUCCEEDED))


def plan(*stage_ids: str, children: int = 0) -> Update:
    """A plan of these stages."""
    stages = [Stage(stage_id=stage_id) for stage_id in stage_ids]
    return Update(stages_planned=StagesPlanned(stages=stages, planned_children=children))


class Teller:
    """Reports on one job, and reads it after each report."""

    def __init__(self, rpc: Rpc, session: WorkSession, job: Job, token: str) -> None:
        self._rpc, self._session = rpc, session
        self._job_id, self._token = job.job_id, token
        self._number = 1

    async def report(self, *updates: Update) -> Job:
        """Report updates; return the job after them."""
        await self._session.report(self._job_id, self._token, self._number, *updates)
        self._number += len(updates)
        await self._session.acknowledged(self._number - 1)
        return await self._rpc.get(self._job_id)


async def test_stages_that_are_declared_as_they_come(rpc: Rpc) -> None:
    """Rule 13: the fraction rises with each stage, is never full before the end, and full at the end."""
    await rpc.submit()
    async with rpc.session() as session:
        job, token = await session.take()
        worker = Teller(rpc, session, job, token)
        seen = [await worker.report(start(name), end(name)) for name in ("a", "b", "c")]
        assert [(job.fraction, job.fraction_known) for job in seen] == [
            (1 / 2, False),
            (2 / 3, False),
            (3 / 4, False),
        ]

        done = await worker.report(succeeded())
        assert (done.fraction, done.fraction_known) == (1.0, True)


async def test_stages_within_a_stage_that_are_declared_as_they_come(rpc: Rpc) -> None:
    """After the first of three neither the outer stage nor the job is full; the outer one's end makes both known."""
    await rpc.submit(stages=[Stage(stage_id="outer"), Stage(stage_id="last")])
    async with rpc.session() as session:
        job, token = await session.take()
        worker = Teller(rpc, session, job, token)
        for name, fraction in (("1", 1 / 2), ("2", 2 / 3), ("3", 3 / 4)):
            updates = [start("outer")] if name == "1" else []
            seen = await worker.report(*updates, start(name, "outer"), end(name))
            outer = seen.stages[0]
            assert (outer.fraction, outer.fraction_known) == (fraction, False)
            assert (seen.fraction, seen.fraction_known) == (fraction / 2, False)

        ended = await worker.report(end("outer"))
        assert (ended.stages[0].fraction, ended.stages[0].fraction_known) == (1.0, True)
        assert (ended.fraction, ended.fraction_known) == (0.5, True)


async def test_a_plan_makes_it_known(rpc: Rpc) -> None:
    """From then on the fraction is the mean; it never falls below an earlier one (rule 13)."""
    await rpc.submit()
    async with rpc.session() as session:
        job, token = await session.take()
        worker = Teller(rpc, session, job, token)
        before = await worker.report(start("a"), end("a"))
        planned = await worker.report(plan("a", "b", "c", "d"))
        moved = await worker.report(start("b"), end("b"), start("c"), end("c"))
        beyond = await worker.report(start("e"))

        assert [(job.fraction, job.fraction_known) for job in (before, planned, moved, beyond)] == [
            (0.5, False),
            (0.5, True),
            (0.75, True),
            (0.75, False),
        ]
        assert [stage.planned for stage in beyond.stages] == [True] * 4 + [False]


async def test_a_status_says_whether_it_is_known(rpc: Rpc) -> None:
    """Like the job at that moment."""
    job = await rpc.submit(stages=[Stage(stage_id="a")])
    watch = rpc.watch(job.job_id, from_latest=True, status_interval=Duration(seconds=1))

    async def status_that_says(known: bool) -> None:
        async for frame in watch:
            if frame.HasField("status") and frame.status.fraction_known == known:
                return
        raise AssertionError(f"the watch ended before a status with {known=}")

    await status_that_says(known=True)
    async with rpc.session() as session:
        assigned, token = await session.take()
        await Teller(rpc, session, assigned, token).report(start("b"))
        await status_that_says(known=False)
    watch.cancel()


async def test_children_that_come_as_they_are_submitted(shared_server: Server) -> None:
    """A parent whose only child has ended is not full, since another may come; a plan makes it known."""
    async with connect(shared_server.address) as rpc, rpc.session(kinds=["parent"]) as session:
        parent = await rpc.submit(kind="parent")
        job, token = await session.take()
        async with rpc.session(kinds=["child"]) as children:
            await rpc.submit(kind="child", parent_job_id=parent.job_id)
            child, child_token = await children.take()
            await children.report(child.job_id, child_token, 1, succeeded())
            await children.acknowledged(1)

            async def parent_is(fraction: float, *, known: bool) -> bool:
                seen = await rpc.get(parent.job_id)
                return (seen.fraction, seen.fraction_known) == (fraction, known)

            await eventually(lambda: parent_is(0.5, known=False))
            await Teller(rpc, session, job, token).report(plan(children=3))
            for fraction in (2 / 3, 1.0):
                await rpc.submit(kind="child", parent_job_id=parent.job_id)
                child, child_token = await children.take()
                await children.report(child.job_id, child_token, 1, succeeded())
                await children.acknowledged(1)
                await eventually(partial(parent_is, fraction, known=True))


async def test_the_sdk_plans_and_says_what_is_known(shared_server: Server) -> None:
    """By `JobContext.plan`, and in the job that a client follows."""
    looked = asyncio.Event()

    async def work(job: JobContext) -> None:
        if job.kind == "planned":
            job.plan(["a", "b"])
        async with job.stage("a"):
            pass
        await looked.wait()
        async with job.stage("b"):
            pass

    async with (
        working(shared_server.address, planned=work, unplanned=work),
        Client(shared_server.address) as client,
    ):
        for kind, fraction_known in (("planned", True), ("unplanned", False)):
            looked.clear()
            submitted = await client.submit(kind)
            async for job in client.follow(submitted.job_id):
                done = [stage.state == StageState.STAGE_STATE_SUCCEEDED for stage in job.stages]
                if done[:1] == [True] and not looked.is_set():
                    assert (job.fraction, job.fraction_known) == (0.5, fraction_known)
                    looked.set()
            assert (job.fraction, job.fraction_known) == (1.0, True)
            assert looked.is_set()


async def test_a_new_attempt_of_a_parent_has_the_progress_of_its_children(shared_server: Server) -> None:
    """It starts at 0, and its children go on from where they are: nobody waits for the next one that progresses."""
    async with Client(shared_server.address) as client:
        parent = (
            await client.submit("album", dispatch=Dispatch.DISPATCH_EXTERNAL, planned_children=2)
        ).job_id

        async def is_half() -> bool:
            return (await client.get(parent)).fraction == 0.5

        async with client.start("page", parent_job_id=parent):
            pass
        await eventually(is_half)
        async with client.attach(parent) as job:
            assert job.attempt == 1
            await eventually(is_half)
