"""Rounds in turn, and what is made of them: medians, ranges and ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

__all__ = ["OURS", "Figure", "Settings", "percentile", "rounds", "table"]

OURS = "Milepost"
"""The name that Milepost has among those that are measured."""

Round = Mapping[str, float]
"""What one round of one of them gave: quantities by name."""


@dataclass(frozen=True)
class Settings:
    """How long to measure, and where: ``directory`` is for stores, on the disk that is meant."""

    directory: Path
    rounds: int
    seconds: float
    """After which a measurement begins no further round."""
    stores: Path
    """Where stores are kept that take long to make."""
    full: bool
    """Whether at full size, however long it takes."""
    attacks: Sequence[str] = ()
    """Those that ``abuse`` measures; all if empty."""


@dataclass(frozen=True)
class Figure:
    """One quantity, as each of those measured had it in each round."""

    what: str
    quantity: str
    values: Mapping[str, Sequence[float]]

    @property
    def others(self) -> list[str]:
        """Those that Milepost is held against."""
        return [name for name in self.values if name != OURS]

    def ratios(self, other: str) -> list[float]:
        """Milepost / the other, round by round, so that both had the machine in the same mood."""
        return [ours / theirs for ours, theirs in zip(self.values[OURS], self.values[other], strict=True)]


def rounds(
    what: str, contestants: Mapping[str, Callable[[], Round]], settings: Settings, *, warm: bool = True
) -> list[Figure]:
    """Has each of them do a round, in turn, again and again: A B A B.

    The first round of each only warms up, where ``warm`` is set.
    """
    until = time.monotonic() + settings.seconds
    taken: dict[str, list[Round]] = {name: [] for name in contestants}
    for number in range(0 if warm else 1, settings.rounds + 1):
        if number > 1 and time.monotonic() > until:
            break
        for name, play in contestants.items():
            result = play()
            if number:
                taken[name].append(result)
    quantities = {quantity for results in taken.values() for result in results for quantity in result}
    return [
        Figure(
            what,
            quantity,
            {
                name: [result[quantity] for result in results]
                for name, results in taken.items()
                if quantity in results[0]
            },
        )
        for quantity in sorted(quantities)
    ]


def percentile(ordered: Sequence[int], part: float) -> int:
    """The value below which that part of them is."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def table(figures: Sequence[Figure]) -> Table:
    """All figures: a row for each quantity and each of those that Milepost is held against."""
    drawn = Table(title="Milepost beside the least that could do it: median (lowest … highest round)")
    drawn.add_column("measured")
    drawn.add_column("quantity")
    drawn.add_column(OURS, justify="right")
    drawn.add_column("beside")
    drawn.add_column("its figure", justify="right")
    drawn.add_column(f"{OURS} / beside", justify="right")
    what = ""
    for figure in figures:
        if figure.what != what:
            drawn.add_section()
        for other in figure.others or [""]:
            drawn.add_row(
                figure.what if figure.what != what else "",
                figure.quantity,
                _spread(figure.values[OURS]),
                other,
                _spread(figure.values[other]) if other else "",
                _spread(figure.ratios(other)) if other else "",
            )
            what = figure.what
    return drawn


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{_short(values[0])} (one round)"
    return f"{_short(statistics.median(values))} ({_short(min(values))} … {_short(max(values))})"


def _short(value: float) -> str:
    """Three digits are more than such a machine is good for."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g}M"
    if value >= 1000:
        return f"{value / 1000:.3g}k"
    return f"{value:.3g}"
