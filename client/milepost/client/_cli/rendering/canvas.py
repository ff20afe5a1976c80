"""What pictures on a terminal are drawn with: dimensions, symbols, colors, bars and wrapped lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from rich.cells import chop_cells
from rich.text import Text

from milepost.v1 import JobState, Severity, StageState

__all__ = [
    "ASCII",
    "JOB_STYLES",
    "SEVERITY_STYLES",
    "STAGE_STYLES",
    "UNICODE",
    "Canvas",
    "Marks",
    "bar",
    "marks_for",
    "pulse",
    "single_line",
    "wrapped",
]

_CELLS_PER_SECOND: Final = 12
# Wider lines are hard to follow with the eyes.
_MAX_WIDTH: Final = 120
_MIN_WRAP_WIDTH: Final = 20


@dataclass(frozen=True)
class Marks:
    """Symbols of states and bars. States differ by symbol and word, not by color alone."""

    succeeded: str
    running: str
    pending: str
    failed: str
    skipped: str
    ellipsis: str
    done: str
    edge: str
    rest: str

    def stage(self, state: StageState.ValueType) -> str:
        """The symbol of a stage in ``state``."""
        match state:
            case StageState.STAGE_STATE_SUCCEEDED:
                return self.succeeded
            case StageState.STAGE_STATE_RUNNING:
                return self.running
            case StageState.STAGE_STATE_FAILED | StageState.STAGE_STATE_CANCELLED:
                return self.failed
            case StageState.STAGE_STATE_SKIPPED:
                return self.skipped
            case _:
                return self.pending


UNICODE: Final = Marks(
    succeeded="✓",
    running="●",
    pending="○",
    failed="✗",
    skipped="–",
    ellipsis="…",
    done="━",
    edge="╸",
    rest="─",
)
ASCII: Final = Marks(
    succeeded="+",
    running="*",
    pending=".",
    failed="x",
    skipped="-",
    ellipsis="...",
    done="=",
    edge=">",
    rest="-",
)

JOB_STYLES: Final[dict[JobState.ValueType, str]] = {
    JobState.JOB_STATE_QUEUED: "yellow",
    JobState.JOB_STATE_RUNNING: "cyan",
    JobState.JOB_STATE_CANCELLING: "yellow",
    JobState.JOB_STATE_SUCCEEDED: "green",
    JobState.JOB_STATE_FAILED: "red",
    JobState.JOB_STATE_CANCELLED: "yellow",
    JobState.JOB_STATE_LOST: "red",
}

STAGE_STYLES: Final[dict[StageState.ValueType, str]] = {
    StageState.STAGE_STATE_PENDING: "dim",
    StageState.STAGE_STATE_RUNNING: "cyan",
    StageState.STAGE_STATE_SUCCEEDED: "green",
    StageState.STAGE_STATE_FAILED: "red",
    StageState.STAGE_STATE_SKIPPED: "dim",
    StageState.STAGE_STATE_CANCELLED: "yellow",
}

SEVERITY_STYLES: Final[dict[Severity.ValueType, str]] = {
    Severity.SEVERITY_DEBUG: "dim",
    Severity.SEVERITY_WARNING: "yellow",
    Severity.SEVERITY_ERROR: "red",
}


@dataclass(frozen=True)
class Canvas:
    """The terminal and the time of a picture.

    Attributes:
        width: Cells across.
        height: Lines down.
        now: The time, for what is still running.
        zone: Time zone of what is shown; None for the local one.
        marks: Symbols that the terminal can show.
        final: Whether this is the last picture of what has ended. It may be higher than the terminal, and leaves
            nothing out.
        stopped: Whether this is the last picture, even if what it shows goes on: nothing is followed any more.
    """

    width: int
    height: int
    now: datetime
    zone: tzinfo | None = None
    marks: Marks = UNICODE
    final: bool = False
    stopped: bool = False

    @property
    def text_width(self) -> int:
        """Cells across that are used; not all of them on a wide terminal."""
        return min(self.width, _MAX_WIDTH)


def marks_for(encoding: str) -> Marks:
    """The symbols that ``encoding`` can represent."""
    return UNICODE if encoding.lower().startswith("utf") else ASCII


def bar(fraction: float, width: int, *, style: str, marks: Marks) -> Text:
    """Draw a bar of ``width`` cells: full only at 100 %, and never empty above 0 %."""
    halves = int(min(max(fraction, 0.0), 1.0) * width * 2 + 1e-9)
    if fraction > 0:
        halves = max(halves, 1)
    return _bar_with(marks.done * (halves // 2) + marks.edge * (halves % 2), 0, width, style, marks)


def pulse(seconds: float, width: int, *, style: str, marks: Marks) -> Text:
    """Draw an indeterminate bar, whose segment moves back and forth with ``seconds``."""
    segment = max(width // 4, 1)
    span = max(width - segment, 1)
    step = int(seconds * _CELLS_PER_SECOND) % (2 * span)
    before = min(step, 2 * span - step)
    return _bar_with(marks.done * segment, before, width, style, marks)


def _bar_with(segment: str, before: int, width: int, style: str, marks: Marks) -> Text:
    """A bar of ``width`` cells with a filled segment after ``before`` cells."""
    after = width - before - len(segment)
    return Text.assemble((marks.rest * before, "dim"), (segment, style), (marks.rest * after, "dim"))


def single_line(line: Text) -> Text:
    """Cut ``line`` at the width of the terminal."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def wrapped(line: Text, indent: int, limit: int, canvas: Canvas) -> Iterator[Text]:
    """Wrap ``line`` to at most ``limit`` lines, all but the first indented; the last one is cut if text is left."""
    width = max(canvas.text_width, _MIN_WRAP_WIDTH)
    rows = list(_wrap(line, width, indent))
    for number, row in enumerate(rows[:limit], 1):
        if number == limit < len(rows):
            row.append(canvas.marks.ellipsis)
            row.truncate(width, overflow="ellipsis")
        yield single_line(row)


def _wrap(line: Text, width: int, indent: int) -> Iterator[Text]:
    """Break ``line`` by the cells that its characters take, between words where possible."""
    indent = min(indent, width // 2)
    while line.cell_len > width:
        end = len(chop_cells(line.plain, width)[0])
        blank = line.plain.rfind(" ", indent, end + 1)
        row, rest = line.divide((blank if blank > 0 else end,))
        yield row
        line = Text(" " * indent).append_text(rest[1:] if blank > 0 else rest)
    yield line
