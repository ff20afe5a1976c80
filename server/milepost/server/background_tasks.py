"""Background tasks: referenced until they end, with failures logged, cancelled when the server stops."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.log.log_errors import StoreDisplaced, StoreError

_logger = structlog.get_logger("milepost.tasks")

STARTS_PER_PASS: Final = 50
"""Tasks that begin in one pass of the event loop, where they may be thousands: each takes some 0.1 ms at first."""

UNWRITTEN_LIMIT: Final = 48
"""Writes that are under way at a time, of those that may be thousands. Each takes some 0.1 ms of a transaction, and
whoever writes next waits for all that are in the queue before."""

WRITE_TIME: Final = 0.25
"""Seconds that a write counts among these, at most. A store that is away keeps each for seconds, until it fails: all
of them are to find that out together, and not ``UNWRITTEN_LIMIT`` at a time."""


class Tasks:
    """The running background tasks."""

    def __init__(self) -> None:
        # In the order in which they started.
        self._running: dict[asyncio.Task[None], None] = {}
        self._waiting: deque[Coroutine[Any, Any, None]] = deque()
        # Of those that waited.
        self._writing = 0
        self._refused = FaultLog(_logger, "background task failed")
        self._failed = FaultLog(_logger, "task failed", logging.ERROR)

    def __len__(self) -> int:
        return len(self._running) + len(self._waiting)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background."""
        self._keep(asyncio.create_task(work))

    def start_in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background, after those before it, of which ``UNWRITTEN_LIMIT`` may be under way.

        For a write that may come about for thousands of jobs in the same moment.
        """
        self._waiting.append(work)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._start_waiting)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine in the background, and return its task."""
        task = asyncio.create_task(work)
        self._keep(task)
        return task

    async def close(self) -> None:
        """Cancel all tasks, and wait for them."""
        while self._waiting:
            self._waiting.popleft().close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start_waiting(self) -> None:
        while self._waiting and self._writing < UNWRITTEN_LIMIT:
            self._writing += 1
            call_when_written(self.run(self._waiting.popleft()), self._on_written)

    def _on_written(self) -> None:
        self._writing -= 1
        self._start_waiting()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._running[task] = None
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, StoreDisplaced):
            return  # the store fails for the whole server, which says so once, and ends
        if isinstance(error, Refusal | StoreError):
            self._refused.note(str(error), error=str(error))
        elif error is not None:
            self._failed.note(repr(error), exc_info=error)


def call_when_written(writing: asyncio.Future[Any], callback: Callable[[], None]) -> None:
    """Call back once, when the write has ended or ``WRITE_TIME`` is over."""

    def on_done(_: asyncio.Future[Any]) -> None:
        late.cancel()
        callback()

    def on_late() -> None:
        late.cancel()  # else the timer would keep this function, which has the timer
        writing.remove_done_callback(on_done)
        callback()

    writing.add_done_callback(on_done)
    late = asyncio.get_running_loop().call_later(WRITE_TIME, on_late)
