"""The exit statuses: the one table of what they mean."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["MEANINGS", "Status"]


class Status(IntEnum):
    """How a command ends. One that follows a job to its end exits with the job's status."""

    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    LOST = 6
    DEFECT = 70
    OUTPUT_FAILED = 74
    TIMED_OUT = 124
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


MEANINGS: Final = {
    Status.SUCCEEDED: "the command or, where it was followed, the job succeeded",
    Status.FAILED: "the job or, of milepost serve, the store failed",
    Status.USAGE: "what was asked for cannot be done as it was given",
    Status.CANCELLED: "the job was cancelled",
    Status.NOT_FOUND: "there is no such job",
    Status.UNREACHABLE: "the server cannot be reached, or cannot serve just now",
    Status.LOST: "the job is lost: its worker is gone, and no attempt is left",
    Status.DEFECT: "a defect in Milepost",
    Status.OUTPUT_FAILED: "stdout cannot be written to, as where the disk is full",
    Status.TIMED_OUT: "the job or the command timed out",
    Status.INTERRUPTED: "interrupted by Ctrl-C; the job goes on",
    Status.READER_GONE: "whoever read the output is gone",
    Status.TERMINATED: "terminated by a signal; the job goes on",
}
