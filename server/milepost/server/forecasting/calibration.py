"""How wrong forecasts were: what the 90th percentile of a remaining time rests on.

Conformal prediction (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005): when a run has ended, it
is forecast in hindsight, at checkpoints, from the runs before it. The 90th percentile of the errors at a checkpoint
bounds the error of the next job there in nine cases of ten, whatever their distribution. An error is
ln(actual / forecast) of the remaining time.

How far a job really is, is not known before its end, so that its checkpoint is not known either. The bound is therefore
the largest remaining time that is not refuted at the checkpoint at which it would put the job (label-conditional
conformal prediction, chapter 4 of the same book).

Errors do not always come about like those before them: other kinds run, and loads change. So the level of the
percentile adapts (adaptive conformal inference: Gibbs and Candès, NeurIPS 2021): each estimate in hindsight that its
bound did not cover raises it, each that it covered lowers it by a ninth of that.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

CHECKPOINTS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Fractions of its duration at which a run is forecast in hindsight."""

LEVEL: Final = 0.9

OWN_ERRORS_MIN: Final = 9
"""Errors of a kind from which on it needs no others: fewer have no 90th percentile."""

POOL_SIZE: Final = 512
"""Errors of all kinds that are kept for each checkpoint and each class of history."""

MANY_RUNS: Final = 6
"""Runs from which on forecasts have the errors of those from many runs."""

_RATE: Final = 0.02
"""How fast the level adapts: five bounds that do not cover raise it by 0.09, 45 that cover lower it as far again."""

_LEVELS: Final = (0.5, 0.995)
"""The lowest and the highest level."""

_ADAPTATION_RUNS_MIN: Final = 3
"""Runs from which on forecasts adapt the level: those from fewer are much worse, and rare."""

_REMAINING_FLOOR: Final = 1e-3
"""Remaining times below this fraction of the elapsed time count as this fraction."""

_UNKNOWN_ERROR: Final = math.log(2)
"""Taken for the 90th percentile where no forecast has been judged yet."""

Errors: TypeAlias = tuple[float, ...]
"""The error at each checkpoint."""

Columns: TypeAlias = Sequence[list[float]]
"""The errors of several forecasts at each checkpoint, in ascending order."""

NO_ERRORS: Final[Columns] = tuple([] for _ in CHECKPOINTS)

Bounds: TypeAlias = tuple[float, ...]
"""The 90th percentile of the error at each checkpoint."""


def floored(remaining: float, elapsed: float) -> float:
    """The remaining time as it counts in errors."""
    return max(remaining, elapsed * _REMAINING_FLOOR)


def error(actual: float, forecast: float, elapsed: float) -> float:
    """The error of a forecast of the remaining time."""
    return math.log(floored(actual, elapsed) / floored(forecast, elapsed))


def upper_bound(remaining: float, elapsed: float, bounds: Bounds) -> float:
    """The 90th percentile of a remaining time that was forecast as ``remaining``; not below it."""
    forecast = floored(remaining, elapsed)
    if elapsed <= 0 or forecast <= 0:
        return max(forecast * math.exp(bounds[0]), remaining)

    def excess(fraction: float, bound: float) -> float:
        """By how much the error would be over its bound, if this fraction of the job were done."""
        return math.log(elapsed * (1 / fraction - 1) / forecast) - bound

    points = [
        (fraction, excess(fraction, bound)) for fraction, bound in zip(CHECKPOINTS, bounds, strict=True)
    ]
    if points[0][1] <= 0:
        return max(forecast * math.exp(bounds[0]), remaining)
    for (left, over), (right, under) in pairwise(points):
        if under <= 0:
            fraction = left + (right - left) * over / (over - under)
            return max(elapsed * (1 / fraction - 1), remaining)
    return max(forecast * math.exp(bounds[-1]), remaining)


def percentile(ordered: Sequence[float], level: float = LEVEL) -> float:
    """The percentile of the next error, of these in ascending order: interpolated between the ranks of n + 1, and at
    most the largest.
    """
    if not ordered:
        return _UNKNOWN_ERROR
    rank = level * (len(ordered) + 1) - 1
    below = max(int(rank), 0)
    if below + 1 >= len(ordered):
        return ordered[-1] if len(ordered) >= OWN_ERRORS_MIN else max(ordered[-1], _UNKNOWN_ERROR)
    return ordered[below] + (rank - below) * (ordered[below + 1] - ordered[below])


class Pool:
    """The most recent errors of all kinds, for kinds with few of their own, by how many runs forecasts rested on."""

    def __init__(self) -> None:
        self._errors: dict[int, list[tuple[int, Errors]]] = {}
        self._columns: dict[int, Columns] = {}
        self._levels = [LEVEL] * len(CHECKPOINTS)

    def add(self, errors: Errors, covered: Sequence[bool], runs: int, position: int) -> None:
        """Add a forecast in hindsight from so many ``runs``, for the run at this position in the log; each once."""
        kept = self._errors.setdefault(_class(runs), [])
        item = position, errors
        at = bisect_left(kept, item)
        if kept[at : at + 1] == [item] or (at == 0 and len(kept) >= POOL_SIZE):
            return
        kept.insert(at, item)
        columns = self._columns.setdefault(_class(runs), tuple([] for _ in CHECKPOINTS))
        for column, each in zip(columns, errors, strict=True):
            insort(column, each)
        if len(kept) > POOL_SIZE:
            for column, each in zip(columns, kept.pop(0)[1], strict=True):
                del column[bisect_left(column, each)]
        if runs >= _ADAPTATION_RUNS_MIN:
            lowest, highest = _LEVELS
            self._levels = [
                min(max(level + _RATE * (LEVEL - hit), lowest), highest)
                for level, hit in zip(self._levels, covered, strict=True)
            ]

    def bounds(self, runs: int, own: Columns = NO_ERRORS) -> Bounds:
        """The bounds for forecasts from so many ``runs``: from the errors of the kind itself where these are enough."""
        columns = own if len(own[0]) >= OWN_ERRORS_MIN else self._columns.get(_class(runs), NO_ERRORS)
        return tuple(map(percentile, columns, self._levels))


def _class(runs: int) -> int:
    """The class of history: none, few runs, many."""
    return (runs > 0) + (runs >= MANY_RUNS)
