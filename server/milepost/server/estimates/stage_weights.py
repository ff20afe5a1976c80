"""Weights of stages that nobody gave: how long each took before."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import Final

from milepost.contract import limits
from milepost.server.base.steps import SLICE_STEPS, Steps
from milepost.v1 import Stage, Update

_LEAST: Final = 0.001
"""Of a stage that takes no time: with the weight 0 it would not count."""


PLANS_LIMIT: Final = 1000
"""Updates of a report that are looked through for stages to weigh."""


def learn_weights(plan: Iterable[Stage], seconds: Mapping[str, float], before: Iterable[Stage] = ()) -> int:
    """Set the weights of planned stages that have none from their earlier durations; a weight that was given stays.

    Stages that the job has had ``before`` set the scale for their siblings. Among siblings without such ones the mean
    of the learned weights is 1, which is what a stage counts of which nothing is known. A stage that contains others
    takes as long as all of them. Parents come before their children. Return the number of weights that were set.
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
                stage.weight = max(durations[stage.stage_id] * scale, _LEAST)
    return sum(map(len, siblings.values()))


def learn_weights_of_updates(
    updates: Iterable[Update], seconds: Mapping[str, float], before: Sequence[Stage]
) -> Steps[int]:
    """Set the weights of stages that these updates add to a job; ``before`` are those that it has.

    Plans beyond those that one report may have are refused later, so they are left as they are. Return the number of
    weights that were set.
    """
    stages = {stage.stage_id: stage for stage in before} if seconds else {}
    count = planned = steps = 0
    for update in islice(updates, PLANS_LIMIT if seconds else 0):
        if update.HasField("stages_planned"):
            added: Sequence[Stage] = update.stages_planned.stages
        elif update.HasField("stage_started") and update.stage_started.stage.stage_id not in stages:
            added = [update.stage_started.stage]
        else:
            continue
        planned += len(added)
        if planned > limits.STAGES_PLANNED:
            break
        if steps >= SLICE_STEPS:
            steps = 0
            yield
        steps += len(stages) + len(added)
        count += learn_weights(added, seconds, stages.values())
        stages |= {stage.stage_id: stage for stage in added}
        # A job has no more, so the earliest have been replaced.
        for name in list(islice(stages, len(stages) - limits.STAGES)) if len(stages) > limits.STAGES else ():
            del stages[name]
    return count


def may_add_stages(updates: Iterable[Update], known: Container[str]) -> bool:
    """Whether these updates may add stages to a job that has those that are ``known``."""
    return any(
        update.HasField("stages_planned")
        or (update.HasField("stage_started") and update.stage_started.stage.stage_id not in known)
        for update in islice(updates, PLANS_LIMIT)
    )


def _scale(siblings: Iterable[Stage], durations: Mapping[str, float]) -> float:
    """Weight of a second among these; 0 if it is not known."""
    known = [
        (stage.weight, durations[stage.stage_id])
        for stage in siblings
        if stage.HasField("weight") and stage.stage_id in durations
    ]
    seconds = sum(duration for _, duration in known)
    return sum(weight for weight, _ in known) / seconds if seconds > 0 else 0.0
