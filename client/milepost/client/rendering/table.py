"""Tables: the headings are the first row, and each column is as wide as what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from milepost.client.rendering.parts import single_line

__all__ = ["fitted", "whole"]

_COLUMN_LEAST = 5
_GAP = 2


def whole(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """As plain text: aligned columns, and nothing cut."""
    widths = _widths(rows)
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield (" " * _GAP).join(cells).rstrip()


def fitted(
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    yielding: Sequence[int],
    style: Callable[[int, int], str] = lambda row, column: "",
) -> Iterator[Text]:
    """For a terminal that is so many cells wide: where the columns do not fit, those of ``yielding`` are cut in turn.

    ``style`` is asked for that of a cell by its row, from 1, and its column.
    """
    widths = _widths(rows)
    for column in yielding:
        over = sum(widths) + _GAP * (len(widths) - 1) - width
        widths[column] -= max(min(over, widths[column] - _COLUMN_LEAST), 0)
    for number, row in enumerate(rows):
        line = Text()
        for column, cell in enumerate(row):
            text_cell = Text(cell, style=style(number, column) if number else "bold")
            text_cell.truncate(widths[column], overflow="ellipsis", pad=True)
            line.append_text(text_cell).append(" " * _GAP)
        line.rstrip()
        yield single_line(line)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
