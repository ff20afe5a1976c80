"""Dispatch at the wire: the order of jobs, and assignments that never arrive."""

from __future__ import annotations

import asyncio
from pathlib import Path

from milepost.client import Worker
from milepost.v1 import Capacity, Claim, Dispatch, ErrorReason, Resume
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, eventually, kinds, state_name, succeeded
from tests.support.server import Serve, Server
from tests.support.working import working


async def test_the_order_of_the_queue(rpc: Rpc) -> None:
    """The highest priority first, then owners in turn, then in order of submission."""
    jobs = [
        await rpc.submit(job_id=f"{rpc.kind}-{job_id}", owner=owner, priority=priority)
        for job_id, owner, priority in (
            ("a1", "a", 0),
            ("a2", "a", 0),
            ("a3", "a", 0),
            ("b1", "b", 0),
            ("b2", "b", 0),
            ("low", "a", -1000),
            ("high", "a", 1000),
        )
    ]
    await rpc.get(jobs[-1].job_id)  # by now each node has them, whichever the worker connects to
    async with rpc.session(max_concurrency=10) as session:
        taken = [(await session.take())[0].job_id.removeprefix(f"{rpc.kind}-") for _ in range(7)]

    assert taken == ["high", "a1", "b1", "a2", "b2", "a3", "low"]


async def test_the_queue_survives_a_restart(tmp_path: Path, serve: Serve) -> None:
    """With its order, and with the running jobs of each key."""
    with serve(tmp_path / "data") as server:
        async with connect(server.address) as rpc:
            first = await rpc.submit(owner="a", concurrency_key="user")
            async with rpc.session(max_concurrency=1) as session:
                _, token = await session.take()
                second = await rpc.submit(owner="a", concurrency_key="user", priority=5)
                third = await rpc.submit(owner="a")
                server.kill()
        server.restart()
        async with connect(server.address) as again, again.session(kinds=[rpc.kind]) as session:
            assert third.job_id == (await session.take())[0].job_id
            await session.send(resume=Resume(job_id=first.job_id, lease_token=token))
            await session.receive("resumed")
            await session.report(first.job_id, token, 1, succeeded())
            await session.acknowledged(1)
            assert second.job_id == (await session.take())[0].job_id


async def test_a_key_limits_what_is_at_work(rpc: Rpc) -> None:
    """A job over the limit waits while others overtake it; a claim over the limit is refused."""
    key = {"owner": rpc.kind, "concurrency_key": "user"}
    first = await rpc.submit(**key)
    await rpc.submit(**key)
    external = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, **key)
    other = await rpc.submit()
    async with rpc.session() as session, rpc.session(kinds=[]) as engine:
        (one, token), (two, _) = await session.take(), await session.take()
        assert [first.job_id, other.job_id] == [one.job_id, two.job_id]
        await engine.send(claim=Claim(job_id=external.job_id))
        assert (await engine.receive("rejected")).rejected.reason == ErrorReason.ERROR_REASON_LIMIT_REACHED

        await session.send(capacity=Capacity(max_concurrency=0))
        await session.report(first.job_id, token, 1, succeeded())
        await session.acknowledged(1)
        assert state_name(await rpc.get(first.job_id)) == "SUCCEEDED"  # as whoever is asked knows
        await engine.send(claim=Claim(job_id=external.job_id))
        assert external.job_id == (await engine.take())[0].job_id


async def test_a_lost_assignment_is_requeued_at_once(rpc: Rpc) -> None:
    """The worker's next session does not list the job, so the server requeues it without waiting for the lease."""
    async with rpc.session(instance=rpc.kind) as session:
        await rpc.submit()
        job, _ = await session.take()
    async with rpc.session(instance=rpc.kind) as session:
        again, _ = await session.take()
        assert (again.job_id, again.attempt, again.failed_attempts) == (job.job_id, 2, 0)
        assert (rpc.kind, rpc.kind) == (job.worker_instance, again.worker_instance)

    assert kinds(await rpc.log(job.job_id)) == [
        "job_submitted",
        "job_started",
        "attempt_ended",
        "job_started",
    ]


async def test_a_lost_assignment_is_requeued_after_a_restart(tmp_path: Path, serve: Serve) -> None:
    """The log has the worker's instance."""
    with serve(tmp_path / "data") as server:
        async with connect(server.address) as rpc, rpc.session(instance="run") as session:
            job = await rpc.submit()
            await session.take()
            server.kill()
        server.restart()
        async with (
            connect(server.address) as again,
            again.session(kinds=[rpc.kind], instance="run") as session,
        ):
            found, _ = await session.take()
            assert (job.job_id, 2) == (found.job_id, found.attempt)


async def test_a_half_open_session_is_ended_by_the_next_one(rpc: Rpc) -> None:
    """The jobs that both sessions name move to the new one."""
    async with rpc.session(instance=rpc.kind) as older:
        await rpc.submit()
        job, token = await older.take()
        async with rpc.session(instance=rpc.kind, job_ids=[job.job_id]) as newer:
            assert (await older.call.code()).name == "OK"
            await newer.send(resume=Resume(job_id=job.job_id, lease_token=token))
            await newer.receive("resumed")
            await newer.report(job.job_id, token, 1, succeeded())
            await newer.acknowledged(1)
    assert (await rpc.get(job.job_id)).attempt == 1


async def test_a_worker_of_the_sdk_says_which_run_it_is(rpc: Rpc, shared_server: Server) -> None:
    """Each run of a worker has an instance of its own, which each of its jobs names."""
    worker = Worker(shared_server.address)

    @worker.job(rpc.kind)
    async def stops(job: object) -> None:
        worker.stop()

    instances = []
    for _ in range(2):
        job = await rpc.submit()
        await worker.run()
        await rpc.ended(job.job_id)
        instances.append((await rpc.get(job.job_id)).worker_instance)

    assert len({*instances} - {""}) == 2


async def test_an_assignment_that_the_network_loses_goes_out_again(rpc: Rpc, shared_server: Server) -> None:
    """The SDK's worker reconnects without the job, and gets it again at once, long before the lease expires."""

    async def answers(job: object) -> dict[str, int]:
        return {"answer": 42}

    with CuttableProxy(shared_server.address) as proxy:
        async with working(proxy.address, **{rpc.kind: answers}):
            await rpc.ended((await rpc.submit()).job_id)
            proxy.stall()
            job = await rpc.submit()

            async def is_given() -> bool:
                return state_name(await rpc.get(job.job_id)) == "RUNNING"

            await eventually(is_given)
            proxy.cut()
            proxy.allow()
            events = await rpc.ended(job.job_id)

    assert kinds(events) == ["job_submitted", "job_started", "attempt_ended", "job_started", "job_ended"]
    final = await rpc.get(job.job_id)
    assert (state_name(final), final.failed_attempts) == ("SUCCEEDED", 0)
    assert events[2].attempt_ended.failure.code == "RELEASED"


async def test_many_workers_and_many_jobs(rpc: Rpc) -> None:
    """Each job is assigned once, to a worker with capacity; none is left."""
    submitted = {
        (
            await rpc.submit(owner=f"o{number % 3}", concurrency_key=f"u{number % 5}", concurrency_limit=2)
        ).job_id
        for number in range(60)
    }
    taken: list[str] = []

    async def work(session_name: str) -> None:
        async with rpc.session(worker_id=session_name, max_concurrency=1) as session:
            while len(taken) < len(submitted):
                response = await session.call.read()
                if response.HasField("assignment"):
                    job = response.assignment.job
                    taken.append(job.job_id)
                    await session.report(job.job_id, response.assignment.lease_token, 1, succeeded())

    workers = [asyncio.create_task(work(f"w{number}")) for number in range(6)]

    async def all_done() -> bool:
        return len(taken) == len(submitted)

    await eventually(all_done)
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    assert submitted == set(taken)
    for job_id in submitted:
        await rpc.ended(job_id)
        assert state_name(await rpc.get(job_id)) == "SUCCEEDED"
