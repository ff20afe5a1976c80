"""What people see of a run: whether its bar runs straight, and whether its estimated end stays where it was."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from bench.estimates.recorded_runs import RecordedRun, events
from milepost.server.forecasting.job_observer import JobObserver
from milepost.server.forecasting.kind_history import KindHistory

_LOOKS = 50

_ROUNDING = 1e-6
"""Seconds. Events have times in nanoseconds, and some estimates a p90 that is their p50."""


def deviation(run: RecordedRun, weights: Mapping[str, float]) -> float:
    """The largest difference of the fraction and the elapsed share of the run, at each update and on both sides of it.

    Stages without a weight weigh 1.
    """
    changes: list[tuple[float, float]] = []
    total = sum(weights.get(stage.stage_id, 1.0) for stage in run.stages)
    for stage in run.stages:
        weight = weights.get(stage.stage_id, 1.0) / total
        if stage.ticks:
            changes += [(min(max(at, 0.0), run.seconds), weight / len(stage.ticks)) for at in stage.ticks]
        else:
            changes.append((min(stage.end, run.seconds), weight))
    fraction = largest = 0.0
    for at, step in sorted(changes):
        share = at / run.seconds
        largest = max(largest, abs(fraction - share), abs(fraction + step - share))
        fraction += step
    return largest


def learned(history: KindHistory, run: RecordedRun) -> dict[str, float]:
    """The weights of the stages, as a submission gets them: those that are known, relative to their mean."""
    known = history.weights()
    found = {stage.stage_id: known[stage.stage_id] for stage in run.stages if stage.stage_id in known}
    mean = sum(found.values()) / len(found) if found else 0.0
    return {stage_id: seconds / mean for stage_id, seconds in found.items()} if mean else {}


class Jumps(NamedTuple):
    """How often the estimated end moves by more than the estimate's own p90 - p50."""

    unexplained: int
    """Without any event of the job in between."""
    within_stage: int
    """With updates of progress in between at most, and neither start nor end of a stage."""
    looks: int
    """Pairs of moments that were compared."""


def jumps(run: RecordedRun, history: KindHistory, *, units_known: bool) -> Jumps:
    """Compare the estimates at 50 moments of the run, each with the one before."""
    observer = JobObserver()
    pending = list(events(run, units_known=units_known))
    boundaries = sorted(at for stage in run.stages for at in (stage.start, stage.end))
    taken = 0
    looks: list[tuple[float, float, int, int]] = []
    for number in range(1, _LOOKS):
        elapsed = run.seconds * number / _LOOKS
        while taken < len(pending) and pending[taken][0] <= elapsed:
            observer.observe(pending[taken][1])
            taken += 1
        progress = observer.progress(run.instant(elapsed), None)
        found = None if progress is None else history.remaining(progress)
        if found is not None:
            stages = bisect_right(boundaries, elapsed)
            looks.append((elapsed + found.p50, found.p90 - found.p50, taken, stages))
    jumped = [
        (seen == taken, passed == stages)
        for (ended, width, seen, passed), (end, _, taken, stages) in pairwise(looks)
        if abs(end - ended) > width + _ROUNDING
    ]
    return Jumps(
        sum(quiet for quiet, _ in jumped), sum(within for _, within in jumped), max(len(looks) - 1, 0)
    )
