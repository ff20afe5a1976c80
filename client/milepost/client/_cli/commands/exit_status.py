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
    Status.SUCCEEDED: "the command succeeded, or the job that it followed",
    Status.FAILED: "the job failed; for milepost serve: the store failed",
    Status.USAGE: "invalid arguments, or the server rejected the request",
    Status.CANCELLED: "the job was cancelled",
    Status.NOT_FOUND: "there is no such job",
    Status.UNREACHABLE: "the server is unreachable or temporarily unavailable",
    Status.LOST: "the job is lost: its worker is gone and no attempt is left",
    Status.DEFECT: "a defect in Milepost",
    Status.OUTPUT_FAILED: "stdout cannot be written, for example because the disk is full",
    Status.TIMED_OUT: "the job or the command timed out",
    Status.INTERRUPTED: "interrupted by Ctrl-C; the job continues",
    Status.READER_GONE: "the reader of the output pipe is gone",
    Status.TERMINATED: "terminated by a signal; the job continues",
}
