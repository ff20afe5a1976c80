"""Split a command's output into lines as a person would see them on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from milepost.contract.limits import LOG_TEXT_SIZE

__all__ = ["LineSplitter", "OutputLine"]

# Ends of lines and cursor movements: CR, LF, and the escape sequences for up, down and erase below. Of no more digits
# than a screen may have rows: Python makes no int of thousands of them.
_CURSOR_MOVES: Final = re.compile(rb"(\r|\n|\x1b\[[0-9]{0,9}[ABEFJ])")
# An incomplete escape sequence at the end of the data.
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[0-?]{0,32})?\Z")
# Colors, erasing within a line, titles of windows, and the rest of ECMA-48.
_ESCAPES: Final = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\\\|\x9c|\\Z)"
    "|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# Control characters to remove. Tabs stay, and so do NULs, which are separators (`find -print0`).
_CONTROLS: Final = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f]")
# Maximum bytes of a line: those of a log event, less the note about what was cut off.
_LINE_SIZE_LIMIT: Final = LOG_TEXT_SIZE - 64
# Lines above the cursor that are kept for programs that redraw them.
_ROW_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class OutputLine:
    """Text up to the end of a line, or up to where the cursor left the line.

    Attributes:
        text: Without the line end and control sequences. Beyond 64 KiB it is cut, with a note.
        stays: Whether it is final; otherwise it may be overwritten, as by a progress bar.
        row: Number of the line on an endless screen, from 0.
        redrawn: Whether the cursor moves back up to this line, as for several progress bars.
    """

    text: str
    stays: bool
    row: int = field(default=0, compare=False)
    redrawn: bool = field(default=False, compare=False)


@dataclass(slots=True)
class _Row:
    """Text of a line; `logged` if it was returned as final."""

    text: str
    logged: bool = False


class LineSplitter:
    """Split a stream of bytes into lines, independent of how the bytes arrive."""

    def __init__(self, columns: int | None = None) -> None:
        """`columns` is the width of the terminal in characters; None without a terminal."""
        self._columns = columns
        self._part = bytearray()
        self._left_out = 0
        self._held = b""
        self._row = self._bottom = 0
        # The topmost line that the cursor moved back to; None if it has not since the last final line.
        self._top: int | None = None
        self._rows: dict[int, _Row] = {}

    def resize(self, columns: int) -> None:
        """Set the width of the terminal in characters, at which later lines wrap."""
        self._columns = columns

    def feed(self, data: bytes) -> Iterator[OutputLine]:
        """Lines that end, or that the cursor leaves, with these bytes."""
        data = self._held + data
        cut = _UNFINISHED.search(data)
        self._held = data[cut.start() :] if cut else b""
        pieces = _CURSOR_MOVES.split(data[: cut.start()] if cut else data)
        for text, move in zip(pieces[::2], (*pieces[1::2], b""), strict=True):
            space = _LINE_SIZE_LIMIT - len(self._part)
            self._part += text[:space]
            self._left_out += max(len(text) - space, 0)
            if move == b"\n":
                yield from self._line_feed()
            elif move == b"\r":
                yield from self._leave()
            elif move.endswith(b"J"):
                self._erase_below()
            elif move:
                yield from self._leave()
                self._move_cursor(move)

    def partial(self) -> list[OutputLine]:
        """The unfinished line at the cursor, one piece per row of the screen."""
        pieces = self._wrapped(self._text()) if self._part else []
        return [
            OutputLine(piece, stays=False, row=row, redrawn=self._is_redrawn(row))
            for row, piece in enumerate(pieces, self._row)
        ]

    def end(self) -> Iterator[OutputLine]:
        """Lines that become final with the end of the stream."""
        self._part += self._held
        list(self._leave())
        for number, row in sorted(self._rows.items()):
            if not row.logged:
                yield OutputLine(row.text, stays=True, row=number, redrawn=self._is_redrawn(number))
        self._rows.clear()

    def _line_feed(self) -> Iterator[OutputLine]:
        row = self._rows.get(self._row)
        # After a carriage return the text of the line is still on the screen.
        text = self._take_text() if self._part else row.text if row is not None else ""
        below = len(self._wrapped(text))
        if self._row == self._bottom or (row is not None and not row.text and self._is_blank_below()):
            yield self._line(text, stays=True)
            self._remember(text, logged=True)
            self._bottom = self._row + below
            self._top = None
        elif row is None or text != row.text:
            self._remember(text)
            yield self._line(text, stays=False)
        self._row += below
        self._bottom = max(self._bottom, self._row)

    def _leave(self) -> Iterator[OutputLine]:
        """Handle the cursor leaving the line or returning to its start."""
        if not self._part:
            return
        for row, piece in enumerate(self._wrapped(self._take_text()), self._row):
            self._row = row
            self._bottom = max(self._bottom, self._row)
            if self._row not in self._rows or self._rows[self._row].text != piece:
                self._remember(piece)
            yield self._line(piece, stays=False)

    def _move_cursor(self, move: bytes) -> None:
        count = int(move[2:-1] or 1)
        if move[-1:] in b"AF":
            self._row = max(self._row - count, 0)
            self._top = self._row if self._top is None else min(self._top, self._row)
        else:
            self._row = min(self._row + count, self._bottom)

    def _erase_below(self) -> None:
        self._rows = {number: row for number, row in self._rows.items() if number < self._row}
        self._bottom = self._row

    def _is_blank_below(self) -> bool:
        return not any(row.text for number, row in self._rows.items() if number > self._row)

    def _is_redrawn(self, row: int) -> bool:
        return self._top is not None and row >= self._top

    def _remember(self, text: str, *, logged: bool = False) -> None:
        self._rows[self._row] = _Row(text, logged)
        if len(self._rows) > _ROW_LIMIT:
            del self._rows[min(self._rows)]

    def _line(self, text: str, *, stays: bool) -> OutputLine:
        return OutputLine(text, stays, self._row, self._is_redrawn(self._row))

    def _wrapped(self, text: str) -> list[str]:
        columns = self._columns or len(text)
        return [text[at : at + columns] for at in range(0, len(text), columns)] if text else [""]

    def _take_text(self) -> str:
        text = self._text()
        self._part.clear()
        self._left_out = 0
        return text

    def _text(self) -> str:
        text = _plain(self._part.decode(errors="replace"))
        return f"{text}… [clipped {self._left_out} bytes]" if self._left_out else text


def _plain(text: str) -> str:
    """Remove control sequences and characters deleted by backspaces."""
    if text.isprintable():
        return text
    text = _ESCAPES.sub("", text).rstrip("\b")
    if "\b" in text:
        kept: list[str] = []
        for character in text:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        text = "".join(kept)
    return _CONTROLS.sub("", text)
