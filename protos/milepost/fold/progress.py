"""How fractions add up: a stage counts by its weight in its parent, and the outermost stages in the job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from milepost.v1 import Job, Stage, StageState

OPEN = frozenset({StageState.STAGE_STATE_PENDING, StageState.STAGE_STATE_RUNNING})

_COMPLETE = frozenset({StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_SKIPPED})


class StageTree(Protocol):
    """A job with its stages by id, and by parent (``""`` holds the outermost)."""

    job: Job
    stages: dict[str, Stage]
    children: dict[str, list[Stage]]


def weight(stage: Stage) -> float:
    """How much a stage counts against its siblings."""
    return stage.weight if stage.HasField("weight") else 1.0


def share(stage: Stage) -> float:
    """How much of its weight a stage brings, 0 to 1: a skipped one all of it, since nothing of it is left to do."""
    return 1.0 if stage.state in _COMPLETE else stage.fraction


def job_fraction_after(tree: StageTree, stage: Stage, stage_share: float) -> float:
    """The job's fraction once ``stage`` brings ``stage_share``. Never below what it is (rule 13). Changes nothing."""
    fraction = tree.job.fraction
    for _, fraction in _upward(tree, stage, stage_share):
        pass
    return fraction


def carry_up(tree: StageTree, stage: Stage) -> None:
    """Sets the fractions of the stages that ``stage`` is a part of. The job's own comes with the event."""
    if stage.parent_stage_id not in tree.stages:
        return
    for parent, fraction in _upward(tree, stage, share(stage)):
        if parent is not None:
            parent.fraction = fraction


def _upward(tree: StageTree, stage: Stage, stage_share: float) -> Iterator[tuple[Stage | None, float]]:
    """Each ancestor of ``stage`` with its new fraction, innermost first; the job comes last, as ``None``."""
    while True:
        mean = _weighted_mean(tree.children[stage.parent_stage_id], stage, stage_share)
        parent = tree.stages.get(stage.parent_stage_id)
        if parent is None:
            yield None, max(tree.job.fraction, mean)
            return
        fraction = max(parent.fraction, mean)
        yield parent, fraction
        stage, stage_share = parent, fraction if parent.state not in _COMPLETE else 1.0


def _weighted_mean(stages: Iterable[Stage], changed: Stage, changed_share: float) -> float:
    total = done = 0.0
    count = 0
    planned = True
    for stage in stages:
        counts = weight(stage)
        if counts > 0:
            total += counts
            done += counts * (changed_share if stage is changed else share(stage))
            count += 1
            planned = planned and stage.planned
    if not count:
        return 0.0
    mean = min(done / total, 1.0)
    # Where stages are declared as they come there may be another one: an average one, of which nothing is done.
    return mean if planned else mean * count / (count + 1)
