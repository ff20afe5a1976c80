"""Forecast the remaining time of a job: each past run, adapted to what is known of this one, is one scenario.

The forecast is the weighted median of the scenarios. Measured on recorded runs (``bench/estimates.py``), that beats a
blend of separate predictors, since a scenario keeps together what belongs together: how many units there are, at which
of them the pace changes, and what comes after.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from milepost.server.forecasting.job_progress import JobProgress, StageProgress
from milepost.server.forecasting.past_run import PastRun, StageRun

RUN_LIMIT: Final = 32
"""Most recent runs that a forecast uses."""

STEP_LIMIT: Final = 128
"""Steps of past runs that a forecast goes through, so that many stages do not make it slow; but at least three runs."""

_HALF_LIFE: Final = 64.0
"""Runs after which a run weighs half. A sudden change is noticed by ``since_change``."""

CHANGE_RUNS: Final = 4
"""Runs in a row outside of the earlier range that count as a change: after five, one in 63 comes by chance."""

_CHANGE_DISTANCE_MIN: Final = 0.75
"""Minimum distance from the earlier range, in interquartile ranges: in runs that differ much, four in a row are outside
of that range by chance. For a normal distribution it is one standard deviation."""

_BEFORE_CHANGE: Final = 5
"""Minimum runs before a change: the evidence of fewer does not outweigh that of the runs after it."""

_PACE_EVIDENCE: Final = 5.0
"""Updates after which the pace of this run weighs as much as that of the past one."""

_PACE_DISTANCE: Final = math.log(2)
"""By how much the logarithms of paces of a kind differ, usually. The further a pace is from the past one, the less that
tells of this run: the prior is one with heavy tails, as of Student's t."""

_SPREAD: Final = 0.3
"""How far, as a fraction, a job outlasts a past run that still counts with the weight 1/e. Such a job may end at any
moment: what it still takes grows to the same part of that."""

_LATENESS_FACTOR: Final = 2.0
"""What is late takes as many times as long again as it is late by now, so that an estimate does not jump at the end of
what was expected, but moves away from it."""

_LATENESS_SLACK: Final = 0.1
"""A unit that is late moves the end only once it is later than this part of what comes after it: units differ. The same
holds for a stage without units that runs alone."""

_GROWTH_LIMIT: Final = 1e12
"""How many times the workload of a run a job's counts at most, and what part of it at least: powers of any other ratio
may be beyond the range of numbers."""

_NEVER: Final = 1e-9


class Forecast(NamedTuple):
    """A median of the remaining time."""

    remaining: float
    """Seconds."""
    runs: int
    """Past runs that it rests on."""


class Scales(NamedTuple):
    """By which power of its workload the duration of a job, and of each of its stages, grows; see ``workload``."""

    job: float
    stages: Mapping[str, float]


NO_SCALES: Final = Scales(0.0, {})


def forecast(progress: JobProgress, runs: Sequence[PastRun], scales: Scales = NO_SCALES) -> Forecast | None:
    """The remaining time of a job after these runs, the latest last. None if there are none."""
    steps = max((len(run.steps) for run in runs[-RUN_LIMIT:]), default=0)
    limit = min(RUN_LIMIT, max(3, STEP_LIMIT // max(steps, 1)))
    scenarios = []
    weight, fading = 1.0, 0.5 ** (1 / _HALF_LIFE)
    for run in reversed(runs[-limit:]):
        remaining, likelihood = _scenario(progress, run, scales)
        scenarios.append((remaining, weight * max(likelihood, _NEVER)))
        weight *= fading
    if not scenarios:
        return None
    return Forecast(_weighted_median(scenarios), len(scenarios))


def since_change(runs: Sequence[PastRun]) -> Sequence[PastRun]:
    """The runs since the kind changed its pace: ``CHANGE_RUNS`` in a row were far shorter, or longer, than before."""
    durations = [run.duration for run in runs]
    start = 0
    for index in range(_BEFORE_CHANGE, len(durations) - CHANGE_RUNS + 1):
        before, after = sorted(durations[start:index]), durations[index : index + CHANGE_RUNS]
        if len(before) >= _BEFORE_CHANGE:
            apart = _CHANGE_DISTANCE_MIN * (before[len(before) * 3 // 4] - before[len(before) // 4])
            if max(after) < before[0] - apart or min(after) > before[-1] + apart:
                start = index
    return runs[start:]


def growth(progress: JobProgress, run: PastRun) -> float:
    """The workload of the job, of that of the run; 1 where either is unknown."""
    grown = progress.workload / run.workload if progress.workload and run.workload else 1.0
    return min(max(grown, 1 / _GROWTH_LIMIT), _GROWTH_LIMIT)


def _scenario(progress: JobProgress, run: PastRun, scales: Scales) -> tuple[float, float]:
    """The remaining time if the job goes on like ``run``, and how likely it is that it does, after what it has done."""
    elapsed = progress.elapsed
    grown = growth(progress, run)
    if not run.steps:
        return _left(run.duration * grown**scales.job, elapsed)
    ends: list[float] = []
    last = 0.0
    likelihood = 1.0
    open_stages = False
    running = 0
    due = late = 0.0
    for stage, after, gap in run.steps:
        now = progress.stages.get(stage.stage_id, _PENDING)
        if now.end is not None:
            end = now.end
        else:
            open_stages = True
            factor = grown ** scales.stages.get(stage.stage_id, 0.0) if grown != 1.0 else 1.0
            if now.start is None:
                begin = gap if after < 0 else ends[after] + gap
                end = max(begin, elapsed) + _whole(stage, now, factor)
            else:
                left, likely = _rest(stage, now, elapsed, factor)
                likelihood *= likely
                end = elapsed + left
                running += 1
                if likely < 1.0 and stage.curve is None:
                    due, late = now.start + stage.duration * factor, end
        ends.append(end)
        if end > last:
            last = end
    if not open_stages:
        left, likely = _left(run.closing, elapsed - last)
        return left, likelihood * likely
    end = last + run.closing
    if late and running == 1:
        end -= min(late - due, _LATENESS_SLACK * max(end - late, 0.0))
    return end - elapsed, likelihood


def _whole(stage: StageRun, now: StageProgress, factor: float) -> float:
    """The duration of a stage that has not begun."""
    if now.total is None or stage.curve is None:
        return stage.duration * factor
    return stage.curve.at(now.total) + stage.duration - stage.curve.seconds[-1]


def _rest(stage: StageRun, now: StageProgress, elapsed: float, factor: float) -> tuple[float, float]:
    """The remaining time of a running stage, and how likely that is."""
    assert now.start is not None
    curve = stage.curve
    if curve is None:
        return _left(stage.duration * factor, elapsed - now.start)
    tail = stage.duration - curve.seconds[-1]
    total = curve.units[-1] * factor if now.total is None else now.total
    done = now.units
    if not now.updates:
        if now.total is None:
            return _left(stage.duration * factor, elapsed - now.start)
        first = curve.at(min(curve.units[1], total))
        since = elapsed - now.start
        ratio = _pace(since / first, 1, total_known=True) if since > first > 0 else 1.0
        return _with_slack(first - since, (curve.at(total) - first) * ratio + tail), 1.0
    since = elapsed - now.last_update
    if done >= total:
        if done == total or now.total is not None:
            return _left(tail, since)
        return _left(total, done, unit=(elapsed - now.start) / done)
    reached, ratio = curve.at(done), 1.0
    if now.updates > 1:
        before = reached - curve.at(now.first_units)
        took = now.last_update - now.first_update
        if before > 0 and took > 0:
            ratio = _pace(took / before, now.updates - 1, total_known=now.total is not None)
    elif now.total is not None and now.last_update - now.start > reached > 0:
        # Not where it is less: a stage that goes on after an earlier attempt has many units at once.
        ratio = _pace((now.last_update - now.start) / reached, 1, total_known=True)
    # The next unit is under way since the last update.
    step = min(1.0, total - done)
    following = curve.at(done + step)
    return _with_slack(
        (following - reached) * ratio - since, (curve.at(total) - following) * ratio + tail
    ), 1.0


def _pace(ratio: float, evidence: int, *, total_known: bool) -> float:
    """How many times as long as in a past run a unit takes, after so many updates that measured ``ratio``.

    Where the number of units is a guess, a pace of another order may be that of other units.
    """
    distance = math.log(ratio) / _PACE_DISTANCE if total_known else 0.0
    return math.pow(ratio, evidence / (evidence + _PACE_EVIDENCE / (1 + distance * distance)))


def _with_slack(unit: float, rest: float) -> float:
    """What a unit that is under way, and what comes after it, still take; ``unit`` is negative if that one is late."""
    return rest + max(unit, -_LATENESS_SLACK * rest)


def _left(total: float, done: float, unit: float = 1.0) -> tuple[float, float]:
    """What is left of a total, and the likelihood of that: less than 1 where more than the total is done already."""
    if done < total:
        return (total - done) * unit, 1.0
    if total <= 0:
        return 0.0, 1.0 if done <= 0 else _NEVER
    left = min(_LATENESS_FACTOR * (done - total), _SPREAD * _SPREAD * done)
    return left * unit, math.exp(-math.log(done / total) / _SPREAD)


def _weighted_median(scenarios: list[tuple[float, float]]) -> float:
    scenarios.sort()
    half = sum(weight for _, weight in scenarios) / 2
    for remaining, weight in scenarios:
        half -= weight
        if half <= 0:
            return remaining
    return scenarios[-1][0]


_PENDING: Final = StageProgress()
