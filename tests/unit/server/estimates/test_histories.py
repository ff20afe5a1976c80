"""Histories of kinds, and stored runs that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from milepost.server.estimation.histories import Histories
from milepost.server.forecasting import kind_history
from milepost.server.forecasting.forecast import Scales
from milepost.server.forecasting.learned_stages import LearnedStages
from milepost.server.forecasting.past_run import PastRun
from milepost.server.forecasting.run_encoding import encode
from milepost.server.forecasting.workload import scales_of
from milepost.server.log.event_log import DurableCommit
from milepost.server.log.log_errors import StoreUnavailable
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.stored_runs import RUN_LIMIT, StoredRun
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Job, Stage
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


async def test_a_run_that_cannot_be_judged_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wholly, so that it keeps no later one out: no job of the kind would start or resume."""

    def failing(runs: Sequence[PastRun]) -> Scales:
        if any(run.duration == 13.0 for run in runs):
            raise ZeroDivisionError
        return scales_of(runs)

    monkeypatch.setattr(kind_history, "scales_of", failing)
    disk = MemoryDisk.new()
    durations = (1, 2, 13, 3)
    disk.runs["o", "k"] = [StoredRun(seconds, encode(counted(seconds, 1.0))) for seconds in durations]
    with capture_logs() as lines:
        history = await Histories(MemoryEventLog(disk), Slices()).get("o", "k")

    assert [run.duration for run in history.runs] == [1.0, 2.0, 3.0]
    assert len(history.judgements) == 2
    assert [line["event"] for line in lines] == ["past run ignored"]


class _BadLog(MemoryEventLog):
    """A log that fails to read the runs of one kind."""

    def __init__(self, disk: MemoryDisk, error: Exception) -> None:
        super().__init__(disk)
        self._error = error
        self.kinds_read: list[str] = []

    async def runs(self, owner: str, kind: str, *, caller: str = SERVER) -> Sequence[StoredRun]:
        """See ``EventLog.runs``."""
        self.kinds_read.append(kind)
        if kind == "bad":
            raise self._error
        return await super().runs(owner, kind, caller=caller)


def _with_a_bad_kind(error: Exception) -> _BadLog:
    disk = MemoryDisk.new()
    for kind in ("good", "bad", "also good"):
        disk.runs["o", kind] = [StoredRun(1, encode(counted(9, 1.0)))]
    return _BadLog(disk, error)


async def test_a_history_that_meets_a_defect() -> None:
    """Jobs of its kind start, and are accepted, without weights; the log says once why."""
    histories = Histories(_with_a_bad_kind(KeyError("a defect")), Slices())
    learned = LearnedStages(histories.stage_seconds)
    job = Job(owner="o", kind="bad", stages=[Stage(stage_id="s")])
    with capture_logs() as lines:
        await learned.prepare("o", "bad")
        await histories.weigh(job)
    await learned.prepare("o", "good")

    assert (learned.seconds("o", "bad"), learned.seconds("o", "good")) == ({}, {"s": 9.0})
    assert not job.stages[0].HasField("weight")
    assert [line["event"] for line in lines] == ["history not read"]


async def test_a_history_while_the_store_fails() -> None:
    """The start is repeated, as whatever the store fails at."""
    histories = Histories(_with_a_bad_kind(StoreUnavailable("disk I/O error")), Slices())
    with pytest.raises(StoreUnavailable):
        await LearnedStages(histories.stage_seconds).prepare("o", "bad")


async def test_all_other_histories_are_read_at_the_start() -> None:
    """One that meets a defect keeps the next ones from nothing."""
    log = _with_a_bad_kind(KeyError("a defect"))
    await Histories(log, Slices()).warm()
    assert log.kinds_read == ["good", "bad", "also good"]


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
