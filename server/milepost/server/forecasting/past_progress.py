"""A past run as it was at a moment, for measuring what would have been forecast then."""

from __future__ import annotations

from collections.abc import Collection

from milepost.server.forecasting.job_progress import JobProgress, StageProgress
from milepost.server.forecasting.past_run import PastRun, StageRun


def progress_at(run: PastRun, elapsed: float) -> JobProgress:
    """How far the run was after ``elapsed`` seconds, as its curves tell."""
    stages = {step.stage.stage_id: _stage_at(step.stage, elapsed) for step in run.steps}
    return JobProgress(elapsed, stages, run.workload, _fraction(stages.values()))


def _fraction(stages: Collection[StageProgress]) -> float | None:
    """The fraction of a job whose stages weigh the same; None if one runs without a known number of units."""
    done = 0.0
    for stage in stages:
        if stage.end is not None:
            done += 1
        elif stage.start is not None:
            if stage.total is None:
                return None
            done += stage.units / stage.total
    return done / len(stages) if stages else None


def _stage_at(stage: StageRun, elapsed: float) -> StageProgress:
    curve = stage.curve
    total = curve.units[-1] if curve is not None and stage.total_known else None
    if stage.start > elapsed:
        return StageProgress(total=total)
    end = stage.end if stage.end <= elapsed else None
    if curve is None:
        return StageProgress(stage.start, end)
    units = curve.units_at(elapsed - stage.start)
    # Between two knots the updates are lost. One for each unit is what most stages send.
    first = curve.units[1]
    if units < first:
        return StageProgress(stage.start, end, total)
    done = first + float(int(units - first))
    return StageProgress(
        stage.start,
        end,
        total,
        units=done,
        first_units=first,
        first_update=stage.start + curve.seconds[1],
        last_update=stage.start + curve.at(done),
        updates=1 + int(units - first),
    )
