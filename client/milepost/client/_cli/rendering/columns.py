"""Rows of cells in columns: cut to the width of a terminal, or whole as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.canvas import single_line

__all__ = ["align", "fit", "fits"]

_MIN_COLUMN_WIDTH: Final = 5
_MIN_ID_WIDTH: Final = 9
_GAP: Final = 2


def align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Pad columns to the same width and cut nothing."""
    widths = _column_widths(rows)
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield (" " * _GAP).join(cells).rstrip()


def fits(rows: Sequence[Sequence[str]], width: int, *, shrink_order: Sequence[int]) -> bool:
    """Whether rows fit into ``width`` cells once these columns have shrunk, and no others."""
    widths = _column_widths(rows)
    for column in shrink_order:
        widths[column] = min(widths[column], _MIN_COLUMN_WIDTH)
    return _excess(widths, width) <= 0


def fit(
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    shrink_order: Sequence[int],
    id_column: int | None = None,
    min_columns: int | None = None,
    optional_columns: int = 0,
    style: Callable[[int, int], str] = lambda row, column: "",
) -> Iterator[Text]:
    """Fit rows, headings first, into ``width`` cells.

    Args:
        rows: Cells of each row.
        width: Cells across.
        shrink_order: Columns that shrink, one after the other.
        id_column: A column that shrinks after those, by losing its middle.
        min_columns: Columns that stay when others are dropped from the right; None to drop none.
        optional_columns: Number of columns at the right that are dropped before any shrinks.
        style: Style of a cell by its row, from 1, and its column.
    """
    widths = _column_widths(rows)
    while optional_columns and _excess(widths, width) > 0:
        widths.pop()
        optional_columns -= 1
    for column in (*shrink_order, *(() if id_column is None else (id_column,))):
        minimum = _MIN_ID_WIDTH if column == id_column else _MIN_COLUMN_WIDTH
        widths[column] -= max(min(_excess(widths, width), widths[column] - minimum), 0)
    while min_columns is not None and len(widths) > min_columns and _excess(widths, width) > 0:
        widths.pop()
    for number, row in enumerate(rows):
        line = Text()
        for column, cell in enumerate(row[: len(widths)]):
            words = text.shorten(cell, widths[column]) if column == id_column else cell
            cell_text = Text(words, style=style(number, column) if number else "bold")
            cell_text.truncate(widths[column], overflow="ellipsis", pad=True)
            line.append_text(cell_text).append(" " * _GAP)
        line.rstrip()
        yield single_line(line)


def _excess(widths: Sequence[int], width: int) -> int:
    return sum(widths) + _GAP * (len(widths) - 1) - width


def _column_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
