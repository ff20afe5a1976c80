"""``milepost serve`` while another process, such as a shell, has locked its database."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.v1 import Dispatch
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.reporting import Reporter
from tests.support.rpc import Rpc, connect, eventually, kinds
from tests.support.server import ServerProcess

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(rpc: Rpc, service: str) -> int:
    """The health of the server."""
    stub: Any = health_pb2_grpc.HealthStub(rpc.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


async def test_workers_go_on_after_a_lock_that_outlasts_their_leases(
    tmp_path: Path, forkery: Forkery
) -> None:
    """Writes are refused after a bounded wait, reads and health answer, and no lease is lost (rules 12 and 14)."""
    data = tmp_path / "data"
    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProcess(data, "--lease-ttl", "3s", forkery=forkery))
        rpc, *others = [await stack.enter_async_context(connect(server.address)) for _ in range(3)]
        reporters = [Reporter(each, seed) for seed, each in enumerate(others)]
        for reporter in reporters:
            await reporter.claim(2)
        async with asyncio.TaskGroup() as group:
            for reporter in reporters:
                group.create_task(reporter.run())
            await eventually(lambda: have_got_on(reporters, [0, 0]))
            with closing(sqlite3.connect(data / "milepost.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                refusal = await refused(rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL))
                assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
                assert "Another process has locked" in refusal.message
                assert refusal.metadata == {}  # the outcome is known
                await eventually(lambda: is_down(rpc))
                assert await health(rpc, "milepost.v1.JobService") == SERVING
                assert (await rpc.get(reporters[0].tasks[0].job_id)).attempt == 1
                before = [reporter.sessions for reporter in reporters]
                await eventually(lambda: have_come_back(reporters, before))
                stood = [reporter.acknowledged for reporter in reporters]
                other.execute("ROLLBACK")
            await eventually(lambda: have_got_on(reporters, stood))
            for task in [task for reporter in reporters for task in reporter.tasks]:
                task.finish()
        assert await health(rpc, "milepost.v1.WorkerService") == SERVING
        for task in [task for reporter in reporters for task in reporter.tasks]:
            log = await rpc.log(task.job_id)
            assert task.lines == [e.log_written.text for e in log if e.HasField("log_written")]
            assert kinds(log) == [
                "job_submitted",
                "job_started",
                *["log_written"] * len(task.lines),
                "job_ended",
            ]


async def is_down(rpc: Rpc) -> bool:
    """Whether health says that the server accepts no reports."""
    return await health(rpc, "milepost.v1.WorkerService") == NOT_SERVING


async def have_got_on(reporters: list[Reporter], before: list[int]) -> bool:
    """Whether each worker has further acknowledgements."""
    return all(r.acknowledged > b for r, b in zip(reporters, before, strict=True))


async def have_come_back(reporters: list[Reporter], before: list[int]) -> bool:
    """Whether each worker was refused several times more."""
    return all(r.sessions > b + 4 for r, b in zip(reporters, before, strict=True))
