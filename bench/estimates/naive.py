"""What others estimate: a fraction, the last run, a mean, a median. All return the remaining time in seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import TypeAlias

from bench.estimates.recorded_runs import RecordedRun

Naive: TypeAlias = Callable[[RecordedRun, Sequence[RecordedRun], float], float]
"""Takes a run, those that ended before it started, and the seconds since its start."""


def _equal_weights(run: RecordedRun, before: Sequence[RecordedRun], elapsed: float) -> float:
    return _by_fraction(run, {}, elapsed)


def _learned_weights(run: RecordedRun, before: Sequence[RecordedRun], elapsed: float) -> float:
    durations: dict[str, list[float]] = {}
    for earlier in before:
        for stage in earlier.stages:
            durations.setdefault(stage.stage_id, []).append(stage.end - stage.start)
    return _by_fraction(run, {name: median(values) for name, values in durations.items()}, elapsed)


def _by_fraction(run: RecordedRun, weights: Mapping[str, float], elapsed: float) -> float:
    """Elapsed ÷ fraction; 0 while nothing is done, since anything else would be taken from elsewhere."""
    done = total = 0.0
    for stage in run.stages:
        weight = weights.get(stage.stage_id, 1.0)
        total += weight
        if stage.end <= elapsed:
            done += weight
        elif stage.ticks:
            done += weight * sum(at <= elapsed for at in stage.ticks) / len(stage.ticks)
    return elapsed * (total - done) / done if done else 0.0


def _last(run: RecordedRun, before: Sequence[RecordedRun], elapsed: float) -> float:
    return max(before[-1].seconds - elapsed, 0.0)


def _mean_of_three(run: RecordedRun, before: Sequence[RecordedRun], elapsed: float) -> float:
    return max(fmean(earlier.seconds for earlier in before[-3:]) - elapsed, 0.0)


def _median(run: RecordedRun, before: Sequence[RecordedRun], elapsed: float) -> float:
    return max(median(earlier.seconds for earlier in before) - elapsed, 0.0)


FRACTIONS: Mapping[str, Naive] = {
    "elapsed / fraction, equal weights": _equal_weights,
    "elapsed / fraction, learned weights": _learned_weights,
}
"""These need the number of units."""

HISTORIES: Mapping[str, Naive] = {
    "last run": _last,
    "mean of three": _mean_of_three,
    "history median": _median,
}
