"""The health of a starting server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from milepost.server.runtime.core import Core
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import GetJobRequest, job_service_pb2_grpc

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
