"""Lay out the tokens of a file: as a table or, where a terminal is too narrow for it, each in lines of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len

from milepost.contract.printable import escape

_COLUMNS = ("id", "subject", "owners", "scopes", "kinds", "state", "san", "note")
_GAP = 2


def token_lines(entries: Sequence[Mapping[str, object]], width: int | None) -> Iterator[str]:
    """The lines for these entries, which are some, on a terminal so many cells wide; None to cut and break nothing."""
    columns = [column for column in _COLUMNS if column != "san" or any(column in entry for entry in entries)]
    cells = [tuple(_cell(entry.get(column, "")) for column in columns) for entry in entries]
    rows = [tuple(column.upper() for column in columns), *cells]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [
        (" " * _GAP)
        .join(cell + " " * (size - cell_len(cell)) for cell, size in zip(row, widths, strict=True))
        .rstrip()
        for row in rows
    ]
    if width is None or max(map(cell_len, lines)) <= width:
        yield from lines
        return
    for row in cells:
        yield row[0]
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                yield f"{' ' * _GAP}{column}: {cell}"


def _cell(value: object) -> str:
    """The value on one line, without characters that would control the terminal."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(escape(text).split())
