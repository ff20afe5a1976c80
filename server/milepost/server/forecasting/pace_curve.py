"""The pace of a stage: its time as a piecewise-linear function of the units done."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple

KNOT_LIMIT: Final = 12
"""Knots that are kept of a curve. A stage changes its pace a few times at most: when caches are warm, when evaluations
begin, when another node takes over."""

_PRUNED_FROM: Final = 3 * KNOT_LIMIT
"""Knots from which on a builder prunes, so that it does so once in many updates."""


class PaceCurve(NamedTuple):
    """Seconds since the start of a stage at which so many units were done: knots in ascending order, from (0, 0)."""

    units: tuple[float, ...]
    seconds: tuple[float, ...]

    @staticmethod
    def of(knots: Iterable[tuple[float, float]]) -> PaceCurve | None:
        """The curve through these knots, of units and seconds, in ascending order; None where no units are done.

        Of knots with the same units, as rounding makes them of large numbers, the last one counts.
        """
        seconds = {0.0: 0.0}
        seconds.update((units, until) for units, until in knots if units > 0)
        return None if len(seconds) == 1 else PaceCurve(tuple(seconds), tuple(seconds.values()))

    def at(self, units: float) -> float:
        """Seconds until ``units`` were done; beyond the last knot at the pace of the last segment."""
        knots = self.units
        index = bisect_left(knots, units, 1, len(knots) - 1)
        left, before = knots[index - 1], self.seconds[index - 1]
        return before + (self.seconds[index] - before) * (units - left) / (knots[index] - left)

    def units_at(self, seconds: float) -> float:
        """Units done after ``seconds``; at most those of the last knot."""
        times = self.seconds
        if seconds >= times[-1]:
            return self.units[-1]
        index = bisect_left(times, seconds, 1, len(times) - 1)
        left, before = times[index - 1], self.units[index - 1]
        width = times[index] - left
        return before + (self.units[index] - before) * (seconds - left) / width if width > 0 else before

    def pruned(self, limit: int) -> PaceCurve:
        """The curve with ``limit`` knots at most."""
        if len(self.units) <= limit:
            return self
        knots = list(zip(self.units, self.seconds, strict=True))
        _prune(knots, limit)
        return PaceCurve(*zip(*knots, strict=True))


class CurveBuilder:
    """Makes a curve from updates as they come, in bounded memory."""

    __slots__ = ("_knots",)

    def __init__(self) -> None:
        self._knots: list[tuple[float, float]] = [(0.0, 0.0)]

    def add(self, units: float, seconds: float) -> None:
        """Note that ``units`` were done ``seconds`` after the start. Units that were done before count once."""
        last = self._knots[-1]
        if units <= last[0]:
            return
        self._knots.append((units, max(seconds, last[1])))
        if len(self._knots) >= _PRUNED_FROM:
            _prune(self._knots, 2 * KNOT_LIMIT)

    def curve(self) -> PaceCurve | None:
        """The curve so far; None before any unit was done."""
        knots = list(self._knots)
        _prune(knots, KNOT_LIMIT)
        return PaceCurve.of(knots)


def _prune(knots: list[tuple[float, float]], limit: int) -> None:
    """Remove the knots whose removal changes the curve least, except the first unit and the ends."""
    if len(knots) <= limit:
        return
    errors = [_error(knots, index) for index in range(len(knots))]
    while len(knots) > limit:
        index = errors.index(min(errors))
        del knots[index], errors[index]
        for neighbour in (index - 1, index):
            errors[neighbour] = _error(knots, neighbour)


def _error(knots: list[tuple[float, float]], index: int) -> float:
    """By how many seconds the curve is wrong at a knot once that is removed."""
    # The ends stay, and so does the first unit, which takes longer than others in most stages.
    if index <= 1 or index >= len(knots) - 1:
        return float("inf")
    (left, before), (at, seconds), (right, after) = knots[index - 1 : index + 2]
    return abs(seconds - before - (after - before) * (at - left) / (right - left))
