"""Weights of stages that nobody gave: how long each took before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Final

from milepost.v1 import Stage

_LEAST: Final = 0.001
"""Of a stage that takes no time: with the weight 0 it would not count."""


def learn_weights(stages: Iterable[Stage], seconds: Mapping[str, float]) -> None:
    """Set the weights of stages that have none from their earlier durations; a weight that was given stays.

    Among siblings the mean of the learned weights is 1, which is what a stage counts of which nothing is known. A stage
    that contains others takes as long as all of them. Parents come before their children.
    """
    plan = list(stages)
    durations = {stage.stage_id: seconds[stage.stage_id] for stage in plan if stage.stage_id in seconds}
    for stage in reversed(plan):
        if stage.parent_stage_id and stage.stage_id in durations:
            inner = durations[stage.stage_id]
            durations[stage.parent_stage_id] = durations.get(stage.parent_stage_id, 0.0) + inner
    siblings: dict[str, list[Stage]] = {}
    for stage in plan:
        if stage.stage_id in durations and not stage.HasField("weight"):
            siblings.setdefault(stage.parent_stage_id, []).append(stage)
    for group in siblings.values():
        mean = fmean(durations[stage.stage_id] for stage in group)
        for stage in group:
            if mean > 0:
                stage.weight = max(durations[stage.stage_id] / mean, _LEAST)
