"""Weighted fractions: a stage counts by its weight in its parent, the outermost stages in the job."""

from __future__ import annotations

import math
from typing import Protocol, TypeAlias

from milepost.fold.levels import COMPLETE, Levels, share
from milepost.v1 import Job, Stage, StageEnded, StageProgressed

__all__ = [
    "PathToJob",
    "StageTree",
    "carry_up",
    "job_fraction_after",
    "set_end_fraction",
    "set_progress_fractions",
]


class StageTree(Protocol):
    """A job with its stages by id and by parent, and their levels. ``steps`` counts the stages that were walked."""

    job: Job
    stages: dict[str, Stage]
    children: dict[str, list[Stage]]
    levels: Levels
    steps: int


class PathToJob:
    """The levels from a stage up to the job, with the sums over the siblings on each level.

    While only ``stage`` changes, the sums hold, so that a change costs one step per level. It is valid until another
    stage changes.
    """

    __slots__ = ("_levels",)

    def __init__(self, tree: StageTree, stage: Stage) -> None:
        self._levels: list[_Level] = []
        # No server lets stages be part of each other in a circle; a client that is sent one must not hang.
        for _ in range(len(tree.stages)):
            parent = tree.stages.get(stage.parent_stage_id)
            least = tree.job.fraction if parent is None else share(parent)
            level = tree.levels.of(stage.parent_stage_id)
            counted = tree.levels.counted(stage)
            done, *rest = level.others(counted)
            self._levels.append(
                (least, done, rest, counted[0], level.weights, level.count, not level.unplanned)
            )
            if parent is None:
                break
            stage = parent
        tree.steps += len(self._levels)

    def __len__(self) -> int:
        return len(self._levels)

    def job_fraction(self, stage_share: float) -> float:
        """The job's fraction once the stage brings ``stage_share``. Never below what it is (rule 13)."""
        for least, done, rest, weight, weights, count, planned in self._levels:
            moved = weight * stage_share
            total = math.fsum((moved, done, *rest)) if rest else done + moved
            # As ``mean`` and ``max``, without calls for each update of a report.
            reached = total / weights if count else 0.0
            if reached > 1.0:
                reached = 1.0
            if not planned:
                reached = reached * count / (count + 1)
            if reached < least:
                reached = least
            stage_share = reached
        return stage_share


_Level: TypeAlias = "tuple[float, float, list[float], float, float, int, bool]"
"""The stages with the same parent, one of which moves: what the parent brings already; what the others bring, rounded,
and the rest of that; the weight of the one that moves, all weights, how many count, and whether all were planned."""


def job_fraction_after(tree: StageTree, stage: Stage, stage_share: float) -> float:
    """The job's fraction if ``stage`` contributes ``stage_share``. Never below the present one (rule 13). Pure."""
    levels = tree.levels
    walked = 0
    for walked in range(1, len(tree.stages) + 1):
        level = levels.of(stage.parent_stage_id)
        level_mean = level.mean_with(levels.counted(stage), stage_share)
        parent = tree.stages.get(stage.parent_stage_id)
        if parent is None:
            stage_share = max(tree.job.fraction, level_mean)
            break
        least = share(parent)
        if level_mean <= least and level.carried_generation == levels.generation:
            stage_share = tree.job.fraction
            break
        stage_share = max(least, level_mean)
        stage = parent
    tree.steps += walked
    return stage_share


def set_progress_fractions(tree: StageTree, progress: StageProgressed) -> None:
    """Set the fractions in the next event of a stage, which the server authors. They never fall (rule 13)."""
    stage = tree.stages[progress.stage_id]
    total = progress.total if progress.HasField("total") else stage.total
    progress.fraction = stage.fraction
    # The fraction of a stage with stages of its own is theirs.
    if total > 0 and not tree.children[stage.stage_id]:
        progress.fraction = max(stage.fraction, min(progress.current / total, 1.0))
    progress.job_fraction = job_fraction_after(tree, stage, progress.fraction)


def set_end_fraction(tree: StageTree, ended: StageEnded) -> None:
    """Set the job's fraction in the end of a stage, which the server authors."""
    stage = tree.stages[ended.stage_id]
    stage_share = 1.0 if ended.state in COMPLETE else stage.fraction
    ended.job_fraction = job_fraction_after(tree, stage, stage_share)


def carry_up(tree: StageTree, stage: Stage) -> None:
    """Set the fractions of the stages around ``stage``, which has moved. The event carries the job's own.

    It ends where nothing changes, and all above has been carried up as it is.
    """
    levels = tree.levels
    levels.note(stage)
    walked = 0
    for walked in range(1, len(tree.stages) + 1):
        parent = tree.stages.get(stage.parent_stage_id)
        if parent is None:
            break
        level = levels.of(stage.parent_stage_id)
        if level.mean > parent.fraction:
            parent.fraction = level.mean
            levels.note(parent)
        elif level.carried_generation == levels.generation:
            break
        level.carried_generation = levels.generation
        stage = parent
    tree.steps += walked
