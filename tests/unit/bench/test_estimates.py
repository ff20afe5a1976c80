"""The measurement of estimates: on a small file, and that it notices what must not be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench.estimates.recorded_runs import RecordedRun, RecordedStage, load
from bench.estimates.report import measure, report
from bench.estimates.virtual_time import Leak, past_of, run_samples
from milepost.server.estimates.calibration import Pool
from milepost.server.estimates.kind_history import KindHistory


def recorded(submitted: float, seconds: float = 10.0) -> RecordedRun:
    """A run of one stage that does a unit a second."""
    ticks = tuple(float(at) for at in range(1, int(seconds) + 1))
    return RecordedRun("k", submitted, seconds, (RecordedStage("s", 0.0, seconds, ticks),))


def line(run: RecordedRun) -> str:
    """The run as a line of a file."""
    stages = [
        {"id": stage.stage_id, "start": stage.start, "end": stage.end, "unit": "x", "ticks": stage.ticks}
        for stage in run.stages
    ]
    found = {"kind": run.kind, "submitted": run.submitted, "seconds": run.seconds, "stages": stages}
    return json.dumps(found)


@pytest.mark.parametrize("with_costs", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_a_file_gives_figures(tmp_path: Path, with_costs: bool) -> None:
    """Plain and gzipped; runs that are all alike are estimated to the second, and elapsed / fraction is right, too."""
    runs = [recorded(100.0 * n) for n in range(8)]
    plain, zipped, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz", tmp_path / "out.json"
    plain.write_text("\n".join(map(line, runs[:4])))
    zipped.write_bytes(gzip.compress("\n".join(map(line, runs[4:])).encode()))
    report([plain, zipped], out, Console(quiet=True), with_costs=with_costs)
    figures = json.loads(out.read_text())

    assert load([plain, zipped]) == runs
    assert figures["runs"] == 8
    assert bool(figures["costs"]) == with_costs
    assert figures["units known"]["all"]["Milepost"]["samples"] == 5 * 5
    assert figures["units known"]["all"]["Milepost"]["mean error"] == 0
    assert figures["units known"]["all"]["Milepost"]["p90 covers"] == 1
    assert figures["units known"]["all"]["last run"]["mean error"] == 0


def test_runs_at_the_same_time_know_nothing_of_each_other() -> None:
    """Only what had ended before a run started is its history."""
    figures = measure([recorded(float(n)) for n in range(8)], units_known=True)
    assert figures["all"]["Milepost"]["samples"] == 0
    assert figures["fewer than three predecessors"]["0"]["Milepost"]["samples"] > 0


@pytest.mark.parametrize("planted", [recorded(0.0), recorded(50.0)], ids=["itself", "later"])
def test_a_planted_leak_is_noticed(planted: RecordedRun) -> None:
    """A run must not see itself, nor one that ends after it has started."""
    history = KindHistory(Pool())
    past = past_of(planted, units_known=True)
    history.add(past, 0)
    with pytest.raises(Leak):
        list(run_samples(recorded(0.0), history, {id(past): planted.ended}, (), units_known=True))


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """With its line."""
    path = tmp_path / "x.jsonl"
    path.write_text(line(recorded(0.0)) + '\n{"kind": "k"}\n')
    with pytest.raises(ValueError, match="line 2"):
        load([path])
