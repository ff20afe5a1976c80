"""Assignments to workers that are leaving: the jobs go to another worker at once, not when the lease expires."""

from __future__ import annotations

import asyncio

from milepost.client import Client, JobContext, Worker
from milepost.v1 import Dispatch
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, eventually, state_name
from tests.support.scripted_sessions import Stream, assignment, scripted, worker_at
from tests.support.server import ServerProcess


async def stands(rpc: Rpc, job_id: str, state: str) -> bool:
    """Whether the job has this state."""
    return state == state_name(await rpc.get(job_id))


async def takes_no_more(worker: Worker) -> bool:
    """Whether it has started to stop."""
    return worker._jobs is not None and not worker._jobs.capacity


async def test_a_worker_that_stops_loses_no_job(server: ServerProcess) -> None:
    """A job that it was just assigned goes to another worker at once, without a failed attempt (rule 14)."""
    with CuttableProxy(server.address) as proxy:
        async with connect(server.address) as rpc:
            worker = Worker(proxy.address)

            @worker.job(rpc.kind)
            async def handler(job: JobContext) -> None:
                pass

            running = asyncio.create_task(worker.run())
            first = (await rpc.submit()).job_id
            await eventually(lambda: stands(rpc, first, "SUCCEEDED"))
            proxy.stall()
            second = (await rpc.submit()).job_id
            await eventually(lambda: stands(rpc, second, "RUNNING"))
            worker.stop()
            await eventually(lambda: takes_no_more(worker))
            proxy.allow()
            await running
            await eventually(lambda: stands(rpc, second, "QUEUED"))
            given_back = await rpc.get(second)

    assert (given_back.failure.code, given_back.attempt, given_back.failed_attempts) == ("RELEASED", 1, 0)


async def test_a_job_that_is_on_its_way_when_the_worker_stops() -> None:
    """It does not wait for the lease: the worker connects once more, without that job (rule 14)."""
    ready = asyncio.Event()
    hellos = []

    async def give_late(stream: Stream) -> None:
        hellos.append(await stream.welcomes(heartbeat=0.01))
        await stream.beats()
        ready.set()
        assert (await stream.hears("capacity")).capacity.max_concurrency == 0
        await stream.ends()
        await stream.says(assignment=assignment())

    async def listen(stream: Stream) -> None:
        hellos.append(await stream.welcomes())
        await stream.ends()

    async with scripted(give_late, listen) as server:
        worker = worker_at(server)
        running = asyncio.create_task(worker.run())
        await ready.wait()
        worker.stop()
        await running

    first, last = hellos
    assert (last.instance, last.max_concurrency, list(last.job_ids)) == (first.instance, 0, [])


async def test_a_claim_that_is_answered_too_late() -> None:
    """A late assignment is not kept: the next session does not list the job."""
    claimed = asyncio.Event()
    hellos = []

    async def assign_late(stream: Stream) -> None:
        hellos.append(await stream.welcomes())
        await stream.hears("claim")
        claimed.set()
        await stream.ends()
        await stream.says(assignment=assignment())

    async def listen(stream: Stream) -> None:
        hellos.append(await stream.welcomes())
        await stream.ends()

    async with scripted(assign_late, listen) as server, Client(server.address) as client:

        async def claim() -> None:
            async with client.attach("j"):
                raise AssertionError("it was entered")

        task = asyncio.create_task(claim())
        await claimed.wait()
        task.cancel()
        await asyncio.wait((task,))

    first, second = hellos
    assert (
        task.cancelled(),
        second.instance,
        second.max_concurrency,
        list(second.job_ids),
    ) == (True, first.instance, 0, [])


async def test_who_gives_up_while_it_claims_keeps_no_job(shared_server: ServerProcess) -> None:
    """A job that is assigned all the same is released."""
    async with connect(shared_server.address) as rpc, Client(shared_server.address) as client:
        for steps in range(0, 40, 4):
            job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)

            async def claim(job_id: str = job.job_id) -> None:
                async with client.attach(job_id):
                    await asyncio.Event().wait()

            task = asyncio.create_task(claim())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
            assert task.cancelled()
            left = await rpc.get(job.job_id)
            if left.failure.code != "INTERRUPTED":
                await eventually(lambda job_id=job.job_id: stands(rpc, job_id, "QUEUED"))
