"""Tables: the headings are the first row, and each column is as wide as what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from milepost.client._cli.rendering.job_frame import single_line
from milepost.client._cli.rendering.text import shorten

__all__ = ["fitted", "whole"]

_MIN_COLUMN_WIDTH = 5
_MIN_ID_WIDTH = 9
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
    ids: int | None = None,
    kept: int | None = None,
    style: Callable[[int, int], str] = lambda row, column: "",
) -> Iterator[Text]:
    """For a terminal that is so many cells wide: where the columns do not fit, those of ``yielding`` are cut in turn.

    Then the column of ``ids`` is, whose middle is left out; then columns from the right, down to the first ``kept``.
    ``style`` is asked for that of a cell by its row, from 1, and its column.
    """
    widths = _widths(rows)
    for column in (*yielding, *(() if ids is None else (ids,))):
        least = _MIN_ID_WIDTH if column == ids else _MIN_COLUMN_WIDTH
        widths[column] -= max(min(_over(widths, width), widths[column] - least), 0)
    while kept is not None and len(widths) > kept and _over(widths, width) > 0:
        widths.pop()
    for number, row in enumerate(rows):
        line = Text()
        for column, cell in enumerate(row[: len(widths)]):
            words = shorten(cell, widths[column]) if column == ids else cell
            text_cell = Text(words, style=style(number, column) if number else "bold")
            text_cell.truncate(widths[column], overflow="ellipsis", pad=True)
            line.append_text(text_cell).append(" " * _GAP)
        line.rstrip()
        yield single_line(line)


def _over(widths: Sequence[int], width: int) -> int:
    return sum(widths) + _GAP * (len(widths) - 1) - width


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
