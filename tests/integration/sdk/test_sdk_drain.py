"""Workers that stop with running jobs finish or release them, and lose none."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from milepost.client import Client, JobContext, Worker
from milepost.v1 import JobState
from tests.support.server import ServerProcess
from tests.support.working import working

KIND = "test"


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client with a direct connection."""
    async with Client(server.address) as connected:
        yield connected


async def test_a_worker_that_may_not_finish_gives_its_jobs_back(client: Client) -> None:
    """The next worker starts them again, and no attempt counts as failed."""
    started = asyncio.Event()

    async def endless(job: JobContext) -> None:
        async with job.stage("s"):
            started.set()
            await asyncio.Event().wait()

    async def quick(job: JobContext) -> dict[str, object]:
        return {"attempt": job.attempt}

    async with working(client.address, drain_timeout=0.0, **{KIND: endless}):
        job = await client.submit(KIND)
        await started.wait()
    async with working(client.address, **{KIND: quick}):
        assert await client.result(job.job_id) == {"attempt": 2.0}
    ended = await client.get(job.job_id)
    assert ended.failed_attempts == 0
    events = [event async for event in client.watch(job.job_id)]
    (back,) = (event.attempt_ended for event in events if event.HasField("attempt_ended"))
    assert back.failure.code == "RELEASED"


async def test_a_cancelled_worker_gives_its_jobs_back(client: Client) -> None:
    """At once, without waiting for the leases to expire."""
    started = asyncio.Event()
    worker = Worker(client.address)

    @worker.job(KIND)
    async def endless(job: JobContext) -> None:
        started.set()
        await asyncio.Event().wait()

    job = await client.submit(KIND)
    running = asyncio.create_task(worker.run())
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await client.get(job.job_id)).state == JobState.JOB_STATE_QUEUED


SCRIPT = """
import asyncio, sys
from milepost.client import Worker

worker = Worker(sys.argv[1], drain_timeout=float(sys.argv[2]))

@worker.job("test")
async def handler(job):
    job.emit("ready", {})
    await asyncio.sleep(0.2 if sys.argv[2] != "0" else 1000)
    return {"done": True}

worker.main()
"""


@pytest.mark.parametrize(
    ("drain_timeout", "state"), [("60", JobState.JOB_STATE_SUCCEEDED), ("0", JobState.JOB_STATE_QUEUED)]
)
async def test_sigterm_stops_a_worker_in_order(
    client: Client, drain_timeout: str, state: JobState.ValueType
) -> None:
    """The process finishes or releases its jobs, and exits with 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, client.address, drain_timeout
    )
    job = await client.submit(KIND)
    async for event in client.watch(job.job_id):
        if event.HasField("custom"):
            break
    os.kill(process.pid, signal.SIGTERM)
    assert await process.wait() == 0
    assert state == (await client.get(job.job_id)).state
