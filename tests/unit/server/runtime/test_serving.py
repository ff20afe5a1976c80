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
from milepost.v1 import GetJobRequest, ListJobsRequest, job_service_pb2_grpc
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


@pytest.mark.parametrize("times", [1, 2])
async def test_a_start_that_is_cancelled_leaves_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """SIGTERM may come at any time, also while grpc.aio starts its own tasks, and again."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    server = Server(Settings(address="127.0.0.1:0", data=tmp_path / "data"))
    begun, may_start = asyncio.Event(), asyncio.Event()
    start = server._grpc.start
    has_started = False

    async def noted() -> None:
        nonlocal has_started
        begun.set()
        await may_start.wait()
        await start()
        has_started = True

    monkeypatch.setattr(server._grpc, "start", noted)
    starting = asyncio.create_task(server.start())
    await begun.wait()
    for _ in range(times):
        starting.cancel()
        await asyncio.sleep(0)  # the cancellation arrives
    may_start.set()
    await asyncio.wait([starting])
    await server.stop()
    gc.collect()
    assert (starting.cancelled(), has_started, faults) == (True, True, [])


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


async def test_damaged_jobs_are_left_out_of_lists(tmp_path: Path) -> None:
    """The pages have as many others as ever, and the server's log has the ids, once."""
    server = Server(Settings(address="127.0.0.1:0", data=tmp_path / "data"))
    await server.start()
    try:
        async with connect(server.address) as rpc:
            for number in range(6):
                await rpc.submit(job_id=f"j{number}", kind="k")
            with closing(sqlite3.connect(tmp_path / "data" / "milepost.db")) as database, database:
                database.execute("UPDATE jobs SET job = x'0aff' WHERE job_id IN ('j5', 'j4', 'j2')")
            pages: list[list[str]] = []
            token = ""
            with capture_logs() as lines:
                while not pages or token:
                    page = await rpc.jobs.ListJobs(ListJobsRequest(page_size=2, page_token=token))
                    pages.append([job.job_id for job in page.jobs])
                    token = page.next_page_token
    finally:
        await server.stop()
    assert pages == [["j3", "j1"], ["j0"]]
    logged = [line["job_id"] for line in lines if line["event"] == "job left out of a list"]
    assert logged == ["j5", "j4", "j2"]
