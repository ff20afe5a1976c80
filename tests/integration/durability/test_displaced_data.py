"""``milepost serve`` whose data directory is deleted or moved while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.v1 import Dispatch, GetJobRequest
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def alone(tmp_path: Path, forkery: Forkery) -> Any:
    """A server with its log in a data directory."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        yield server


async def submitted(rpc: Rpc) -> str:
    """A new job."""
    return (await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id


async def ended(server: ServerProcess) -> tuple[int, str]:
    """Wait until the server has exited; return the status and its last log line."""
    status = await asyncio.to_thread(server.wait)
    return status, server.log_path.read_text().splitlines()[-1]


def remove(directory: Path) -> None:
    """Remove a directory into which a server may put a file meanwhile."""
    while directory.exists():
        with contextlib.suppress(OSError):
            shutil.rmtree(directory)


async def test_deleted_data_ends_the_server(alone: ServerProcess) -> None:
    """Nothing more is acknowledged, the log has the reason, health changes, and the server exits."""
    async with connect(alone.address) as rpc:
        await submitted(rpc)
        health: Any = health_pb2_grpc.HealthStub(rpc.channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=""))
        assert (await watch.read()).status == SERVING
        remove(alone.data)
        refusal = await refused(rpc.submit())
        assert (await watch.read()).status == NOT_SERVING

    assert refusal.code == "UNAVAILABLE"
    # The server may have noticed before it was called.
    assert refusal.reason in ("STORE_UNAVAILABLE", "DRAINING")
    status, line = await ended(alone)
    assert status == 1
    assert line.startswith(f"Error: The store's file '{alone.data}/milepost.db' is gone")


async def test_deleted_data_ends_an_idle_server(alone: ServerProcess) -> None:
    """An idle server exits as well, with one line of reason; the next one has another epoch."""
    epoch = alone.epoch
    remove(alone.data)
    status, _ = await ended(alone)
    logged = [json.loads(line)["event"] for line in alone.log_path.read_text().splitlines()[:-1]]
    alone.restart()

    assert status == 1
    assert logged == ["serving", "store files displaced", "stopping", "stopped"]
    assert alone.epoch != epoch


async def test_moved_data_loses_nothing(alone: ServerProcess, forkery: Forkery) -> None:
    """Started on the new path, the server has the same epoch and every acknowledged job."""
    acknowledged: list[str] = []
    flows = asyncio.Event()

    async def submit_all(rpc: Rpc) -> None:
        while True:
            acknowledged.append(await submitted(rpc))
            if len(acknowledged) == 20:
                flows.set()

    async with connect(alone.address) as rpc:
        submitting = asyncio.create_task(refused(submit_all(rpc)))
        await flows.wait()
        moved = alone.data.rename(alone.data.with_name("moved"))
        assert (await submitting).code == "UNAVAILABLE"
    status, _ = await ended(alone)

    with ServerProcess(moved, forkery=forkery) as again:
        async with connect(again.address) as rpc:
            found = [(await rpc.jobs.GetJob(GetJobRequest(job_id=each))).job.job_id for each in acknowledged]
    assert found == acknowledged
    assert (again.epoch, status) == (alone.epoch, 1)


async def test_a_deleted_lock_ends_the_server(alone: ServerProcess) -> None:
    """Another server could use the directory, so this one exits; after a restart it has everything."""
    async with connect(alone.address) as rpc:
        job_id = await submitted(rpc)
    (alone.data / "lock").unlink()
    status, line = await ended(alone)
    epoch = alone.epoch
    alone.restart()
    async with connect(alone.address) as rpc:
        assert (await rpc.get(job_id)).job_id == job_id

    assert (status, alone.epoch) == (1, epoch)
    assert line.startswith(f"Error: The store's file '{alone.data}/lock' is gone")
