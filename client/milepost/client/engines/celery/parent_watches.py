"""Parents of canvases that this process looks at again, until they have ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from milepost.client._attach import Attached
from milepost.client._calls import JobCalls
from milepost.client._transport.backoff import is_transient
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.parent_end import ParentEnd
from milepost.client.errors import MilepostError

__all__ = ["FIRST_INTERVAL", "LAST_INTERVAL", "WATCHED_PARENTS", "ParentWatches"]

_log = logging.getLogger("milepost.client")

FIRST_INTERVAL: Final = 1.0
"""Seconds until a parent is looked at again; then twice as many, and so on."""
LAST_INTERVAL: Final = 60.0
"""Maximum seconds between two looks at a parent."""
WATCHED_PARENTS: Final = 100
"""Parents that a process looks at; beyond that it forgets the one it has had longest."""


class ParentWatches:
    """Looks at parents in growing intervals, since a child may end without anybody who knows: LOST, or cancelled.

    Whoever publishes a canvas, and each process that has run a task of it, does this, and the first to see it ends the
    parent. Belongs to the running loop; after a fork the child process begins with none.
    """

    def __init__(self, calls: JobCalls, attach: Callable[[str], Attached]) -> None:
        self._calls = calls
        self._attach = attach
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[str, _Watch] = {}

    async def add(self, canvas: CanvasStamp) -> None:
        """Look at the parent from now on."""
        self._watch(canvas)

    async def check(self, canvas: CanvasStamp) -> None:
        """Look at the parent at once, and, if it has not ended, from now on. An error goes to the log."""
        await self._look(self._watch(canvas))

    def _watch(self, canvas: CanvasStamp) -> _Watch:
        """The watch of a parent, which begins again with the shortest interval."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._watches = loop, {}
        watch = self._watches.pop(canvas.parent_job_id, None)
        if watch is None:
            watch = _Watch(canvas.parent_job_id, ParentEnd(self._calls, self._attach, canvas))
        watch.interval = FIRST_INTERVAL
        self._watches[canvas.parent_job_id] = watch
        self._schedule(watch)
        if len(self._watches) > WATCHED_PARENTS:
            self._forget(next(iter(self._watches.values())))
        return watch

    def _schedule(self, watch: _Watch) -> None:
        # A timer and no task that sleeps: at the end of the process, nothing is in progress.
        loop = asyncio.get_running_loop()
        if watch.timer is not None:
            watch.timer.cancel()
        watch.timer = loop.call_later(watch.interval, self._look_again, watch)

    def _look_again(self, watch: _Watch) -> None:
        watch.interval = min(watch.interval * 2, LAST_INTERVAL)
        self._schedule(watch)
        if watch.look is None or watch.look.done():
            watch.look = asyncio.get_running_loop().create_task(self._look(watch))

    async def _look(self, watch: _Watch) -> None:
        try:
            has_ended = await watch.end.check(asyncio.get_running_loop().time())
        except MilepostError as error:
            has_ended = not is_transient(error, connected_before=True)
            _log.info("job %s, a parent of tasks, is left as it is: %s", watch.job_id, error)
        if has_ended:
            self._forget(watch)

    def _forget(self, watch: _Watch) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
        if self._watches.get(watch.job_id) is watch:
            del self._watches[watch.job_id]


class _Watch:
    """One parent."""

    def __init__(self, job_id: str, end: ParentEnd) -> None:
        self.job_id = job_id
        self.end = end
        self.interval = FIRST_INTERVAL
        self.timer: asyncio.TimerHandle | None = None
        self.look: asyncio.Task[None] | None = None
