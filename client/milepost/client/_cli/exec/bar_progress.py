"""Progress of a stream of output: over bars that are redrawn side by side, and over phases that start again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from milepost.client._cli.exec.line_splitter import OutputLine
from milepost.client._cli.exec.progress_patterns import Progress

__all__ = ["BarTracker"]

# A fall of the fraction by more than this, and by more than half, is another phase and not an estimate that was mended.
_PHASE_DROP: Final = 0.1
# What a bar is of: the first word beside it.
_LABEL: Final = re.compile(r"[^\W\d_][\w.@/-]*|\w{6,}")


class BarTracker:
    """The progress that a person sees in one stream.

    Bars that stand below one another and are redrawn count together, as for the layers of an image; one that is gone,
    or has given way to another text, is done. Where progress starts again, another phase has begun.
    """

    def __init__(self) -> None:
        # LineSplitter that are redrawn: what each shows or, if it is blank, did before.
        self._screen: dict[int, tuple[str, Progress | None]] = {}
        self._blank: set[int] = set()
        # Those that were blank when they were looked at before: not only for as long as it takes to redraw them.
        self._stayed_blank: set[int] = set()
        self._bars: dict[str, Progress] = {}
        self._before: Progress | None = None

    def update(self, line: OutputLine, reading: Progress | None) -> Progress | None:
        """Takes a line, and what was read in it; the progress of the whole, where that is known at once."""
        if not line.redrawn:
            if reading is not None:
                self._screen.clear()
                self._bars.clear()
            return self._phase(reading, are_same=True)
        if reading is not None and (reading.stage or reading.total is None):
            return reading
        if line.text.strip():
            label = _LABEL.search(line.text)
            self._screen[line.row] = (label[0] if label else f"line {line.row}", reading)
            self._blank.discard(line.row)
        else:
            self._blank.add(line.row)
        return None

    def poll(self) -> Progress | None:
        """The progress of all bars that are redrawn, now that they stand still; None where there are none."""
        for row in self._blank & self._stayed_blank:
            self._screen.pop(row, None)
        self._stayed_blank = set(self._blank)
        in_bytes = any(reading is not None and reading.in_bytes for _, reading in self._screen.values())
        shown = {
            label: reading
            for label, reading in self._screen.values()
            if reading is not None and reading.in_bytes == in_bytes
        }
        if not shown:
            return None
        before = self._bars.values()
        if any(bar.in_bytes != in_bytes for bar in before) or (
            all(map(_is_full, before)) and not self._bars.items() >= shown.items()
        ):
            self._bars.clear()  # these are the bars of another phase
        are_same = self._bars.keys() >= shown.keys()
        gone = {label: _full(bar) for label, bar in self._bars.items() if label not in shown}
        self._bars = gone | shown
        if len(self._bars) == 1:
            return self._phase(next(iter(self._bars.values())), are_same=are_same)
        total = sum(bar.total or 0.0 for bar in self._bars.values())
        return self._phase(
            Progress(sum(bar.current for bar in self._bars.values()), total), are_same=are_same
        )

    def _phase(self, reading: Progress | None, *, are_same: bool) -> Progress | None:
        """The same reading, marked where another phase has begun.

        A fall of the sum may also mean that a bar was added; that is no phase, unless all bars before were full.
        """
        if reading is None or reading.stage:
            return reading
        before, self._before = self._before, reading
        if before is None or not (are_same or _is_full(before)) or not _starts_again(before, reading):
            return reading
        return replace(reading, restarts=True)


def _full(bar: Progress) -> Progress:
    return bar if bar.total is None else replace(bar, current=bar.total)


def _is_full(bar: Progress) -> bool:
    return bar.total is not None and bar.current >= bar.total


def _starts_again(before: Progress, now: Progress) -> bool:
    if not before.total or not now.total:
        return before.total is None and now.total is None and now.current < before.current / 2
    was, is_now = before.current / before.total, now.current / now.total
    return is_now < was and (was >= 1 or was - is_now > max(was / 2, _PHASE_DROP))
