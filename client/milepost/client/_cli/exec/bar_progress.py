"""Progress of an output stream over several redrawn bars, and over phases that restart from zero."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from milepost.client._cli.exec.line_splitter import OutputLine
from milepost.client._cli.exec.progress_patterns import Progress

__all__ = ["BarTracker"]

# A drop of the fraction by more than this, and by more than half, is a new phase and not a corrected estimate.
_PHASE_DROP: Final = 0.1
# Label of a bar: the first word beside it.
_LABEL: Final = re.compile(r"[^\W\d_][\w.@/-]*|\w{6,}")


class BarTracker:
    """Combine the progress bars of one stream as a person sees them.

    Bars that are redrawn below one another are summed, as for the layers of an image; a bar that disappears or is
    overwritten with text counts as done. Progress that restarts begins a new phase.
    """

    def __init__(self) -> None:
        # Redrawn lines: label and progress of each, or what it showed before it became blank.
        self._screen: dict[int, tuple[str, Progress | None]] = {}
        self._blank: set[int] = set()
        # Lines blank at the previous poll: they were cleared, and are not just being redrawn.
        self._stayed_blank: set[int] = set()
        self._bars: dict[str, Progress] = {}
        self._before: Progress | None = None

    def update(self, line: OutputLine, reading: Progress | None) -> Progress | None:
        """Add a line and the progress parsed from it. Return the total progress if known immediately."""
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
        """Total progress of the redrawn bars, called when output pauses; None without bars."""
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
            # These are the bars of a new phase.
            self._bars.clear()
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
        """Mark progress that begins a new phase.

        The sum also drops when a bar is added, which begins a new phase only if all previous bars were full.
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
