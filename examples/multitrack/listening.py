"""Progress in seconds of sound."""

from __future__ import annotations

from collections.abc import Callable

from milepost.client import JobContext, StageContext

__all__ = ["progress_of"]


def progress_of(job: JobContext, stage: StageContext) -> Callable[[float], None]:
    """What a step calls with the seconds since its last call: it moves the stage, and raises if the job is to stop.

    The position is summed here, and not by `StageContext.advance`, which sums what has come since its last report: sums
    of fractions depend on their order, and the same recording is to have the same end under each engine.
    """
    position = 0.0

    def advance(seconds: float) -> None:
        nonlocal position
        job.raise_if_cancelled()
        position += seconds
        stage.update(round(position, 2))

    return advance
