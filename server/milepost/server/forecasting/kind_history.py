"""What is known of a kind: its latest runs, and how good forecasts were for them."""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple

from milepost.server.forecasting.calibration import (
    CHECKPOINTS,
    NO_ERRORS,
    Bounds,
    Columns,
    Errors,
    Pool,
    error,
    upper_bound,
)
from milepost.server.forecasting.forecast import (
    CHANGE_RUNS,
    NO_SCALES,
    RUN_LIMIT,
    Forecast,
    Scales,
    forecast,
    growth,
    since_change,
)
from milepost.server.forecasting.job_progress import JobProgress
from milepost.server.forecasting.pace import pace_forecast
from milepost.server.forecasting.past_progress import progress_at
from milepost.server.forecasting.past_run import PastRun
from milepost.server.forecasting.workload import scales_of
from milepost.server.scheduling.steps import Steps

OWN_ERRORS: Final = 20
"""Errors of a kind that its bounds rest on, the latest: earlier forecasts rested on fewer runs, and were worse."""

OVERDUE_FACTOR: Final = 3.0
"""A job that takes this many times as long as the longest run of its kind is unlike them: nothing is known of it."""

OVERDUE_RUNS: Final = 3
"""Of fewer runs the longest says little about how long such jobs may take: what a job's own pace says counts more."""


class Basis(enum.Enum):
    """What an estimate mainly rests on."""

    HISTORY = "history"
    """Earlier runs."""
    WORKLOAD = "workload"
    """Earlier runs, relative to their workloads."""
    PACE = "pace"
    """Units that are left, and how long each takes."""


class RemainingTime(NamedTuple):
    """An estimate of the remaining time of a job, in seconds."""

    p50: float
    p90: float
    basis: Basis
    sample_size: int
    """Earlier runs, or for a pace without any, the updates that it was measured by."""


class Judgement(NamedTuple):
    """How good the forecasts for a run would have been, at each checkpoint."""

    errors: Errors
    covered: tuple[bool, ...]
    """Whether the 90th percentile was not exceeded."""
    relative: tuple[float, ...]
    """|p50 - true remaining time| / duration of the run."""


class Hindsight(NamedTuple):
    """How good estimates of the runs of a kind would have been, each from the runs before it."""

    runs: int
    """Runs that were estimated."""
    coverage: float
    """The fraction of estimates whose 90th percentile was not exceeded."""
    median_error: float
    mean_error: float


NO_HINDSIGHT: Final = Hindsight(0, 0.0, 0.0, 0.0)


class KindHistory:
    """The latest runs of a kind."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.runs: deque[PastRun] = deque(maxlen=RUN_LIMIT)
        self.judgements: deque[Judgement] = deque(maxlen=RUN_LIMIT)
        """Of forecasts for runs, in hindsight."""
        self._current: tuple[PastRun, ...] = ()
        """Those since the kind became faster or slower."""
        self._scales = NO_SCALES
        self._own: Columns | None = None
        self._weights: Mapping[str, float] | None = None
        self._hindsight: Hindsight | None = None

    def add(self, run: PastRun, position: int) -> None:
        """Add a run that has ended, after those before it; ``position`` is that of its end in the log.

        One that cannot be judged raises an error, and nothing of it is added.
        """
        current, scales = self._before(run)
        judgement = self._judge(run, current, scales)
        runs = deque((*self.runs, run), RUN_LIMIT)
        latest = tuple(since_change(tuple(runs)))
        latest_scales = scales_of(latest)
        if judgement is not None:
            self._pool.add(judgement.errors, judgement.covered, len(current), position)
            if current:
                self.judgements.append(judgement)
        self.runs = runs
        self._current = latest
        self._scales = latest_scales
        self._own = None
        self._weights = None
        self._hindsight = None

    def remaining(self, progress: JobProgress) -> RemainingTime | None:
        """The remaining time of a job; None without evidence, and where ``is_overdue``."""
        found = _forecast(progress, self._current, self._scales)
        if found is None or self.is_overdue(progress):
            return None
        return RemainingTime(
            found.remaining,
            upper_bound(found.remaining, progress.elapsed, self._bounds(len(self._current))),
            self._basis(progress),
            found.runs,
        )

    def whole(self, workload: float = 0.0) -> RemainingTime | None:
        """How long a job takes that has not started; None without runs."""
        if not self._current:
            return None
        found = forecast(JobProgress(0.0, {}, workload), self._current, self._scales)
        assert found is not None
        # The first checkpoint's errors are those of a remaining time that is nearly the whole.
        p90 = found.remaining * math.exp(max(self._bounds(len(self._current))[0], 0.0))
        scaled = workload and self._scales is not NO_SCALES
        return RemainingTime(found.remaining, p90, Basis.WORKLOAD if scaled else Basis.HISTORY, found.runs)

    def is_overdue(self, progress: JobProgress) -> bool:
        """Whether the job takes far longer than any run of its kind did, and nothing else is known of it.

        A job with a larger workload than a run may take as much longer as the runs' own workloads tell.
        """
        if not self.runs or (len(self.runs) < OVERDUE_RUNS and self._has_pace(progress)):
            return False
        growths = (max(growth(progress, run) ** self._scales.job, 1.0) for run in self.runs)
        longest: float = max(run.duration * grown for run, grown in zip(self.runs, growths, strict=True))
        return progress.elapsed > OVERDUE_FACTOR * longest

    def weights(self) -> Mapping[str, float]:
        """The stages of the latest runs, by how long each takes: its median duration in seconds.

        In the order in which they started, the latest run first.
        """
        if self._weights is None:
            durations: dict[str, list[float]] = {}
            for run in reversed(self._current):
                for step in run.steps:
                    durations.setdefault(step.stage.stage_id, []).append(step.stage.duration)
            self._weights = {stage_id: median(values) for stage_id, values in durations.items()}
        return self._weights

    def hindsight(self) -> Steps[Hindsight]:
        """How good estimates would have been at a server that has these runs, and nothing else.

        So whoever has the same runs says the same: the server that saw them end, the same after a restart, each node.
        The errors that bounds rest on are of more runs than are kept, and of other kinds.
        """
        runs = tuple(self.runs)
        found = self._hindsight
        if found is None:
            alone = KindHistory(Pool())
            for position, run in enumerate(runs):
                alone.add(run, position)
                yield
            found = _summary(alone.judgements)
            if tuple(self.runs) == runs:
                self._hindsight = found
        return found

    def _before(self, run: PastRun) -> tuple[Sequence[PastRun], Scales]:
        """The runs that an estimate of this one rested on: those that had ended when it started.

        Of runs that started together the short ones end first. Judged from those, the long ones would seem to take
        longer than expected.
        """
        ended = [other for other in self.runs if not run.ended or other.ended <= run.started]
        if len(ended) == len(self.runs):
            return self._current, self._scales
        current = since_change(ended)
        return current, scales_of(current)

    def _bounds(self, runs: int) -> Bounds:
        if self._own is None:
            latest = OWN_ERRORS
            if len(self._current) < len(self.runs):  # a change is noticed ``CHANGE_RUNS`` runs later
                latest = min(latest, len(self._current) - CHANGE_RUNS)
            errors = list(self.judgements)[-latest:] if latest else []
            self._own = (
                [sorted(column) for column in zip(*(judged.errors for judged in errors), strict=True)]
                if errors
                else NO_ERRORS
            )
        return self._pool.bounds(runs, self._own)

    def _judge(self, run: PastRun, current: Sequence[PastRun], scales: Scales) -> Judgement | None:
        errors, covered, relative = [], [], []
        bounds = self._bounds(len(current))
        for fraction in CHECKPOINTS:
            elapsed = run.duration * fraction
            found = _forecast(progress_at(run, elapsed), current, scales) if elapsed > 0 else None
            if found is None:
                return None
            left = run.duration - elapsed
            errors.append(error(left, found.remaining, elapsed))
            covered.append(left <= upper_bound(found.remaining, elapsed, bounds))
            relative.append(abs(found.remaining - left) / run.duration)
        return Judgement(tuple(errors), tuple(covered), tuple(relative))

    def _has_pace(self, progress: JobProgress) -> bool:
        """Whether a running stage has units to count, as it had in the runs before."""
        paced = {
            step.stage.stage_id for run in self.runs for step in run.steps if step.stage.curve is not None
        }
        return any(
            now.start is not None and now.end is None and now.total is not None
            for stage_id, now in progress.stages.items()
            if stage_id in paced
        )

    def _basis(self, progress: JobProgress) -> Basis:
        running = (now for now in progress.stages.values() if now.start is not None and now.end is None)
        if any(now.total is not None and now.updates for now in running):
            return Basis.PACE
        return Basis.WORKLOAD if progress.workload and self._scales is not NO_SCALES else Basis.HISTORY


def _forecast(progress: JobProgress, runs: Sequence[PastRun], scales: Scales) -> Forecast | None:
    return forecast(progress, runs, scales) if runs else pace_forecast(progress)


def _summary(judgements: Collection[Judgement]) -> Hindsight:
    if not judgements:
        return NO_HINDSIGHT
    errors = [error for judged in judgements for error in judged.relative]
    coverage = fmean(hit for judged in judgements for hit in judged.covered)
    return Hindsight(len(judgements), coverage, median(errors), fmean(errors))
