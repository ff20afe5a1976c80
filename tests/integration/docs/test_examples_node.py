"""The JavaScript example, a program of docs/clients.md: a watch and a worker through cuts."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from milepost.v1 import JobState
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, eventually
from tests.support.server import Server

EXAMPLE: Final = Path(__file__).parents[3] / "examples" / "node"


@pytest.fixture(autouse=True)
def node() -> None:
    """Node and the example's packages; without them the tests fail in CI."""
    missing = shutil.which("node") is None or not (EXAMPLE / "node_modules").is_dir()
    if missing and not os.environ.get("REQUIRE_NODE"):
        pytest.skip("`make node` installs the example's packages, and needs Node and npm")
    assert not missing, "Node, or what `make node` installs, is not here"


@pytest.fixture
async def rpc(shared_server: Server) -> AsyncIterator[Rpc]:
    """A client of the shared server's services."""
    async with connect(shared_server.address) as connected:
        connected.kind = "count"
        yield connected


@asynccontextmanager
async def running(script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a script; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        *arguments,
        cwd=EXAMPLE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def output(process: asyncio.subprocess.Process) -> list[Any]:
    """The output of a script that must succeed."""
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    return [json.loads(line) for line in out.decode().splitlines()]


def sequences(events: Sequence[Any]) -> list[int]:
    """The sequences of the events."""
    return [event["sequence"] for event in events]


async def test_a_watch_and_a_worker_go_on_through_cuts(rpc: Rpc, shared_server: Server) -> None:
    """Every event is printed once and in order, every report is in the log once, and the first attempt succeeds."""
    with CuttableProxy(shared_server.address) as proxy:
        async with running("worker.mjs", proxy.address) as worker:
            job = await rpc.submit(input={"to": 400})
            async with running("watch.mjs", proxy.address, job.job_id) as watch:
                for cuts, fraction in enumerate((0.05, 0.1, 0.15)):

                    async def has_reached(cuts: int = cuts, fraction: float = fraction) -> bool:
                        connected = proxy.accepted >= 2 * (cuts + 1)
                        return connected and (await rpc.get(job.job_id)).fraction >= fraction

                    await eventually(has_reached)
                    proxy.cut()
                events = await output(watch)
            worker.terminate()
            await output(worker)
        assert proxy.accepted > 4

    log = await rpc.log(job.job_id)
    assert sequences(events) == [event.sequence for event in log] == list(range(1, len(log) + 1))
    results = [event.stage_progressed.current for event in log if event.HasField("stage_progressed")]
    assert results == [float(number) for number in range(1, 401)]
    ended = await rpc.get(job.job_id)
    assert (ended.state, ended.attempt) == (JobState.JOB_STATE_SUCCEEDED, 1)
    assert (ended.result["sum"], ended.fraction, ended.fraction_known) == (80200, 1.0, True)


async def test_a_watch_resumes_after_a_sequence(rpc: Rpc, shared_server: Server) -> None:
    """It prints the later events, and ends at once without any."""
    job = await rpc.submit(kind="none")
    await rpc.cancel(job.job_id)
    for after in (0, 1, 3):
        async with running("watch.mjs", shared_server.address, job.job_id, str(after)) as watch:
            assert sequences(await output(watch)) == list(range(after + 1, 4))


async def test_a_worker_stops_what_is_cancelled(rpc: Rpc, shared_server: Server) -> None:
    """It acknowledges the cancellation, and its job is CANCELLED without force."""
    async with running("worker.mjs", shared_server.address) as worker:
        job = await rpc.submit(input={"to": 1_000_000})

        async def runs() -> bool:
            return (await rpc.get(job.job_id)).state == JobState.JOB_STATE_RUNNING

        await eventually(runs)
        await rpc.cancel(job.job_id)
        await rpc.ended(job.job_id)
        worker.terminate()
        await output(worker)

    ended = await rpc.get(job.job_id)
    assert (ended.state, ended.cancellation.forced) == (JobState.JOB_STATE_CANCELLED, False)
    assert ended.cancellation.HasField("acknowledge_time")


async def test_a_watch_says_why_it_cannot_start(shared_server: Server) -> None:
    """Permanent errors are not retried."""
    async with running("watch.mjs", shared_server.address, "no-such-job") as watch:
        _, err = await watch.communicate()
    assert watch.returncode == 1
    assert b"NOT_FOUND" in err
