"""How durations grow with the workload: a robust regression of log duration on log workload."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import median
from typing import Final

from milepost.server.forecasting.forecast import NO_SCALES, Scales
from milepost.server.forecasting.past_run import PastRun

_RUNS: Final = 5
_WORKLOADS: Final = 3
_RUNS_LIMIT: Final = 16
"""Runs that are looked at: their pairs are 120."""

_EXPONENT_MAX: Final = 2.0


def scales_of(runs: Sequence[PastRun]) -> Scales:
    """By which power of the workload durations grow; 0, for not at all, without enough different workloads.

    The slope is the median of those between all pairs of runs (Theil, 1950; Sen, 1968), so that a few odd runs do not
    matter. It takes 5 runs of 3 workloads.
    """
    measured = [run for run in runs[-_RUNS_LIMIT:] if run.workload > 0 and run.duration > 0]
    if len(measured) < _RUNS or len({run.workload for run in measured}) < _WORKLOADS:
        return NO_SCALES
    stages: dict[str, list[tuple[float, float]]] = {}
    for run in measured:
        for step in run.steps:
            stages.setdefault(step.stage.stage_id, []).append((run.workload, step.stage.duration))
    return Scales(
        _slope((run.workload, run.duration) for run in measured),
        {stage_id: _slope(points) for stage_id, points in stages.items()},
    )


def _slope(points: Iterable[tuple[float, float]]) -> float:
    logs = [(math.log(workload), math.log(duration)) for workload, duration in points if duration > 0]
    slopes = [(d1 - d0) / (w1 - w0) for (w0, d0), (w1, d1) in combinations(logs, 2) if w0 != w1]
    return min(max(median(slopes), 0.0), _EXPONENT_MAX) if slopes else 0.0
