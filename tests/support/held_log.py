"""A log whose commits a test can delay, or make fail."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from pathlib import Path

from milepost.server.log.event_log import Commit, StoredJob
from milepost.server.log.log_errors import StoreUnavailable
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture

__all__ = ["HeldLog"]


class HeldLog(SqliteEventLog):
    """The SQLite log; ``errors`` are those of the next appends, None for one that succeeds."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.errors: deque[Exception | None] = deque()
        self.loads = 0
        """Number of calls of ``load``."""
        self._holding = 0
        self._more_held = asyncio.Event()
        self._held: deque[tuple[Commit, asyncio.Future[None]]] = deque()

    def hold(self, commits: int) -> None:
        """Hold the next commits: they do not become durable before ``let_go``."""
        self._holding = commits

    async def holds(self, commits: int) -> None:
        """Wait until this many commits are held."""
        while len(self._held) < commits:
            self._more_held.clear()
            await self._more_held.wait()

    @property
    def held(self) -> int:
        """Number of commits that are held."""
        return len(self._held)

    @property
    def held_jobs(self) -> list[str]:
        """The jobs of these commits."""
        return [commit.job_id for commit, _ in self._held]

    def let_one_go(self) -> None:
        """Append the first held commit."""
        commit, future = self._held.popleft()
        super().append(commit).add_done_callback(partial(_pass_on, future))

    def let_go(self) -> None:
        """Append the held commits."""
        self._holding = 0
        while self._held:
            self.let_one_go()

    def lose_answers(self, *, listeners_first: bool = False) -> None:
        """Append the held commits, and let those who wait for that fail: at once, or after the log's listeners."""
        self._holding = 0
        while self._held:
            commit, future = self._held.popleft()
            if not listeners_first:
                _lose(future)
            super().append(commit).add_done_callback(partial(_lose, future))

    def lose_commits(self) -> None:
        """Drop the held commits, so that those who wait for them do not learn that."""
        self._holding = 0
        while self._held:
            _lose(self._held.popleft()[1])

    async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
        """See ``EventLog``."""
        self.loads += 1
        return await super().load(job_id, caller=caller)

    def append(self, commit: Commit) -> PromptFuture[None]:
        """See ``EventLog``."""
        error = self.errors.popleft() if self.errors else None
        if error is None and not self._holding:
            return super().append(commit)
        future: PromptFuture[None] = PromptFuture()
        if error is not None:
            future.set_exception(error)
        else:
            self._holding -= 1
            self._held.append((commit, future))
            self._more_held.set()
        return future


def _lose(future: asyncio.Future[None], done: asyncio.Future[None] | None = None) -> None:
    if done is not None:
        done.exception()
    if not future.done():
        future.set_exception(StoreUnavailable("no answer"))


def _pass_on(future: asyncio.Future[None], done: asyncio.Future[None]) -> None:
    error = done.exception()
    if future.cancelled():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
