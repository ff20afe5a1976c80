"""The measurement of estimates: on a small file, and that it notices what must not be."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from bench.estimates.recorded_runs import RecordedRun, RecordedStage, load
from bench.estimates.report import measure, report
from bench.estimates.virtual_time import Leak, past_of, run_samples, starts
from milepost.server.forecasting.calibration import Pool
from milepost.server.forecasting.kind_history import KindHistory


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


def test_runs_that_take_no_time_know_nothing_of_themselves() -> None:
    """Each starts and ends in the same instant, after the one before it."""
    found = starts([recorded(float(n), 0.0) for n in range(3)], units_known=True)
    assert [len(kind.ended) for _, kind in found] == [0, 1, 2]


def test_a_unit_that_is_done_at_the_moment_of_a_look_is_no_leak() -> None:
    """Although its time of day, as a float, is off by a fraction of a microsecond."""
    run = RecordedRun("k", 1.6e9 + 0.3, 1.0, (RecordedStage("s", 0.0, 1.0, (0.1, 0.25, 0.5, 0.75, 0.9)),))
    samples = list(run_samples(run, KindHistory(Pool()), {}, (), units_known=True))
    assert [sample.elapsed for sample in samples] == [0.1, 0.25, 0.5, 0.75, 0.9]


def odd_run(chance: random.Random) -> dict[str, object]:
    """A run as nobody would record it: of no length, or with times before, after and beside it."""
    seconds = chance.choice([0, 1e-9, 0.5, 10, 1e9])
    stages: list[dict[str, object]] = []
    for _ in range(chance.choice([0, 1, 3, 70])):
        start = chance.choice([0, -1, chance.random() * seconds, seconds, 2 * seconds])
        end = chance.choice([start, start - 1, seconds, start + chance.random() * seconds])
        ticks = [chance.choice([start, end, -5, 3 * seconds]) for _ in range(chance.choice([0, 1, 5]))]
        stage: dict[str, object] = {"id": chance.choice(["s", "t", "", "ü", "x" * 300])}
        stage |= {"start": start, "end": end, "ticks": chance.choice([ticks, None])}
        stages.append(stage | chance.choice([{}, {"unit": None}, {"unit": "x", "more": {"a": [1]}}]))
    submitted = chance.choice([0, -5, 1.5e9, 1.5e9 + chance.random(), 2**33])
    run = {
        "kind": chance.choice(["a", "b", ""]),
        "submitted": submitted,
        "seconds": seconds,
        "stages": stages,
    }
    return run | chance.choice([{}, {"unknown": 1}])


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.nightly) for n in range(4, 40))]
)
def test_odd_runs_give_figures(tmp_path: Path, seed: int) -> None:
    """None of them, one, or many, also the same ones again, at the same time, and of unknown fields."""
    chance = random.Random(seed)
    runs = [odd_run(chance) for _ in range((0, 1, 8, 20)[seed % 4])]
    runs += chance.choices(runs, k=len(runs))
    path, out = tmp_path / "x.jsonl", tmp_path / "out.json"
    path.write_text("\n\n".join(map(json.dumps, runs)))
    report([path], out, Console(quiet=True), with_costs=False)

    assert load([path]) == load([path, path])[: len(runs)]
    assert json.loads(out.read_text(), parse_constant=pytest.fail)["runs"] == len(runs)


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
