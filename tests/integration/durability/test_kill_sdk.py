"""``kill -9`` of the server under the SDK's workers: all queued jobs run, each once."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from milepost.client import Client, JobContext
from milepost.v1 import JobState
from tests.support.rpc import eventually, kinds
from tests.support.server import ServerProcess
from tests.support.working import working

WORKERS = 4
JOBS = 40
KILLS = 6
LINES = [str(number) for number in range(1, 31)]


async def kill(server: ServerProcess, seed: int) -> None:
    """One run of kills."""
    source = random.Random(seed)
    said: list[str] = []
    killed_at: list[int] = []

    async def steps(job: JobContext) -> dict[str, object]:
        for line in LINES:
            job.log(line)
            said.append(line)
            await asyncio.sleep(source.uniform(0.0, 0.005))
        return {"lines": len(LINES)}

    async with Client(server.address) as client, AsyncExitStack() as stack:
        jobs = [(await client.submit("steps")).job_id for _ in range(JOBS)]
        for _ in range(WORKERS):
            await stack.enter_async_context(working(server.address, steps=steps, max_concurrency=2))
        for _ in range(KILLS):
            until = len(said) + source.randint(50, 150)

            async def flowed(until: int = until) -> bool:
                return len(said) >= until

            await eventually(flowed)
            killed_at.append(len(said))
            server.kill()
            server.restart()
        logs = [[event async for event in client.watch(job_id)] for job_id in jobs]

    assert killed_at[-1] < len(said), "there was work left at the last kill"
    for log in logs:
        last = max(event.attempt for event in log)
        assert [e.log_written.text for e in log if e.attempt == last and e.HasField("log_written")] == LINES
        assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
        assert [len(log)] == [event.sequence for event in log if event.HasField("job_ended")]
        assert log[-1].job_ended.state == JobState.JOB_STATE_SUCCEEDED
        # An attempt starts again only if its assignment was lost on the way to the worker.
        assert [e.attempt_ended.failure.code for e in log if e.HasField("attempt_ended")] == ["RELEASED"] * (
            last - 1
        )
        assert last == kinds(log).count("job_started")


async def test_kill_under_workers_of_the_sdk(server: ServerProcess) -> None:
    """Rule 14: no attempt is lost, since workers reconnect before their leases expire."""
    await kill(server, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 200))
async def test_kill_under_workers_of_the_sdk_at_length(server: ServerProcess, seed: int) -> None:
    """The long version."""
    await kill(server, seed)
