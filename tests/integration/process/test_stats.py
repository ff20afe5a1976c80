"""AdminService.GetStats: the counters of a node, and what its log says of a loop that was held."""

from __future__ import annotations

from pathlib import Path

from milepost.server.messages.timestamps import nanoseconds
from milepost.v1 import GetStatsRequest, GetStatsResponse, Stage
from tests.support.forking import Forkery
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess


async def test_the_passes_of_the_event_loop_are_counted(tmp_path: Path, forkery: Forkery) -> None:
    """From the moment when the server serves; a pass over the option's limit has a line in the log."""
    with ServerProcess(tmp_path / "data", "--loop-warning", "1ms", forkery=forkery) as server:
        await _hold_the_loop(server)


async def _hold_the_loop(server: ServerProcess) -> None:
    async with connect(server.address) as rpc:
        first: GetStatsResponse = await rpc.admin.GetStats(GetStatsRequest())
        await rpc.submit(stages=[Stage(stage_id=f"{number}") for number in range(1000)])
        second: GetStatsResponse = await rpc.admin.GetStats(GetStatsRequest())

        assert 0 < first.event_loop.passes < second.event_loop.passes
        assert nanoseconds(second.event_loop.longest) > 10**6
        assert nanoseconds(second.event_loop.longest_cpu) > 0
        assert nanoseconds(second.event_loop.p99) > 0

        async def is_said() -> bool:
            return any(line["event"] == "event loop blocked" for line in server.log())

        await eventually(is_said)
