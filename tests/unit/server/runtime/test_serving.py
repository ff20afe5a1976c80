"""A server that starts: its health, what it cannot read, and an end that comes first."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from structlog.testing import capture_logs

from milepost.server.runtime.core import Core
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import GetJobRequest, job_service_pb2_grpc
from tests.support.rpc import connect

SERVICES = ("", "milepost.v1.JobService", "milepost.v1.WorkerService")


async def test_health_is_serving_only_once_calls_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While unfinished jobs are resumed, health is NOT_SERVING and calls are refused."""
    starting, go_on = asyncio.Event(), asyncio.Event()
    start = Core.start

    async def held(core: Core) -> None:
        starting.set()
        await go_on.wait()
        await start(core)

    monkeypatch.setattr(Core, "start", held)
    server = Server(Settings(address="127.0.0.1:0", data=tmp_path / "data"))
    running = asyncio.create_task(server.start())
    await starting.wait()
    async with grpc.aio.insecure_channel(server.address) as channel:
        jobs = job_service_pb2_grpc.JobServiceStub(channel)
        health: Any = HealthStub(channel)  # its types lack the methods

        async def statuses() -> set[int]:
            return {(await health.Check(HealthCheckRequest(service=name))).status for name in SERVICES}

        async def refused_with() -> grpc.StatusCode:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await jobs.GetJob(GetJobRequest(job_id="nobody"))
            return refused.value.code()

        assert await statuses() == {HealthCheckResponse.NOT_SERVING}
        assert await refused_with() == grpc.StatusCode.UNAVAILABLE

        go_on.set()
        await running
        assert await statuses() == {HealthCheckResponse.SERVING}
        assert await refused_with() == grpc.StatusCode.NOT_FOUND
    await server.stop()


async def test_a_start_that_is_cancelled_leaves_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM may come at any time, also while grpc.aio starts its own tasks."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    server = Server(Settings(address="127.0.0.1:0", data=tmp_path / "data"))
    begun = asyncio.Event()
    start = server._grpc.start

    async def noted() -> None:
        begun.set()
        await start()

    monkeypatch.setattr(server._grpc, "start", noted)
    starting = asyncio.create_task(server.start())
    await begun.wait()
    starting.cancel()
    await asyncio.wait([starting])
    await server.stop()
    gc.collect()
    assert (starting.cancelled(), faults) == (True, [])


async def test_damaged_jobs_keep_no_server_from_starting(tmp_path: Path) -> None:
    """It resumes all others, and its log has the ids of those that it cannot read."""
    settings = Settings(address="127.0.0.1:0", data=tmp_path / "data")
    server = Server(settings)
    await server.start()
    async with connect(server.address) as rpc:
        for job_id in ("damaged", "parent"):
            await rpc.submit(job_id=job_id, kind="k")
        await rpc.submit(job_id="child", kind="k", parent_job_id="parent")
    await server.stop()
    with closing(sqlite3.connect(tmp_path / "data" / "milepost.db")) as database, database:
        database.execute("UPDATE jobs SET job = x'0aff' WHERE job_id IN ('damaged', 'parent')")

    again = Server(settings)
    with capture_logs() as lines:
        await again.start()
    try:
        async with connect(again.address) as rpc, rpc.session(kinds=["k"]) as session:
            job, _ = await session.take()
    finally:
        await again.stop()
    assert job.job_id == "child"
    assert [(line["event"], line["job_id"]) for line in lines if line["log_level"] == "error"] == [
        ("job not resumed", "damaged"),
        ("job not resumed", "parent"),
        ("parent cannot be read; its children may run on", "parent"),
    ]
