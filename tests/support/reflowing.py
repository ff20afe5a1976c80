"""A terminal that rewraps its lines when its width changes, as nearly all terminals do."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ReflowingTerminal"]

_TOKEN: Final = re.compile(r"\x1b\[(\?25[hl]|[\d;]*[A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class ReflowingTerminal:
    """A file whose ``rows`` are what a person sees. It knows text, line ends, colors, CUU, EL and the cursor's showing.

    A line keeps its whole text, however many rows it takes, so a resize is only another ``width``. The terminal never
    scrolls, and all characters are one cell wide.
    """

    encoding = "utf-8"

    def __init__(self, width: int) -> None:
        self.width = width
        self.cursor_shown = True
        self._lines = [""]
        self._line = 0
        # Where the cursor is in its line. At the end of a full row it stays in that row, until more is written.
        self._offset = 0

    @property
    def rows(self) -> list[str]:
        """All rows down to the last one that is not blank, without trailing blanks."""
        rows = [
            line[start : start + self.width].rstrip()
            for line in self._lines
            for start in range(0, max(len(line.rstrip()), 1), self.width)
        ]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def isatty(self) -> bool:
        """Whether it is a terminal: yes."""
        return True

    def fileno(self) -> int:
        """It has no file descriptor."""
        raise OSError

    def flush(self) -> None:
        """Do nothing: writes are not buffered."""

    def write(self, data: str) -> int:
        """Show the data. Raises AssertionError for an unknown escape sequence."""
        position = 0
        while position < len(data):
            found = _TOKEN.match(data, position)
            assert found is not None, data[position : position + 20]
            position = found.end()
            self._obey(*found.groups())
        return len(data)

    def _obey(self, sequence: str | None, control: str | None, text: str | None) -> None:
        match sequence, control:
            case None, None:
                assert text is not None
                line = self._lines[self._line].ljust(self._offset)
                self._lines[self._line] = line[: self._offset] + text + line[self._offset + len(text) :]
                self._offset += len(text)
            case None, "\r":
                self._offset = self._row * self.width
            case None, _:
                self._down()
            case "?25h" | "?25l", _:
                self.cursor_shown = sequence == "?25h"
            case str(), _ if sequence.endswith("m"):
                pass
            case "2K", _:
                line, start = self._lines[self._line], self._row * self.width
                self._lines[self._line] = (
                    line[:start] + " " * self.width + line[start + self.width :]
                ).rstrip()
            case str(), _:
                assert sequence.endswith("A"), sequence
                for _ in range(int(sequence[:-1] or 1)):
                    self._up()

    @property
    def _row(self) -> int:
        """The row of the cursor within its line."""
        return (
            max(self._offset - 1, 0) // self.width
            if self._offset % self.width == 0 and self._full
            else (self._offset // self.width)
        )

    @property
    def _full(self) -> bool:
        """Whether the cursor is behind the last character of a full row."""
        return self._offset == len(self._lines[self._line])

    def _down(self) -> None:
        """To the beginning of the next row."""
        start = (self._row + 1) * self.width
        if start < len(self._lines[self._line]):
            self._offset = start
            return
        self._line, self._offset = self._line + 1, 0
        if self._line == len(self._lines):
            self._lines.append("")

    def _up(self) -> None:
        """To the row above, if there is one."""
        column = self._offset - self._row * self.width
        if self._row:
            self._offset = (self._row - 1) * self.width + column
        elif self._line:
            self._line -= 1
            rows = max(len(self._lines[self._line]) - 1, 0) // self.width
            self._offset = rows * self.width + column
