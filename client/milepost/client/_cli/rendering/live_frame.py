"""A picture redrawn in place, as the last thing on its terminal: whatever else is written there appears above it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

from rich.cells import cell_len, chop_cells
from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType, Segment, Segments
from rich.text import Text

__all__ = ["LiveFrame"]

_STREAMS: Final = ("stdout", "stderr")


class LiveFrame:
    """Draws between `start` and `stop`, with the cursor hidden; the last picture stays on the terminal. Thread-safe.

    Meanwhile ``sys.stdout`` and ``sys.stderr`` print above the picture if they are the console's terminal:
    logging, `warnings`, and tracebacks of threads write to them, and would garble it.
    """

    def __init__(self, console: Console) -> None:
        """Write to ``console``, whose file stays the same."""
        self._console = console
        self._lock = threading.RLock()
        self._picture: RenderableType | None = None
        # Lines on the terminal, without styles.
        self._lines: list[str] = []
        self._streams: dict[str, _StreamAbove] = {}

    def start(self) -> None:
        """Hide the cursor, and take over the terminal's streams."""
        self._console.show_cursor(False)
        for name in _STREAMS:
            stream = getattr(sys, name)
            if _is_same_terminal(stream, self._console.file):
                self._streams[name] = _StreamAbove(self, stream)
                setattr(sys, name, self._streams[name])

    def stop(self) -> None:
        """Give the streams back, and show the cursor below the picture."""
        for name, above in self._streams.items():
            above.end()
            setattr(sys, name, above.stream)
        self._streams.clear()
        if self._lines:
            self._console.line()
        self._console.show_cursor(True)

    def draw(self, picture: RenderableType, *, final: bool = False) -> None:
        """Replace the picture. Cut one that is higher than the terminal, unless it is ``final``."""
        self._picture = picture
        self._redraw(final=final)

    def print_above(self, text: str) -> None:
        """Print whole lines above the picture, where they stay."""
        self._redraw(text)

    def _redraw(self, *texts: str, final: bool = False) -> None:
        with self._lock, self._console as console:
            width, height = console.size
            console.control(_erasure(_rows(self._lines, width)))
            for text in texts:
                console.print(Text(text), soft_wrap=True)
            if self._picture is None:
                return
            lines = console.render_lines(self._picture, pad=False)
            if not final and len(lines) > height:
                lines = [*lines[: height - 1], [Segment("…")]]
            self._lines = ["".join(segment.text for segment in line) for line in lines]
            console.print(Segments(_joined(lines)), end="")


class _StreamAbove:
    """Stands in for a text stream of the terminal: lines appear above the picture once they are complete."""

    def __init__(self, frame: LiveFrame, stream: TextIO) -> None:
        self.stream = stream
        self._frame = frame
        self._rest = ""

    def write(self, text: str) -> int:
        lines, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._frame.print_above(lines)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def end(self) -> None:
        """Print what is left of a line that was not completed."""
        if self._rest:
            self.write("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _rows(lines: Sequence[str], width: int) -> int:
    """Rows that lines take on a terminal of ``width`` cells, which has wrapped them again if it became narrower."""
    return sum(len(chop_cells(line, width)) if cell_len(line) > width else 1 for line in lines)


def _erasure(rows: int) -> Control:
    """Erase so many rows, of which the last one has the cursor, which moves to the beginning of the first."""
    erase = (ControlType.ERASE_IN_LINE, 2)
    return Control(
        ControlType.CARRIAGE_RETURN, erase, *((ControlType.CURSOR_UP, 1), erase) * max(rows - 1, 0)
    )


def _joined(lines: Sequence[Sequence[Segment]]) -> Iterable[Segment]:
    for number, line in enumerate(lines):
        if number:
            yield Segment.line()
        yield from line


def _is_same_terminal(stream: TextIO | None, terminal: Any) -> bool:
    try:
        return (
            stream is not None
            and stream.isatty()
            and os.path.sameopenfile(stream.fileno(), terminal.fileno())
        )
    except (OSError, ValueError):  # one of them is closed, or no file
        return False
