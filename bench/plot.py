"""Plots of the figures, as SVG for light and dark pages."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from bench.figures import OURS, Figure
from bench.stores import EVENTS

__all__ = ["draw"]

Point = tuple[float, float]

_PANEL_WIDTH, _PANEL_HEIGHT = 300, 200
_LEFT, _TOP, _BETWEEN, _BELOW = 60, 40, 80, 70

# Lines also differ by their dashes, for readers who cannot distinguish the hues.
_LINES = (("#2563eb", ""), ("#d97706", "6 4"), ("#0d9488", "2 3"))

_STYLE = (
    "svg{color-scheme:light dark}"
    "text{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#8886;stroke-width:.5}"
    ".title{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}}"
)


class _Panel(NamedTuple):
    """One plot, with both axes logarithmic; ``lines`` by name."""

    title: str
    across: str
    lines: Mapping[str, Sequence[Point]]


def draw(source: Path, directory: Path) -> None:
    """Draw performance-subscribers.svg and performance-growth.svg into the directory, from a file of figures."""
    figures = [Figure(**figure) for figure in json.loads(source.read_text())["figures"]]
    _write(
        directory / "performance-subscribers.svg",
        [
            _Panel(
                "messages per second of server CPU",
                "subscribers",
                _over_subscribers(figures, "server CPU, µs/message", lambda value: 1e6 / value),
            ),
            _Panel(
                "publish to receipt, p50, ms",
                "subscribers",
                _over_subscribers(figures, "p50, ms", lambda value: value),
            ),
        ],
    )
    _write(
        directory / "performance-growth.svg",
        [_Panel("p50, ms", "events in the store", _over_events(figures))],
    )


def _over_subscribers(
    figures: Sequence[Figure], quantity: str, shown: Callable[[float], float]
) -> Mapping[str, Sequence[Point]]:
    lines: dict[str, list[Point]] = {}
    for figure in figures:
        found = re.fullmatch(r"live, ([\d,]+) subscribers?", figure.what)
        if found is not None and figure.quantity == quantity:
            for name, values in figure.values.items():
                point = (_number(found[1]), shown(statistics.median(values)))
                lines.setdefault(name, []).append(point)
    return {name: sorted(points) for name, points in lines.items()}


def _over_events(figures: Sequence[Figure]) -> Mapping[str, Sequence[Point]]:
    growing = [figure for figure in figures if figure.what.startswith("growth, ")]
    whats = sorted({figure.what for figure in growing}, key=_number)
    lines = {}
    for figure in growing:
        if figure.what == whats[-1]:
            sizes = {name: figure.what if name == OURS else name for name in figure.values}
            lines[figure.quantity.removesuffix(", p50, ms")] = sorted(
                (_number(size) * EVENTS, statistics.median(figure.values[name]))
                for name, size in sizes.items()
            )
    return lines


def _number(words: str) -> float:
    """Return the first number in a text; 0 without one."""
    found = re.search(r"\d[\d,]*", words)
    return float(found[0].replace(",", "")) if found is not None else 0.0


# --- Drawing --------------------------------------------------------------------------------------------------


def _write(path: Path, panels: Sequence[_Panel]) -> None:
    step = _PANEL_WIDTH + _BETWEEN
    width = _LEFT + step * len(panels) - _BETWEEN + 30
    height = _TOP + _PANEL_HEIGHT + _BELOW + 18 * (len(panels) == 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<style>{_STYLE}</style>",
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({_LEFT + number * step},{_TOP})">{_panel(panel)}</g>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _panel(panel: _Panel) -> str:
    points = [point for line in panel.lines.values() for point in line]
    if not points:
        raise SystemExit(f"There are no figures for {panel.title!r}; measure first.")
    across = _Axis.of([x for x, _ in points], _PANEL_WIDTH)
    up = _Axis.of([y for _, y in points], _PANEL_HEIGHT)
    parts = [_text(0, -14, panel.title, "title")]
    for value in across.ticks():
        x = across(value)
        parts.append(f'<path class="grid" d="M{x:.1f} 0V{_PANEL_HEIGHT}"/>')
        parts.append(_text(x, _PANEL_HEIGHT + 16, _short(value), "middle"))
    for value in up.ticks():
        y = _PANEL_HEIGHT - up(value)
        parts.append(f'<path class="grid" d="M0 {y:.1f}H{_PANEL_WIDTH}"/>')
        parts.append(_text(-6, y + 4, _short(value), "end"))
    parts.append(_text(_PANEL_WIDTH / 2, _PANEL_HEIGHT + 34, panel.across, "middle"))
    beside = sum(map(len, panel.lines)) < 30
    for number, ((name, line), (ink, dashes)) in enumerate(zip(panel.lines.items(), _LINES, strict=False)):
        places = [(across(x), _PANEL_HEIGHT - up(y)) for x, y in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        pen = f'fill="none" stroke="{ink}" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<path d="M{path}" {pen}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{ink}"/>' for x, y in places]
        x, y = (number * 95, _PANEL_HEIGHT + 54) if beside else (0, _PANEL_HEIGHT + 52 + number * 15)
        parts.append(f'<path d="M{x} {y - 4}h20" {pen}/>')
        parts.append(_text(x + 25, y, name, ""))
    return "\n".join(parts)


class _Axis(NamedTuple):
    """A logarithmic axis from ``low`` to ``high``, ``pixels`` long."""

    low: float
    high: float
    pixels: int

    @classmethod
    def of(cls, values: Sequence[float], pixels: int) -> _Axis:
        """An axis that spans the values, between whole steps of 1, 2 or 5."""
        return cls(_step(min(values), math.floor), _step(max(values), math.ceil), pixels)

    def __call__(self, value: float) -> float:
        """The position of the value, in pixels."""
        return math.log(value / self.low) / math.log(self.high / self.low) * self.pixels

    def ticks(self) -> list[float]:
        """Powers of ten; where those are few, also the 2 and 5 between them."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        many = math.log10(self.high / self.low) > 3
        ticks = [digit * 10.0**decade for decade in decades for digit in ((1,) if many else (1, 2, 5))]
        return [tick for tick in ticks if self.low * 0.999 <= tick <= self.high * 1.001]


def _step(value: float, rounded: Callable[[float], int]) -> float:
    """The next step of 1, 2, 5, 10 …, downwards or upwards."""
    decade = 10.0 ** math.floor(math.log10(value))
    steps = [decade * digit for digit in (1, 2, 5, 10)]
    if rounded is math.floor:
        return max(step for step in steps if step <= value * 1.0001)
    return min(step for step in steps if step >= value * 0.9999)


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def _short(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
