"""Levels: the stages with the same parent, as sums that follow each change of a stage.

The sums are exact, and rounded once when they are read (as ``math.fsum`` does). So they depend neither on the order of
the stages nor on that of the changes, and a fold that starts from a snapshot has the same as one that has seen all.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

from milepost.v1 import Stage, StageState

__all__ = ["COMPLETE", "OPEN", "Counted", "Level", "Levels", "mean", "share", "weight"]

OPEN: Final = frozenset({StageState.STAGE_STATE_PENDING, StageState.STAGE_STATE_RUNNING})

COMPLETE: Final = frozenset({StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_SKIPPED})
"""States in which a stage contributes its whole weight."""

# Exact sums are integers: multiples of the least double, which is 2**-1074.
_SHIFT: Final = 1074
_ONE: Final = 1 << _SHIFT


def weight(stage: Stage) -> float:
    """The weight of a stage among its siblings."""
    return stage.weight if stage.HasField("weight") else 1.0


def share(stage: Stage) -> float:
    """The part of its weight that a stage contributes, 0 to 1. A skipped stage contributes all of it."""
    return 1.0 if stage.state in COMPLETE else stage.fraction


Counted: TypeAlias = "tuple[float, float, bool, bool]"
"""What a stage with a weight adds to its level: the weight, weight times share, whether it was not planned, and whether
it makes the fraction of the level unknown."""

_NOTHING: Final[Counted] = (0.0, 0.0, False, False)


class Level:
    """Sums over the stages of one level that have a weight.

    Attributes:
        count: Their number.
        weights: The sum of their weights.
        unplanned: How many were not planned.
        unknown: How many make the fraction of the level unknown.
        carried_generation: The ``Levels.generation`` in which the level was last carried up.
        known_carried: Whether the parent has its flag from this level, or had since it was summed up.
    """

    __slots__ = (
        "_done",
        "_mean",
        "_only",
        "_weights",
        "carried_generation",
        "count",
        "known_carried",
        "unknown",
        "unplanned",
        "weights",
    )

    def __init__(self) -> None:
        self._done = self._weights = 0
        # What the only stage contributes, where ``_done`` does not have it yet: most levels of a deep tree have one.
        self._only: float | None = None
        self._mean: float | None = 0.0
        self.weights: float = 0.0
        self.count: int = 0
        self.unplanned: int = 0
        self.unknown: int = 0
        self.carried_generation: int = -1
        self.known_carried: bool = False

    @property
    def known(self) -> bool:
        """Whether the fraction of the level is known: its stages were planned, and so are those within them."""
        return self.count > 0 and not self.unknown

    @property
    def mean(self) -> float:
        """The weighted mean of the shares."""
        if self._mean is None:
            self._mean = self._mean_of(_rounded(self._done) if self._only is None else self._only)
        return self._mean

    def mean_with(self, counted: Counted, stage_share: float) -> float:
        """The weighted mean if the stage that is ``counted`` contributes ``stage_share``."""
        weighs, before, _, _ = counted
        done = weighs * stage_share
        if done == before:
            return self.mean
        if self.count > 1:
            done = _rounded(self._exact_done() - _exact(before) + _exact(done))
        return self._mean_of(done)

    def others(self, counted: Counted) -> tuple[float, ...]:
        """What all but one stage contribute: numbers whose exact sum it is, the largest first."""
        rest = self._exact_done() - _exact(counted[1]) if self.count > 1 else 0
        parts = [_rounded(rest)]
        while math.isfinite(parts[-1]) and (rest := rest - _exact(parts[-1])):
            parts.append(_rounded(rest))
        return tuple(parts)

    def replace(self, before: Counted, after: Counted) -> None:
        """Count a stage as ``after`` instead of ``before``."""
        old_weight, old_done, was_unplanned, was_unknown = before
        new_weight, new_done, is_unplanned, is_unknown = after
        self._mean = None
        self.unplanned += is_unplanned - was_unplanned
        self.unknown += is_unknown - was_unknown
        if new_weight != old_weight:
            self._weights += _exact(new_weight) - _exact(old_weight)
            self.weights = _rounded(self._weights)
            self._done = self._exact_done() + _exact(new_done) - _exact(old_done)
            self.count += (new_weight > 0) - (old_weight > 0)
        elif self.count == 1:
            self._only = new_done
        elif new_done != old_done:
            self._done += _exact(new_done) - _exact(old_done)

    def _mean_of(self, done: float) -> float:
        return mean(done, self.weights, self.count, planned=not self.unplanned)

    def _exact_done(self) -> int:
        if self._only is not None:
            self._done, self._only = _exact(self._only), None
        return self._done


class Levels:
    """The levels of a job, by the id of the parent (``""`` for the outermost stages).

    A level is summed up when it is first read, and follows its stages from then on: ``note`` each that has changed.

    Attributes:
        generation: Goes up whenever a stage changes and that is not carried up at once. A level with this generation as
            ``carried_generation``, and all levels around it, have been carried up.
    """

    __slots__ = ("_children", "_counted", "_levels", "_noted", "generation")

    def __init__(self) -> None:
        self._children: dict[str, list[Stage]] = {}
        self._levels: dict[str, Level] = {}
        self._counted: dict[str, Counted] = {}
        self._noted: dict[str, Stage] = {}
        self.generation: int = 0

    def reset(self, children: dict[str, list[Stage]]) -> None:
        """Start again from these stages."""
        self._children = children
        self._levels.clear()
        self._counted.clear()
        self._noted.clear()
        self.generation += 1

    def note(self, stage: Stage) -> None:
        """The stage has changed; the caller carries that up."""
        self._noted[stage.stage_id] = stage

    def invalidate(self, stage: Stage) -> None:
        """The stage is new or has changed; the next change that is carried up includes it."""
        self._noted[stage.stage_id] = stage
        self.generation += 1

    def of(self, parent_stage_id: str) -> Level:
        """The level of the stages within this one, as they are now."""
        if self._noted:
            self._count_noted()
        level = self._levels.get(parent_stage_id)
        if level is None:
            level = self._levels[parent_stage_id] = Level()
            for stage in self._children[parent_stage_id]:
                self._count(level, stage)
        return level

    def counted(self, stage: Stage) -> Counted:
        """What the stage adds to its level, which the caller has read before."""
        return self._counted[stage.stage_id]

    def contribution(self, stage: Stage) -> tuple[bool, bool]:
        """Whether the stage has a weight, and whether it makes the fraction of its level unknown."""
        weighs, _, _, unknown = self._contribution(stage)
        return weighs > 0, unknown

    def _count_noted(self) -> None:
        noted, self._noted = self._noted, {}
        for stage in noted.values():
            level = self._levels.get(stage.parent_stage_id)
            if level is not None:
                self._count(level, stage)

    def _count(self, level: Level, stage: Stage) -> None:
        before, now = self._counted.get(stage.stage_id, _NOTHING), self._contribution(stage)
        if now != before:
            level.replace(before, now)
        self._counted[stage.stage_id] = now

    def _contribution(self, stage: Stage) -> Counted:
        weighs = weight(stage)
        if not weighs > 0:
            return _NOTHING
        planned = stage.planned
        unknown = not planned or (
            not stage.fraction_known and stage.state in OPEN and bool(self._children[stage.stage_id])
        )
        return weighs, weighs * share(stage), not planned, unknown


def mean(done: float, weights: float, count: int, *, planned: bool) -> float:
    """The weighted mean of a level."""
    if not count:
        return 0.0
    result = done / weights
    if result > 1.0:
        result = 1.0
    # Where stages are declared as they come there may be another one: an average one, of which nothing is done.
    return result if planned else result * count / (count + 1)


def _exact(value: float) -> int:
    """The value as a multiple of the least double; 0 where it is not finite, which no server sends."""
    if value == 1.0:
        return _ONE
    if not value or not math.isfinite(value):
        return 0
    numerator, denominator = value.as_integer_ratio()
    return numerator << _SHIFT + 1 - denominator.bit_length()


def _rounded(exact: int) -> float:
    """The nearest double."""
    try:
        return exact / _ONE
    except OverflowError:  # weights beyond what a server accepts
        return math.copysign(math.inf, exact)
