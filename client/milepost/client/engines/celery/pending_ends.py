"""Ends of tasks that were reported, and that the server has yet to acknowledge."""

from __future__ import annotations

import concurrent.futures
from typing import Final

__all__ = ["PENDING_ENDS", "PendingEnds"]

PENDING_ENDS: Final = 16
"""Maximum ends of a process that wait for the server. Beyond it a task waits for one, then drops the oldest."""


class PendingEnds:
    """Lets tasks end before the server has acknowledged that. Used from any thread."""

    def __init__(self) -> None:
        self._ends: dict[concurrent.futures.Future[None], None] = {}

    def add(self, end: concurrent.futures.Future[None], timeout: float) -> None:
        """Keep an end until it is acknowledged; `timeout` in seconds bounds the wait for room."""
        self._ends[end] = None
        end.add_done_callback(lambda done: self._ends.pop(done, None))
        waiting = tuple(self._ends)
        if len(waiting) > PENDING_ENDS:
            done, _ = concurrent.futures.wait(
                waiting, timeout, return_when=concurrent.futures.FIRST_COMPLETED
            )
            if not done:
                waiting[0].cancel()

    def wait(self, timeout: float) -> None:
        """Wait until all are acknowledged, at most so many seconds."""
        concurrent.futures.wait(tuple(self._ends), timeout)
