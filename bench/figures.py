"""Run the rounds of all contestants in alternation, and summarise them: medians, ranges and ratios."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench.checkouts import HERE, OURS, Checkout

__all__ = ["OURS", "Figure", "Settings", "percentile", "rounds", "rounds_table", "table"]

Round = Mapping[str, float]
"""The result of one round of one contestant: quantities by name."""


@dataclass(frozen=True)
class Settings:
    """How long to measure, and where: ``directory`` holds the stores, on the disk to measure."""

    directory: Path
    rounds: int
    seconds: float
    """Time limit after which a comparison starts no further round."""
    stores: Path
    """Directory for stores that take long to create, reused by later runs."""
    full: bool
    """Whether to measure at full size, however long it takes."""
    attacks: Sequence[str] = ()
    """Those that ``abuse`` measures; all if empty."""
    against: Checkout | None = None
    """Another commit's checkout, to be measured in turns with this one."""
    rows: str = ""
    """A part of the names of the rows that are measured."""

    @property
    def checkouts(self) -> Sequence[Checkout]:
        """This checkout, and the other one if there is one."""
        return (HERE,) if self.against is None else (HERE, self.against)

    def includes(self, row: str) -> bool:
        """Whether the row of this name is measured."""
        return self.rows in row


@dataclass(frozen=True)
class Figure:
    """One quantity of a comparison, by contestant and round."""

    what: str
    quantity: str
    values: Mapping[str, Sequence[float]]

    @property
    def others(self) -> list[str]:
        """The contestants that Milepost is compared with."""
        return [name for name in self.values if name != OURS]

    def ratios(self, other: str) -> list[float]:
        """Milepost / the other, round by round, so that both met the same load of the machine."""
        return [_ratio(*both) for both in zip(self.values[OURS], self.values[other], strict=True)]

    def ratio_of_medians(self, other: str) -> float:
        """Milepost's median / the other's. One slow round moves it less than it moves the ratios of few rounds."""
        return _ratio(statistics.median(self.values[OURS]), statistics.median(self.values[other]))


def _ratio(ours: float, theirs: float) -> float:
    """Infinity beside nothing, such as the longest pass of an event loop that had no long one."""
    return ours / theirs if theirs else math.inf


def rounds(
    what: str, contestants: Mapping[str, Callable[[], Round]], settings: Settings, *, warm: bool = True
) -> list[Figure]:
    """Run rounds of all contestants in alternation: A B A B.

    With ``warm`` the first round of each only warms up, and does not count.
    """
    until = time.monotonic() + settings.seconds
    results: dict[str, list[Round]] = {name: [] for name in contestants}
    for number in range(0 if warm else 1, settings.rounds + 1):
        if number > 1 and time.monotonic() > until:
            break
        for name, run_round in contestants.items():
            result = run_round()
            if number:
                results[name].append(result)
    quantities = {quantity for own in results.values() for result in own for quantity in result}
    return [
        Figure(
            what,
            quantity,
            {
                name: [result[quantity] for result in own]
                for name, own in results.items()
                if quantity in own[0]
            },
        )
        for quantity in sorted(quantities)
    ]


def percentile(ordered: Sequence[int], part: float) -> int:
    """The value below which the fraction ``part`` of the sorted values lies."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def table(figures: Sequence[Figure]) -> Table:
    """All figures: a row for each quantity and each other contestant."""
    drawn = Table(title="Milepost beside minimal baselines: median (lowest … highest round)")
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


def rounds_table(figures: Sequence[Figure], other: str) -> Table:
    """Each round of Milepost and of one other contestant, side by side."""
    drawn = Table(title=f"{OURS} / {other}, round by round")
    drawn.add_column("measured")
    drawn.add_column("quantity")
    drawn.add_column("ratio of medians", justify="right")
    drawn.add_column("each round")
    for figure in figures:
        if other in figure.values:
            pairs = zip(figure.values[OURS], figure.values[other], figure.ratios(other), strict=True)
            each = (f"{_short(ours)} / {_short(theirs)} = {_short(ratio)}" for ours, theirs, ratio in pairs)
            drawn.add_row(
                figure.what, figure.quantity, _short(figure.ratio_of_medians(other)), "\n".join(each)
            )
    return drawn


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{_short(values[0])} (one round)"
    return f"{_short(statistics.median(values))} ({_short(min(values))} … {_short(max(values))})"


def _short(value: float) -> str:
    """Round to three digits, more than the precision of the measurement."""
    if math.isinf(value):
        return "∞"
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g}M"
    if value >= 1000:
        return f"{value / 1000:.3g}k"
    return f"{value:.3g}"
