"""Tasks that nobody awaits: kept until they end, their failures logged, ended when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from milepost.server.log.event_log import StoreFailed, StoreFull
from milepost.server.rpc.refusal import Refusal

_log = structlog.get_logger("milepost.tasks")


class Tasks:
    """A set of running tasks."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[None], None] = {}  # in the order in which they started

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` on its own."""
        self._keep(asyncio.create_task(work))

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """The same, for one who wants to know when it has ended."""
        task = asyncio.create_task(work)
        self._keep(task)
        return task

    async def close(self) -> None:
        """Cancels what still runs, and waits for it."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._running[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Refusal | StoreFull | StoreFailed):
            _log.warning("not done", error=str(error))
        elif error is not None:
            _log.error("task failed", exc_info=error)
