"""Weights of stages that nobody gave: how long each took before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final

from milepost.v1 import Stage

_MIN_WEIGHT: Final = 0.001
"""Of a stage that takes no time: with the weight 0 it would not count."""


def learn_weights(plan: Sequence[Stage], seconds: Mapping[str, float], before: Sequence[Stage] = ()) -> None:
    """Set the weights of planned stages that have none from their earlier durations; a weight that was given stays.

    Stages that the job has had ``before`` set the scale for their siblings. Among siblings without such ones the mean
    of the learned weights is 1, which is what a stage counts of which nothing is known. A stage that contains others
    takes as long as all of them. Parents come before their children.
    """
    stages = list(plan)
    planned = {stage.stage_id for stage in stages}
    earlier = list(before)
    durations = dict(seconds)
    for stage in reversed([*(each for each in earlier if each.stage_id not in planned), *stages]):
        if stage.parent_stage_id and stage.stage_id in durations:
            inner = durations[stage.stage_id]
            durations[stage.parent_stage_id] = durations.get(stage.parent_stage_id, 0.0) + inner
    siblings: dict[str, list[Stage]] = {}
    for stage in stages:
        if stage.stage_id in durations and not stage.HasField("weight"):
            siblings.setdefault(stage.parent_stage_id, []).append(stage)
    scaling: dict[str, list[Stage]] = {parent: [] for parent in siblings}
    for stage in earlier:
        if stage.parent_stage_id in scaling:
            scaling[stage.parent_stage_id].append(stage)
    for parent, group in siblings.items():
        scale = _scale(scaling[parent], durations)
        if not scale:
            mean = fmean(durations[stage.stage_id] for stage in group)
            scale = 1 / mean if mean > 0 else 0.0
        for stage in group:
            if scale:
                stage.weight = max(durations[stage.stage_id] * scale, _MIN_WEIGHT)


def _scale(siblings: Iterable[Stage], durations: Mapping[str, float]) -> float:
    """The weight of a second of these stages; 0 if it is unknown."""
    known = [
        (stage.weight, durations[stage.stage_id])
        for stage in siblings
        if stage.HasField("weight") and stage.stage_id in durations
    ]
    seconds = sum(duration for _, duration in known)
    return sum(weight for weight, _ in known) / seconds if seconds > 0 else 0.0
