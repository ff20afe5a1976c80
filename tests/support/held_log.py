"""A log whose commits a test can hold back, or make fail."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from pathlib import Path

from milepost.server.log.event_log import Commit
from milepost.server.log.sqlite import SqliteEventLog

__all__ = ["HeldLog"]


class HeldLog(SqliteEventLog):
    """The embedded log; ``errors`` are what the next appends fail with. None lets one through."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.errors: deque[Exception | None] = deque()
        self._held: deque[tuple[Commit, asyncio.Future[None]]] | None = None

    def hold(self) -> None:
        """From now on nothing becomes durable."""
        self._held = deque()

    def let_go(self) -> None:
        """What waits becomes durable, and what comes."""
        held, self._held = self._held or deque(), None
        for commit, future in held:
            super().append(commit).add_done_callback(partial(_pass_on, future))

    def append(self, commit: Commit) -> asyncio.Future[None]:
        """See ``EventLog``."""
        error = self.errors.popleft() if self.errors else None
        if error is None and self._held is None:
            return super().append(commit)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if error is not None:
            future.set_exception(error)
        elif self._held is not None:
            self._held.append((commit, future))
        return future


def _pass_on(future: asyncio.Future[None], done: asyncio.Future[None]) -> None:
    error = done.exception()
    if future.cancelled():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
