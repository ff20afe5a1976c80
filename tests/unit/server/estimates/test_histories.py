"""Histories of kinds, and stored runs that cannot be read."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from milepost.server.estimation.histories import Histories
from milepost.server.forecasting.run_encoding import encode
from milepost.server.log.event_log import DurableCommit
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.stored_runs import RUN_LIMIT, StoredRun
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps
from tests.support.commits import Author
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


class _BusySlices(Slices):
    """Slices between which runs end, as many as ``ends`` adds."""

    def __init__(self, ends: int) -> None:
        super().__init__()
        self._ends = ends
        self.histories: Histories | None = None
        self._position = 1_000

    async def run(self, steps: Steps[Any], caller: str) -> Any:
        """See ``Slices``."""
        assert self.histories is not None
        author = Author("j", owner="o", kind="k")
        author.submit()
        author.start()
        end = author.succeed()._replace(run=encode(counted(9, 1.0)))
        for _ in steps:
            self._position += self._ends
            entries = [DurableCommit(end, self._position + number) for number in range(self._ends)]
            self.histories.on_entries(entries)


async def test_more_runs_end_than_a_history_has_while_it_is_read() -> None:
    """Jobs of the kind start and are accepted meanwhile, and the next ones know the latest runs."""
    disk = MemoryDisk.new()
    run = encode(counted(9, 1.0))
    disk.runs["o", "k"] = [StoredRun(number, run) for number in range(RUN_LIMIT)]
    slices = _BusySlices(2 * RUN_LIMIT)
    slices.histories = histories = Histories(MemoryEventLog(disk), slices)

    for _ in range(3):
        history = await histories.get("o", "k")
        assert 0 < len(history.runs) <= RUN_LIMIT
