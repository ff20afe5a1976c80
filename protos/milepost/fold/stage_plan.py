"""Stages of a plan, and how they nest."""

from __future__ import annotations

from collections.abc import Mapping

from milepost.v1 import Stage, StageState

__all__ = ["leads_to", "planned"]


def planned(stage: Stage) -> Stage:
    """A PENDING stage with what a plan may set: id, parent, title, weight, total and unit."""
    plan = Stage(
        stage_id=stage.stage_id,
        parent_stage_id=stage.parent_stage_id,
        title=stage.title,
        state=StageState.STAGE_STATE_PENDING,
        unit=stage.unit,
    )
    if stage.HasField("weight"):
        plan.weight = stage.weight
    if stage.HasField("total"):
        plan.total = stage.total
    return plan


def leads_to(parents: Mapping[str, str], stage_id: str, outer_id: str) -> bool:
    """Whether ``stage_id`` is ``outer_id`` or within it, so that the latter cannot become a part of the former.

    No complete log leads there, but a filtered one may: the filter hid that a stage moved.
    """
    while stage_id and stage_id != outer_id:
        stage_id = parents.get(stage_id, "")
    return bool(stage_id)
