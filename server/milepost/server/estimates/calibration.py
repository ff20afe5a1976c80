"""How wrong forecasts were: what the 90th percentile of a remaining time rests on.

Conformal prediction (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005): when a run has ended, it
is forecast in hindsight, at checkpoints, from the runs before it. The 90th percentile of the errors at a checkpoint
bounds the error of the next job there in nine cases of ten, whatever their distribution. An error is
ln(actual / forecast) of the remaining time.

How far a job really is, is not known before its end, so that its checkpoint is not known either. The bound is therefore
the largest remaining time that is not refuted at the checkpoint at which it would put the job (label-conditional
conformal prediction, chapter 4 of the same book).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

CHECKPOINTS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Fractions of its duration at which a run is forecast in hindsight."""

LEVEL: Final = 0.9

OWN_ENOUGH: Final = 9
"""Errors of a kind from which on it needs no others: fewer have no 90th percentile."""

POOL_SIZE: Final = 512
"""Errors of all kinds that are kept for each checkpoint and each class of history."""

MANY_RUNS: Final = 6
"""Runs from which on forecasts have the errors of those from many runs."""

_FRESH: Final = 32
"""The bounds of a pool of more errors than that are computed again once so many were added."""

_LEAST: Final = 1e-3
"""Remaining times below this fraction of the elapsed time count as this fraction."""

_UNKNOWN_ERROR: Final = math.log(2)
"""Taken for the 90th percentile where no forecast has been judged yet."""

Errors: TypeAlias = tuple[float, ...]
"""The error at each checkpoint."""

Bounds: TypeAlias = tuple[float, ...]
"""The 90th percentile of the error at each checkpoint."""


def floored(remaining: float, elapsed: float) -> float:
    """The remaining time as it counts in errors."""
    return max(remaining, elapsed * _LEAST)


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


def bounds_of(own: Sequence[Errors], pool: Pool, runs: int) -> Bounds:
    """The bounds for forecasts from so many runs: from the errors of the kind itself where there are enough."""
    if len(own) >= OWN_ENOUGH:
        return tuple(percentile(errors) for errors in zip(*own, strict=True))
    return pool.bounds(runs)


def percentile(errors: Iterable[float]) -> float:
    """The 90th percentile of the next error: interpolated between the ranks of n + 1, and at most the largest."""
    ordered = sorted(errors)
    if not ordered:
        return _UNKNOWN_ERROR
    rank = LEVEL * (len(ordered) + 1) - 1
    below = int(rank)
    if below + 1 >= len(ordered):
        return ordered[-1] if len(ordered) >= OWN_ENOUGH else max(ordered[-1], _UNKNOWN_ERROR)
    return ordered[below] + (rank - below) * (ordered[below + 1] - ordered[below])


class Pool:
    """The most recent errors of all kinds, for kinds with few of their own, by how many runs forecasts rested on."""

    def __init__(self) -> None:
        self._errors: dict[int, list[tuple[int, Errors]]] = {}
        self._bounds: dict[int, Bounds] = {}
        self._added = 0

    def add(self, errors: Errors, runs: int, position: int) -> None:
        """Add the errors of forecasts from so many ``runs``, for the run at this position in the log; each once."""
        kept = self._errors.setdefault(_class(runs), [])
        item = position, errors
        at = bisect_left(kept, item)
        if kept[at : at + 1] == [item] or (at == 0 and len(kept) >= POOL_SIZE):
            return
        kept.insert(at, item)
        del kept[:-POOL_SIZE]
        self._added += 1
        if len(kept) < _FRESH or self._added % _FRESH == 0:
            self._bounds.clear()

    def bounds(self, runs: int) -> Bounds:
        """The bounds for forecasts from so many ``runs``."""
        name = _class(runs)
        if name not in self._bounds:
            errors = [errors for _, errors in self._errors.get(name, ())]
            columns: Iterable[Sequence[float]] = (
                zip(*errors, strict=True) if errors else [()] * len(CHECKPOINTS)
            )
            self._bounds[name] = tuple(percentile(column) for column in columns)
        return self._bounds[name]


def _class(runs: int) -> int:
    """The class of history: none, few runs, many."""
    return (runs > 0) + (runs >= MANY_RUNS)
