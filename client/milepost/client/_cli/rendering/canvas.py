"""Dimensions, symbols, colors and bars of what is drawn on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

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
]


@dataclass(frozen=True)
class Marks:
    """The characters of a view that not every terminal has."""

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
        """The mark of a stage."""
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


def marks_for(encoding: str) -> Marks:
    """The marks that can be written in an encoding."""
    return UNICODE if encoding.lower().startswith("utf") else ASCII


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


_MAX_WIDTH = 120


@dataclass(frozen=True)
class Canvas:
    """Cells across and lines down, the time, its zone (``None``: the local one), and the marks that can be shown."""

    width: int
    height: int
    now: datetime
    zone: tzinfo | None = None
    marks: Marks = UNICODE
    final: bool = False
    """Whether the picture is the last one. It may be higher than the terminal, and leaves nothing out."""

    @property
    def text_width(self) -> int:
        """The cells across that are used: on a wide terminal not all, since eyes have to follow a line."""
        return min(self.width, _MAX_WIDTH)


_CELLS_PER_SECOND = 12


def bar(fraction: float, width: int, *, style: str, marks: Marks) -> Text:
    """A bar of ``width`` cells: full only for what is complete, and not empty for what has begun."""
    halves = int(min(max(fraction, 0.0), 1.0) * width * 2 + 1e-9)
    if fraction > 0:
        halves = max(halves, 1)
    done = marks.done * (halves // 2) + marks.edge * (halves % 2)
    return Text.assemble((done, style), (marks.rest * (width - len(done)), "dim"))


def pulse(seconds: float, width: int, *, style: str, marks: Marks) -> Text:
    """A bar for what has no known end: a piece that wanders to and fro, as ``seconds`` go by."""
    piece = max(width // 4, 1)
    way = max(width - piece, 1)
    step = int(seconds * _CELLS_PER_SECOND) % (2 * way)
    before = min(step, 2 * way - step)
    after = width - piece - before
    return Text.assemble(
        (marks.rest * before, "dim"), (marks.done * piece, style), (marks.rest * after, "dim")
    )
