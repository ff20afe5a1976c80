"""What ``python -m bench estimates`` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.estimates.bars import Jumps, deviation, jumps, learned
from bench.estimates.costs import costs
from bench.estimates.naive import FRACTIONS, HISTORIES, Naive
from bench.estimates.recorded_runs import RecordedRun, load
from bench.estimates.virtual_time import Sample, run_samples, starts
from milepost.server.forecasting.calibration import CHECKPOINTS

OURS = "Milepost"

_PRINTED = (
    "microseconds of processor time for an estimate",
    "runs whose estimated end never jumps without an event",
    "looks at which it jumps within a stage",
    "largest deviation of the fraction from the elapsed share",
)

_PREDECESSORS = {"3-5": range(3, 6), "6-10": range(6, 11), "more": range(11, 1_000_000)}
_RESTART_EVERY = 500
_RESTARTED = f"p90 covers at a server that restarts after each {_RESTART_EVERY} runs, units known"

_ENOUGH = 3
"""Runs with fewer predecessors are reported apart."""


def report(
    paths: Sequence[Path], json_path: Path | None, console: Console, *, with_costs: bool = True
) -> None:
    """Measure the runs of these files, and what estimating costs; print tables, and write all figures as JSON."""
    runs = load(paths)
    found = {
        name: measure(runs, units_known=known)
        for name, known in (("units known", True), ("units unknown", False))
    }
    for name, figures in found.items():
        console.print(_table(f"{len(runs):,} runs, {name}", figures))
        for text in _PRINTED:
            console.print(f"{text}: {figures[text]}")
    covered = restarted_coverage(runs)
    console.print(f"{_RESTARTED}: {covered}")
    cost = costs() if with_costs else {}
    for text, figure in cost.items():
        console.print(f"{text}: {figure}")
    if json_path is not None:
        json_path.write_text(
            json.dumps({"runs": len(runs), **found, _RESTARTED: covered, "costs": cost}, indent=1) + "\n"
        )


def measure(runs: Sequence[RecordedRun], *, units_known: bool) -> dict[str, Any]:
    """All figures, with the number of units known to the server or not."""
    everything: list[Sample] = []
    equal: list[float] = []
    learnt: list[float] = []
    moved: list[Jumps] = []
    for run, kind in starts(runs, units_known=units_known):
        before = tuple(kind.ended)
        everything += run_samples(run, kind.history, kind.known, before, units_known=units_known)
        if len(before) >= _ENOUGH and run.seconds:
            moved.append(jumps(run, kind.history, units_known=units_known))
            if units_known:
                equal.append(deviation(run, {}))
                learnt.append(deviation(run, learned(kind.history, run)))
    taken = [sample for sample in everything if len(sample.before) >= _ENOUGH]
    few = [sample for sample in everything if len(sample.before) < _ENOUGH]
    naive = {**(FRACTIONS if units_known else {}), **HISTORIES}
    return {
        "all": _compare(taken, naive),
        "by checkpoint": {
            f"{fraction:.0%}": _compare([s for s in taken if s.fraction == fraction], naive)
            for fraction in CHECKPOINTS
        },
        "first quarter": _compare([s for s in taken if s.fraction <= 0.25], naive),
        "later": _compare([s for s in taken if s.fraction > 0.25], naive),
        "by predecessors": {
            name: _compare([s for s in taken if len(s.before) in counts], naive)
            for name, counts in _PREDECESSORS.items()
        },
        "fewer than three predecessors": {
            str(count): _compare([s for s in few if len(s.before) == count], {}) for count in range(_ENOUGH)
        },
        "microseconds of processor time for an estimate": _microseconds(taken),
        "runs whose estimated end never jumps without an event": _mean(
            [not found.unexplained for found in moved]
        ),
        "looks at which it jumps within a stage": round(
            sum(found.within_stage for found in moved) / max(sum(found.looks for found in moved), 1), 4
        ),
        "largest deviation of the fraction from the elapsed share": {
            name: {"mean": _mean(values), "median": _median(values)}
            for name, values in (("equal weights", equal), ("learned weights", learnt))
            if values
        },
    }


def restarted_coverage(runs: Sequence[RecordedRun]) -> dict[str, float]:
    """How often p90 covers, by checkpoint, at a server that is restarted again and again; with units known."""
    hits: dict[float, list[bool]] = {fraction: [] for fraction in CHECKPOINTS}
    for run, kind in starts(runs, units_known=True, restart_every=_RESTART_EVERY):
        before = tuple(kind.ended)
        if len(before) < _ENOUGH:
            continue
        for sample in run_samples(run, kind.history, kind.known, before, units_known=True):
            if sample.estimate is not None:
                hits[sample.fraction].append(_left(sample) <= sample.estimate.p90 + 1e-6)
    return {f"{fraction:.0%}": _mean(values) for fraction, values in hits.items()}


def _compare(chosen: Sequence[Sample], naive: Mapping[str, Naive]) -> dict[str, dict[str, float]]:
    told = [sample for sample in chosen if sample.estimate is not None]
    figures = {OURS: _errors(told, lambda s: s.estimate.p50 if s.estimate else 0.0)}
    figures[OURS] |= {
        "silent": round(1 - len(told) / len(chosen), 4) if chosen else 0.0,
        "p90 covers": _mean([s.estimate is not None and _left(s) <= s.estimate.p90 + 1e-6 for s in told]),
        "p90 - p50, median": _median(
            [(s.estimate.p90 - s.estimate.p50) / s.run.seconds for s in told if s.estimate and s.run.seconds]
        ),
    }
    for name, estimate in naive.items():
        figures[name] = _errors(chosen, partial(_naive, estimate))
    return figures


def _errors(chosen: Sequence[Sample], estimate: Callable[[Sample], float]) -> dict[str, float]:
    """The error is the difference of the remaining times ÷ the duration of the run."""
    errors = [
        abs(estimate(sample) - _left(sample)) / sample.run.seconds for sample in chosen if sample.run.seconds
    ]
    return {
        "samples": len(errors),
        "mean error": _mean(errors),
        "median error": _median(errors),
        "within 10 %": _mean([error <= 0.1 for error in errors]),
    }


def _naive(estimate: Naive, sample: Sample) -> float:
    return estimate(sample.run, sample.before, sample.elapsed)


def _left(sample: Sample) -> float:
    return sample.run.seconds - sample.elapsed


def _mean(values: Sequence[float]) -> float:
    return round(fmean(values), 6) if values else 0.0


def _median(values: Sequence[float]) -> float:
    return round(median(values), 6) if values else 0.0


def _microseconds(chosen: Sequence[Sample]) -> dict[str, float]:
    times = sorted(sample.seconds * 1e6 for sample in chosen)
    return (
        {"mean": _mean(times), "median": _median(times), "p99": round(times[len(times) * 99 // 100], 1)}
        if times
        else {}
    )


def _table(title: str, figures: Mapping[str, Any]) -> Table:
    table = Table(title=title)
    for column in ("", "by", "samples", "mean error", "median error", "within 10 %", "p90 covers", "silent"):
        table.add_column(column, justify="left" if column in ("", "by") else "right")
    rows: dict[str, Any] = {"all": figures["all"]}
    rows |= {f"at {name}": found for name, found in figures["by checkpoint"].items()}
    rows |= {"first quarter": figures["first quarter"], "later": figures["later"]}
    rows |= {f"{name} predecessors": found for name, found in figures["by predecessors"].items()}
    rows |= {
        f"{name} predecessors": found for name, found in figures["fewer than three predecessors"].items()
    }
    for name, found in rows.items():
        table.add_section()
        for by, numbers in found.items():
            table.add_row(
                name if by == OURS else "",
                by,
                f"{numbers['samples']:,}",
                *(f"{numbers[key]:.2%}" for key in ("mean error", "median error", "within 10 %")),
                *(f"{numbers[key]:.1%}" if key in numbers else "" for key in ("p90 covers", "silent")),
            )
    return table
