"""How fractions add up: a stage counts by its weight in its parent, and the outermost stages in the job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from milepost.v1 import Job, Stage, StageState

OPEN = frozenset({StageState.STAGE_STATE_PENDING, StageState.STAGE_STATE_RUNNING})

_COMPLETE = frozenset({StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_SKIPPED})


class StageTree(Protocol):
    """A job with its stages by id, and by parent (``""`` holds the outermost)."""

    job: Job
    stages: dict[str, Stage]
    children: dict[str, list[Stage]]


def weight(stage: Stage) -> float:
    """How much a stage counts against its siblings."""
    return stage.weight if stage.HasField("weight") else 1.0


def share(stage: Stage) -> float:
    """How much of its weight a stage brings, 0 to 1: a skipped one all of it, since nothing of it is left to do."""
    return 1.0 if stage.state in _COMPLETE else stage.fraction


class PathToJob:
    """The levels from a stage up to the job, with what the siblings on each of them bring.

    While only ``stage`` moves, the siblings stay as they are, so a change costs as many steps as the stage lies deep.
    It holds until another stage changes. Raises nothing, and changes nothing but in ``carry_up``.
    """

    __slots__ = ("_job", "_levels")

    def __init__(self, tree: StageTree, stage: Stage) -> None:
        self._job = tree.job
        self._levels: list[_Level] = []
        # No server lets stages be part of each other in a circle; a client that is sent one must not hang.
        for _ in range(len(tree.stages)):
            parent = tree.stages.get(stage.parent_stage_id)
            self._levels.append(_level(tree.children[stage.parent_stage_id], stage, parent))
            if parent is None:
                break
            stage = parent

    def job_fraction(self, stage_share: float) -> float:
        """The job's fraction once the stage brings ``stage_share``. Never below what it is (rule 13)."""
        for level in self._levels[:-1]:
            stage_share = level.share_after(stage_share)
        return max(self._job.fraction, self._levels[-1].mean(stage_share))

    def carry_up(self, stage_share: float) -> None:
        """Set the fractions of the stages that the stage is a part of. The job's own comes with the event."""
        for level in self._levels[:-1]:
            assert level.parent is not None
            level.parent.fraction = max(level.parent.fraction, level.mean(stage_share))
            stage_share = share(level.parent)


class _Level(NamedTuple):
    """The stages with the same parent: what those that stand still bring, and the weight of the one that moves."""

    parent: Stage | None
    done: float
    weight: float
    total: float
    weighted: int
    planned: bool

    def mean(self, stage_share: float) -> float:
        """The weighted mean once the moving stage brings ``stage_share``."""
        if not self.weighted:
            return 0.0
        mean = min((self.done + self.weight * stage_share) / self.total, 1.0)
        # Where stages are declared as they come there may be another one: an average one, of which nothing is done.
        return mean if self.planned else mean * self.weighted / (self.weighted + 1)

    def share_after(self, stage_share: float) -> float:
        """What the parent brings then."""
        assert self.parent is not None
        if self.parent.state in _COMPLETE:
            return 1.0
        return max(self.parent.fraction, self.mean(stage_share))


def _level(stages: Iterable[Stage], moving: Stage, parent: Stage | None) -> _Level:
    total = done = 0.0
    count = 0
    all_planned = True
    for stage in stages:
        counts = weight(stage)
        if counts > 0:
            total += counts
            count += 1
            all_planned = all_planned and stage.planned
            if stage is not moving:
                done += counts * share(stage)
    return _Level(parent, done, weight(moving), total, count, all_planned)


def job_fraction_after(tree: StageTree, stage: Stage, stage_share: float) -> float:
    """The job's fraction once ``stage`` brings ``stage_share``. Never below what it is (rule 13). Changes nothing."""
    return PathToJob(tree, stage).job_fraction(stage_share)


def carry_up(tree: StageTree, stage: Stage) -> None:
    """Set the fractions of the stages that ``stage`` is a part of. The job's own comes with the event."""
    if stage.parent_stage_id in tree.stages:
        PathToJob(tree, stage).carry_up(share(stage))
