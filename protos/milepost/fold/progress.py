"""Weighted fractions: a stage counts by its weight in its parent, the outermost stages in the job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias

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

    __slots__ = ("_levels",)

    def __init__(self, tree: StageTree, stage: Stage) -> None:
        self._levels: list[_Level] = []
        # No server lets stages be part of each other in a circle; a client that is sent one must not hang.
        for _ in range(len(tree.stages)):
            parent = tree.stages.get(stage.parent_stage_id)
            least = tree.job.fraction if parent is None else share(parent)
            self._levels.append(_level(tree.children[stage.parent_stage_id], stage, parent, least))
            if parent is None:
                break
            stage = parent

    def job_fraction(self, stage_share: float) -> float:
        """The job's fraction once the stage brings ``stage_share``. Never below what it is (rule 13)."""
        for _, least, done, weight, total, count, planned in self._levels:
            mean = _mean(done + weight * stage_share, total, count, planned)
            stage_share = max(least, mean)
        return stage_share

    def carry_up(self, stage_share: float) -> None:
        """Set the fractions of the stages that the stage is a part of. The job's own comes with the event."""
        for parent, _, done, weight, total, count, planned in self._levels:
            if parent is None:
                break
            parent.fraction = max(parent.fraction, _mean(done + weight * stage_share, total, count, planned))
            stage_share = share(parent)


_Level: TypeAlias = "tuple[Stage | None, float, float, float, float, int, bool]"
"""The stages with the same parent, one of which moves: the parent (None for the job) and what it brings already, what
the others bring, the weight of the one that moves, all weights, how many count, and whether all were planned."""


def _level(stages: Iterable[Stage], moving: Stage, parent: Stage | None, least: float) -> _Level:
    total = done = 0.0
    count = 0
    planned = True
    for stage in stages:
        counts = weight(stage)
        if counts > 0:
            total += counts
            count += 1
            planned = planned and stage.planned
            if stage is not moving:
                done += counts * share(stage)
    return parent, least, done, weight(moving), total, count, planned


def _mean(done: float, total: float, count: int, planned: bool) -> float:
    """The weighted mean of a level."""
    if not count:
        return 0.0
    mean = done / total
    if mean > 1.0:
        mean = 1.0
    # Where stages are declared as they come there may be another one: an average one, of which nothing is done.
    return mean if planned else mean * count / (count + 1)


def job_fraction_after(tree: StageTree, stage: Stage, stage_share: float) -> float:
    """The job's fraction if ``stage`` contributes ``stage_share``. Never below the present one (rule 13). Pure."""
    return PathToJob(tree, stage).job_fraction(stage_share)


def carry_up(tree: StageTree, stage: Stage) -> None:
    """Set the fractions of the stages around ``stage``. The event carries the job's own."""
    if stage.parent_stage_id in tree.stages:
        PathToJob(tree, stage).carry_up(share(stage))
