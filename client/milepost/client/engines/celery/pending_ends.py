"""Ends of tasks that were reported, and that the server has yet to acknowledge."""

from __future__ import annotations

import concurrent.futures
from typing import Final

__all__ = ["PENDING_ENDS", "PendingEnds"]

PENDING_ENDS: Final = 16
"""Ends of a process that nobody waits for at once; a task beyond them waits for one."""


class PendingEnds:
    """Lets tasks end before the server has acknowledged that, up to `PENDING_ENDS`. Used from any thread."""

    def __init__(self) -> None:
        self._ends: set[concurrent.futures.Future[None]] = set()

    def add(self, end: concurrent.futures.Future[None]) -> None:
        """Keep an end, which is bounded in time, until it is acknowledged; wait while there are too many."""
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)
        while len(waiting := tuple(self._ends)) > PENDING_ENDS:
            concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)

    def wait(self, timeout: float) -> None:
        """Wait until all are acknowledged, at most so many seconds."""
        concurrent.futures.wait(tuple(self._ends), timeout)
