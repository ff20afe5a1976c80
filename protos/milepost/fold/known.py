"""Which fractions are known: those that rest on a number of stages that somebody has planned.

The stages with the same parent are a *level*; the outermost ones are that of the job. What a level adds up to is known
when each of its stages that has a weight was planned, and none of them still hides an unknown number of its own.
"""

from __future__ import annotations

from milepost.fold.progress import OPEN, StageTree, weight
from milepost.v1 import Stage, StageState

__all__ = ["carry_known_up", "refresh", "stage_known", "standing"]


def standing(tree: StageTree, stage: Stage) -> tuple[bool, bool]:
    """What the level of ``stage`` has of it: whether it weighs anything, and whether it hides an unknown number."""
    return weight(stage) > 0, _hides(tree, stage)


def _hides(tree: StageTree, stage: Stage) -> bool:
    if weight(stage) == 0:
        return False
    unknown_within = stage.state in OPEN and bool(tree.children[stage.stage_id]) and not stage.fraction_known
    return unknown_within or not stage.planned


def stage_known(tree: StageTree, stage: Stage) -> bool:
    """Whether the fraction of ``stage`` is known: by its own stages, or by its total where it has none."""
    if stage.state == StageState.STAGE_STATE_SUCCEEDED:
        return True
    return _level_known(tree, stage.stage_id) if tree.children[stage.stage_id] else stage.HasField("total")


def carry_known_up(tree: StageTree, parent_stage_id: str) -> None:
    """Set the flags of what a changed level belongs to, up to the job. An ended stage keeps its flag."""
    for _ in range(len(tree.stages)):  # as many levels as there can be, though no server sends a circle
        if parent_stage_id not in tree.stages:
            break
        parent = tree.stages[parent_stage_id]
        if parent.state not in OPEN:
            return
        parent.fraction_known = stage_known(tree, parent)
        parent_stage_id = parent.parent_stage_id
    if not parent_stage_id:
        tree.job.fraction_known = _level_known(tree, "")


def refresh(tree: StageTree) -> None:
    """Set the flags of the job and of all stages that have not ended, innermost first."""
    stages = [stage for stage in tree.stages.values() if stage.parent_stage_id not in tree.stages]
    for stage in stages:  # which grows meanwhile
        stages.extend(tree.children[stage.stage_id])
    for stage in reversed(stages):
        if stage.state in OPEN:
            stage.fraction_known = stage_known(tree, stage)
    tree.job.fraction_known = _level_known(tree, "")


def _level_known(tree: StageTree, parent_stage_id: str) -> bool:
    weighted = False
    for stage in tree.children[parent_stage_id]:
        if _hides(tree, stage):
            return False
        weighted = weighted or weight(stage) > 0
    return weighted
