"""Weighted fractions: a stage counts by its weight in its parent, the outermost stages in the job."""

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
    """The weight of a stage among its siblings."""
    return stage.weight if stage.HasField("weight") else 1.0


def share(stage: Stage) -> float:
    """The part of its weight that a stage contributes, 0 to 1. A skipped stage contributes all of it."""
    return 1.0 if stage.state in _COMPLETE else stage.fraction


class PathToJob:
    """The levels from a stage up to the job, with the sums over the siblings on each level.

    While only ``stage`` changes, the sums hold, so that a change costs one step per level. It is valid until another
    stage changes. Only ``carry_up`` changes the tree.
    """

    __slots__ = ("_job", "_levels")

    def __init__(self, tree: StageTree, stage: Stage) -> None:
        self._job = tree.job
        self._levels: list[_Level] = []
        # Bounded: no server sends stages in a cycle, but a client that gets one must not hang.
        for _ in range(len(tree.stages)):
            parent = tree.stages.get(stage.parent_stage_id)
            self._levels.append(_level(tree.children[stage.parent_stage_id], stage, parent))
            if parent is None:
                break
            stage = parent

    def job_fraction(self, stage_share: float) -> float:
        """The job's fraction if the stage contributes ``stage_share``. Never below the present one (rule 13)."""
        for level in self._levels[:-1]:
            stage_share = level.share_after(stage_share)
        return max(self._job.fraction, self._levels[-1].mean(stage_share))

    def carry_up(self, stage_share: float) -> None:
        """Set the fractions of the stages around the stage. The event carries the job's own."""
        for level in self._levels[:-1]:
            assert level.parent is not None
            level.parent.fraction = max(level.parent.fraction, level.mean(stage_share))
            stage_share = share(level.parent)


class _Level(NamedTuple):
    """The stages with the same parent: the sum over those that do not change, and the weight of the one that does."""

    parent: Stage | None
    done: float
    weight: float
    total: float
    weighted: int
    planned: bool

    def mean(self, stage_share: float) -> float:
        """The weighted mean if the changing stage contributes ``stage_share``."""
        if not self.weighted:
            return 0.0
        mean = min((self.done + self.weight * stage_share) / self.total, 1.0)
        # Stages that are declared as they start may have a successor: assume one more, of average weight, not begun.
        return mean if self.planned else mean * self.weighted / (self.weighted + 1)

    def share_after(self, stage_share: float) -> float:
        """What the parent then contributes."""
        assert self.parent is not None
        if self.parent.state in _COMPLETE:
            return 1.0
        return max(self.parent.fraction, self.mean(stage_share))


def _level(stages: Iterable[Stage], changing: Stage, parent: Stage | None) -> _Level:
    total = done = 0.0
    count = 0
    all_planned = True
    for stage in stages:
        stage_weight = weight(stage)
        if stage_weight > 0:
            total += stage_weight
            count += 1
            all_planned = all_planned and stage.planned
            if stage is not changing:
                done += stage_weight * share(stage)
    return _Level(parent, done, weight(changing), total, count, all_planned)


def job_fraction_after(tree: StageTree, stage: Stage, stage_share: float) -> float:
    """The job's fraction if ``stage`` contributes ``stage_share``. Never below the present one (rule 13). Pure."""
    return PathToJob(tree, stage).job_fraction(stage_share)


def carry_up(tree: StageTree, stage: Stage) -> None:
    """Set the fractions of the stages around ``stage``. The event carries the job's own."""
    if stage.parent_stage_id in tree.stages:
        PathToJob(tree, stage).carry_up(share(stage))
