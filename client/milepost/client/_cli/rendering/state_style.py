"""The marks and colors of states. Without color the marks and words say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from milepost.v1 import JobState, Severity, StageState

__all__ = ["ASCII", "JOB_STYLES", "SEVERITY_STYLES", "STAGE_STYLES", "UNICODE", "Marks", "marks_for"]


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
