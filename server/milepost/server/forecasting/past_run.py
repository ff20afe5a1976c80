"""A run that succeeded, reduced to what later runs are estimated by: the order of its stages, and their pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milepost.server.forecasting.pace_curve import PaceCurve


class StageRun(NamedTuple):
    """A stage of a run, by itself. Times are in seconds from the start of the attempt."""

    stage_id: str
    start: float
    end: float
    curve: PaceCurve | None = None
    """None if it counted no units."""
    total_known: bool = False
    """Whether its number of units was known beforehand."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


class RunStep(NamedTuple):
    """A stage of a run, and after which other it began."""

    stage: StageRun
    after: int
    """The index of the step before it, or -1 for the start of the run."""
    gap: float
    """Seconds between the end of that step and the start of this one."""


class PastRun(NamedTuple):
    """A run that succeeded."""

    duration: float
    """Seconds from the start to the end of its last attempt."""
    workload: float
    """0 for unknown."""
    steps: tuple[RunStep, ...]
    """In the order in which they started."""
    closing: float
    """Seconds between the end of the last step and the end of the run."""
    ended: int = 0
    """When it ended, in nanoseconds; 0 for unknown."""

    @property
    def started(self) -> int:
        """When its last attempt started, in nanoseconds, if it is known when it ended."""
        return self.ended - round(self.duration * 1e9)


def past_run(duration: float, stages: Sequence[StageRun], workload: float = 0.0, ended: int = 0) -> PastRun:
    """The run with these stages, none of which contains another one.

    What a stage waited for is not known. It is taken to be the stage that ended last before it began: on the critical
    path that is right, and a gap that follows is kept.
    """
    ordered = sorted(stages, key=lambda stage: (stage.start, stage.end))
    steps: list[RunStep] = []
    for stage in ordered:
        after, before = -1, 0.0
        for index, other in enumerate(ordered):
            if other is not stage and other.end <= stage.start and other.end >= before and index < len(steps):
                after, before = index, other.end
        steps.append(RunStep(stage, after, stage.start - before))
    last = max((stage.end for stage in ordered), default=0.0)
    return PastRun(duration, workload, tuple(steps), max(duration - last, 0.0), ended)
