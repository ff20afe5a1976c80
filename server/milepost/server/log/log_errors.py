"""Errors of the event log, whichever store implements it."""

from __future__ import annotations

from pathlib import Path


class Conflict(Exception):
    """Another append came first. Load the job and decide again."""


class StoreFull(Exception):
    """The store is full; nothing was appended."""


class NoRoomForCopy(StoreFull):
    """The disk has no room for a copy of the log. All values are in bytes."""

    def __init__(self, needed: int, reserve: int, free: int) -> None:
        super().__init__(f"a copy needs {needed} bytes and leaves {reserve}; {free} are free")
        self.needed = needed
        self.reserve = reserve
        self.free = free


class StoreFailed(Exception):
    """The store has failed for good; nothing was appended, and nothing will be."""


class StoreDisplaced(StoreFailed):
    """The store's file at ``path`` was deleted, moved or replaced, so the server writes no more.

    The append may or may not be in that file.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class StoreUnavailable(StoreFailed):
    """The store is unreachable for now.

    The append may or may not have reached it. If it did, listeners receive it like any other.
    """


class StoreBehind(StoreUnavailable):
    """This node cannot read now what other nodes may have appended, so it does not know; nothing was appended."""


class StreamUnusable(StoreUnavailable):
    """The stream is reachable, but must not be written to before an operator has mended it; nothing was appended."""


class StoreLocked(StoreUnavailable):
    """Another process holds the write lock of the database; nothing was appended."""
