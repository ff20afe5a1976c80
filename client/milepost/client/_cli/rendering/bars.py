"""Bars that tell what is done from what is not without color, too."""

from __future__ import annotations

from rich.text import Text

from milepost.client._cli.rendering.state_style import Marks

__all__ = ["bar", "pulse"]

_CELLS_A_SECOND = 12


def bar(fraction: float, width: int, *, style: str, marks: Marks) -> Text:
    """A bar of ``width`` cells: full only for what is complete, and not empty for what has begun."""
    halves = int(min(max(fraction, 0.0), 1.0) * width * 2 + 1e-9)
    if fraction > 0:
        halves = max(halves, 1)
    done = marks.done * (halves // 2) + marks.edge * (halves % 2)
    return Text.assemble((done, style), (marks.rest * (width - len(done)), "dim"))


def pulse(seconds: float, width: int, *, style: str, marks: Marks) -> Text:
    """A bar for what has no known end: a piece that wanders to and fro, as ``seconds`` go by."""
    piece = max(width // 4, 1)
    way = max(width - piece, 1)
    step = int(seconds * _CELLS_A_SECOND) % (2 * way)
    before = min(step, 2 * way - step)
    after = width - piece - before
    return Text.assemble(
        (marks.rest * before, "dim"), (marks.done * piece, style), (marks.rest * after, "dim")
    )
