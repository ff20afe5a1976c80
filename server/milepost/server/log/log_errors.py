"""Errors of the event log, whichever store implements it. Each says what it means for a caller."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from milepost.v1 import ErrorReason


class StoreError(Exception):
    """The store did not do, or may not have done, what it was asked.

    Attributes:
        outcome_is_unknown: Whether an append that failed with it may be durable all the same, or become so. Otherwise
            nothing was appended.
        reason: The reason of the refusal that a caller gets.
        message: What the caller is told: what happened, and what to do.
        retry_delay: Seconds after which the same call may succeed; None if it will not without a change.
    """

    outcome_is_unknown: ClassVar[bool] = False
    reason: ClassVar[ErrorReason.ValueType] = ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
    message: str = "The server's store does not answer; nothing was changed. Try again."
    retry_delay: ClassVar[float | None] = 1.0


class Conflict(StoreError):
    """Another append came first. Load the job and decide again."""


class StoreFull(StoreError):
    """The store is full."""

    reason = ErrorReason.ERROR_REASON_STORE_FULL
    message = "The server's disk is full; nothing was changed. Free some disk space."
    retry_delay = None


class NoRoomForCopy(StoreFull):
    """The disk has no room for a copy of the log. All values are in bytes."""

    def __init__(self, needed: int, reserve: int, free: int) -> None:
        super().__init__(f"a copy needs {needed} bytes and leaves {reserve}; {free} are free")
        self.message = (
            f"A copy of the log takes {needed:,} bytes of the server's disk for a while, and must leave {reserve:,} "
            f"for the log; {free:,} are free. Free some disk space."
        )


class StoreFailed(StoreError):
    """The store has failed: for good, unless the error is a ``StoreUnavailable``."""


class CommitFailed(StoreFailed):
    """The store failed for good while it committed: what the disk has of the commit shows when it is opened again."""

    outcome_is_unknown = True
    message = (
        "The server's store failed while it wrote, so the server ends, and whether this was done is not known. Try "
        "again once it has been started again."
    )


class StoreDisplaced(StoreFailed):
    """The store's file at ``path`` was deleted, moved or replaced, so the server writes no more.

    The append may be in that file.
    """

    outcome_is_unknown = True
    message = (
        "The server's data was moved, deleted or replaced while it ran, so it writes no more and ends; whether this "
        "was done is not known. Try again once it has been started again; its log says which file it missed."
    )

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class StoreUnavailable(StoreFailed):
    """The store is unreachable for now.

    The append may have reached it. If it did, listeners receive it like any other.
    """

    outcome_is_unknown = True
    message = "The server's store does not answer, so whether this was done is not known. Try again."


class StoreBehind(StoreUnavailable):
    """This node cannot read now what other nodes may have appended, so it does not know."""

    outcome_is_unknown = False
    message = (
        "This server cannot read now what others may have written about the job, and changed nothing. Try again, "
        "perhaps at another one."
    )


class StreamUnusable(StoreUnavailable):
    """The stream is reachable, but must not be written to before an operator has mended it."""

    outcome_is_unknown = False
    message = (
        "The server's log in NATS was changed or lost; nothing is written before an operator has mended it, and "
        "nothing was changed. The server's log says what is wrong."
    )
    retry_delay = 5.0


class StoreLocked(StoreUnavailable):
    """Another process holds the write lock of the database."""

    outcome_is_unknown = False
    message = "Another process has locked the server's database; nothing was changed. Try again."
