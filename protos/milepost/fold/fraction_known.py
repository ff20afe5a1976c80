"""``fraction_known``: whether a fraction rests on a planned number of stages.

The stages with the same parent are a *level*; the outermost ones are the level of the job. The fraction of a level is
known if each of its stages with a weight was planned, and none of them has an unknown number of stages of its own.
"""

from __future__ import annotations

from typing import Final, Protocol

from milepost.fold.levels import OPEN
from milepost.fold.progress import StageTree
from milepost.v1 import Stage, StageState

__all__ = ["carry_known_up", "refresh_known", "stage_known"]

_SUCCEEDED: Final = StageState.STAGE_STATE_SUCCEEDED


class _StageTree(StageTree, Protocol):
    children: dict[str, list[Stage]]


def stage_known(tree: _StageTree, stage: Stage) -> bool:
    """Whether the fraction of ``stage`` is known: by the stages within it, or without any by its total."""
    if stage.state == _SUCCEEDED:
        return True
    if tree.children[stage.stage_id]:
        return tree.levels.of(stage.stage_id).known
    return stage.HasField("total")


def carry_known_up(tree: _StageTree, parent_stage_id: str) -> None:
    """Set the flags of the stages around a changed level, up to the first that has it already, or the job.

    An ended stage keeps its flag.
    """
    walked = 0
    for walked in range(1, len(tree.stages) + 1):  # bounded, so that a cycle, which no server sends, ends too
        parent = tree.stages.get(parent_stage_id)
        if parent is None:
            break
        level = tree.levels.of(parent_stage_id)
        known = stage_known(tree, parent)
        if parent.state not in OPEN or (level.known_carried and parent.fraction_known == known):
            tree.steps += walked
            return
        parent.fraction_known = known
        level.known_carried = True
        tree.levels.note(parent)
        parent_stage_id = parent.parent_stage_id
    tree.steps += walked
    if not parent_stage_id:
        tree.job.fraction_known = tree.levels.of("").known


def refresh_known(tree: _StageTree) -> None:
    """Set the flags of the job and of all stages that have not ended, innermost first."""
    tree.levels.reset(tree.children)
    tree.steps += len(tree.stages)
    stages = [stage for stage in tree.stages.values() if stage.parent_stage_id not in tree.stages]
    for stage in stages:  # grows during the loop
        stages.extend(tree.children[stage.stage_id])
    for stage in reversed(stages):
        if stage.state in OPEN:
            stage.fraction_known = stage_known(tree, stage)
    tree.job.fraction_known = tree.levels.of("").known
