"""``fraction_known``: whether a fraction rests on a planned number of stages.

The stages with the same parent are a *level*; the outermost ones are the level of the job. The fraction of a level is
known if each of its stages with a weight was planned, and none of them has an unknown number of stages of its own.
"""

from __future__ import annotations

from milepost.fold.progress import OPEN, StageTree, weight
from milepost.v1 import Stage, StageState

__all__ = ["carry_known_up", "contribution", "refresh_known", "stage_known"]


def contribution(tree: StageTree, stage: Stage) -> tuple[bool, bool]:
    """What ``stage`` adds to its level: whether it has a weight, and whether it makes the level's fraction unknown."""
    return weight(stage) > 0, _makes_unknown(tree, stage)


def _makes_unknown(tree: StageTree, stage: Stage) -> bool:
    if weight(stage) == 0:
        return False
    unknown_within = stage.state in OPEN and bool(tree.children[stage.stage_id]) and not stage.fraction_known
    return unknown_within or not stage.planned


def stage_known(tree: StageTree, stage: Stage) -> bool:
    """Whether the fraction of ``stage`` is known: by the stages within it, or without any by its total."""
    if stage.state == StageState.STAGE_STATE_SUCCEEDED:
        return True
    return _level_known(tree, stage.stage_id) if tree.children[stage.stage_id] else stage.HasField("total")


def carry_known_up(tree: StageTree, parent_stage_id: str) -> None:
    """Set the flags of the stages around a changed level, up to the job. An ended stage keeps its flag."""
    for _ in range(len(tree.stages)):  # bounded, so that a cycle, which no server sends, ends too
        if parent_stage_id not in tree.stages:
            break
        parent = tree.stages[parent_stage_id]
        if parent.state not in OPEN:
            return
        parent.fraction_known = stage_known(tree, parent)
        parent_stage_id = parent.parent_stage_id
    if not parent_stage_id:
        tree.job.fraction_known = _level_known(tree, "")


def refresh_known(tree: StageTree) -> None:
    """Set the flags of the job and of all stages that have not ended, innermost first."""
    stages = [stage for stage in tree.stages.values() if stage.parent_stage_id not in tree.stages]
    for stage in stages:  # grows during the loop
        stages.extend(tree.children[stage.stage_id])
    for stage in reversed(stages):
        if stage.state in OPEN:
            stage.fraction_known = stage_known(tree, stage)
    tree.job.fraction_known = _level_known(tree, "")


def _level_known(tree: StageTree, parent_stage_id: str) -> bool:
    weighted = False
    for stage in tree.children[parent_stage_id]:
        if _makes_unknown(tree, stage):
            return False
        weighted = weighted or weight(stage) > 0
    return weighted
