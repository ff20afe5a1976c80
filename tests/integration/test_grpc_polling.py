"""One thread of gRPC serves the connections of `milepost serve`."""

from __future__ import annotations

import time
from pathlib import Path

from milepost.server.runtime import grpc_polling
from milepost.v1 import Claim, Dispatch
from tests.support.rpc import connect, log_line
from tests.support.server import ServerProcess

_REPORTS = 300
# Twice as often as those threads wake up in a second when nothing happens.
_IDLE_WAKEUPS = 20


def _wakeups(pid: int) -> int:
    """How often gRPC's further threads have waited for something so far."""
    return sum(
        int(line.split()[1])
        for thread in Path(f"/proc/{pid}/task").iterdir()
        if (thread / "comm").read_text().startswith("event_engine")
        for line in (thread / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


async def _wakeups_of_reports(server: ServerProcess) -> int:
    """How often they do so during reports that are acknowledged one by one."""
    async with connect(server.address) as rpc, rpc.session() as session:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()
        before = _wakeups(server.pid)
        for number in range(1, _REPORTS + 1):
            await session.report(job.job_id, token, number, log_line("line"))
            await session.acknowledged(number)
        return _wakeups(server.pid) - before


async def test_reports_wake_no_further_threads_of_grpc(tmp_path: Path) -> None:
    """The thread of grpc.aio reads what comes, and hands it to the event loop, without another one in between."""
    with ServerProcess(tmp_path / "data") as server:
        began = time.monotonic()
        wakeups = await _wakeups_of_reports(server)
        idle = _IDLE_WAKEUPS * (time.monotonic() - began)

    assert wakeups - idle < _REPORTS / 2


async def test_the_environment_says_how_grpc_polls(tmp_path: Path) -> None:
    """What an operator has set in the variable of gRPC's core stays."""
    server = ServerProcess(tmp_path / "data")
    server.environment = {grpc_polling.VARIABLE: "event_engine_listener"}
    with server:
        wakeups = await _wakeups_of_reports(server)

    assert wakeups > _REPORTS
