"""What a comparison of runs reports: tables and lines, drawn for a terminal or as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import Canvas, wrapped
from milepost.client._cli.rendering.columns import align, fit
from milepost.client._cli.rendering.json_line import dump_json
from milepost.client._diff.paths import format_path
from milepost.client._diff.values import Change, Difference
from milepost.client._json import Json

__all__ = [
    "CHANGE_STYLES",
    "DURATIONS",
    "Block",
    "Grid",
    "difference_lines",
    "listed",
    "ratio_text",
    "report_lines",
    "report_picture",
]

CHANGE_STYLES: Final = {
    Change.MISSING: "red",
    Change.ADDED: "green",
    Change.CHANGED: "yellow",
    Change.FASTER: "green",
    Change.SLOWER: "red",
    Change.UNKNOWN: "yellow",
}

DURATIONS: Final = frozenset({Change.FASTER, Change.SLOWER})
"""Changes of durations, which tables show."""

_WORDS: Final = {
    Change.MISSING: "only in A",
    Change.ADDED: "only in B",
    Change.CHANGED: "differs",
    Change.FASTER: "faster",
    Change.SLOWER: "slower",
    Change.UNKNOWN: "cannot be compared",
}
_LISTED_LIMIT: Final = 50
"""Differences that are listed as text; JSON has all."""
_VALUE_LIMIT: Final = 200
"""Maximum characters of a value."""
_WRAPPED_LINES: Final = 3
_COMMON_LENGTH: Final = 20
"""Characters that are shown before the first one in which two values differ."""


@dataclass(frozen=True)
class Grid:
    """A table: cells in rows, headings first.

    Attributes:
        rows: The cells.
        shrink_order: Columns that shrink on a narrow terminal, one after the other.
        id_column: A column of ids, which shrink by losing their middle; None for none.
        min_columns: Columns that stay if the others do not fit.
        optional_columns: Number of columns at the right that go before any shrinks.
        note_column: The column whose cells `styles` are for.
        styles: Style of that column in each row but the first.
    """

    rows: Sequence[Sequence[str]]
    shrink_order: Sequence[int] = ()
    id_column: int | None = None
    min_columns: int | None = None
    optional_columns: int = 0
    note_column: int = 0
    styles: Sequence[str] = ()


Block: TypeAlias = "Grid | Sequence[Text]"


def report_picture(blocks: Sequence[Block], canvas: Canvas) -> Iterator[Text]:
    """Draw a report for a terminal, with an empty line between blocks."""
    for number, block in enumerate(blocks):
        if number:
            yield Text("")
        if isinstance(block, Grid):
            yield from _drawn(block, canvas.text_width)
        else:
            for line in block:
                indent = len(line.plain) - len(line.plain.lstrip(" "))
                yield from wrapped(line, indent + 2, _WRAPPED_LINES, canvas)


def report_lines(blocks: Sequence[Block]) -> Iterator[str]:
    """Write a report as plain text, with an empty line between blocks."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        if isinstance(block, Grid):
            yield from align(block.rows)
        else:
            yield from (line.plain for line in block)


def _drawn(grid: Grid, width: int) -> Iterator[Text]:
    def style(row: int, column: int) -> str:
        return grid.styles[row - 1] if grid.styles and column == grid.note_column else ""

    return fit(
        grid.rows,
        width,
        shrink_order=grid.shrink_order,
        id_column=grid.id_column,
        min_columns=grid.min_columns,
        optional_columns=grid.optional_columns,
        style=style,
    )


def ratio_text(times: float | None) -> str:
    """The ratio of B to A as text, ``1.3×``; empty if it is undefined."""
    if times is None:
        return ""
    return f"{times:,.1f}×" if 0.1 <= times < 99.95 else f"{times:,.0f}×" if times >= 1 else f"{times:.3f}×"


def listed(differing: Sequence[Iterable[Text]]) -> Iterator[Text]:
    """The first differences, under a heading, and how many more there are."""
    yield Text("DIFFERENCES", style="bold")
    for lines in differing[:_LISTED_LIMIT]:
        yield from lines
    if len(differing) > _LISTED_LIMIT:
        yield Text(f"  and {len(differing) - _LISTED_LIMIT:,} more; --output json has all")


def difference_lines(difference: Difference) -> Iterator[Text]:
    """A line with the path of a difference and how it differs, and lines with its values."""
    change, a, b = difference.change, difference.a, difference.b
    path = text.one_line(format_path(difference.path))
    yield Text.assemble("  ", path, "  ", (_change_text(difference), CHANGE_STYLES[change]))
    match change:
        case Change.CHANGED:
            yield from _side_by_side(a, b)
        case Change.MISSING if a != {}:
            yield Text(f"    A  {_value_text(dump_json(a))}")
        case Change.ADDED if b != {}:
            yield Text(f"    B  {_value_text(dump_json(b))}")


def _side_by_side(a: Json, b: Json) -> Iterator[Text]:
    """Two values, from a little before the first character that differs."""
    texts = dump_json(a), dump_json(b)
    common = next((n for n, (x, y) in enumerate(zip(*texts, strict=False)) if x != y), min(map(len, texts)))
    start = max(common - _COMMON_LENGTH, 0)
    # Not for a few characters, in whose place the ellipsis would stand.
    start = start if start > _COMMON_LENGTH else 0
    for name, value in zip("AB", texts, strict=True):
        yield Text(f"    {name}  {'…' if start else ''}{_value_text(value[start:])}")


def _change_text(difference: Difference) -> str:
    words = _WORDS[difference.change]
    if difference.change is Change.UNKNOWN:
        return f"{words}: A is {difference.a}, B is {difference.b}"
    return words


def _value_text(value: str) -> str:
    return text.one_line(value, _VALUE_LIMIT)
