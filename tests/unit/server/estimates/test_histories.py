"""Histories of kinds, and stored runs that cannot be read."""

from __future__ import annotations

from structlog.testing import capture_logs

from milepost.server.estimation.histories import Histories
from milepost.server.forecasting.run_encoding import encode
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.stored_runs import StoredRun
from milepost.server.scheduling.slices import Slices
from tests.unit.server.estimates.past_runs import counted


async def test_runs_that_cannot_be_read_are_left_out() -> None:
    """Those of a newer version, and damaged ones: no job of the kind would start, or be accepted with stages."""
    disk = MemoryDisk.new()
    run = encode(counted(9, 1.0))
    disk.runs["o", "k"] = [StoredRun(1, b"\xff" + run[1:]), StoredRun(2, run[:20]), StoredRun(3, run)]
    with capture_logs() as lines:
        history = await Histories(MemoryEventLog(disk), Slices()).get("o", "k")

    assert len(history.runs) == 1
    assert [line["event"] for line in lines] == ["past run ignored"] * 2
