"""One parent of a canvas that this process holds, or looks at again, until it has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client._watch.job_watch import StateWatch, Watch
from milepost.client.engines.celery.canvas_parent import CanvasParent
from milepost.client.errors import MilepostError
from milepost.v1 import Job

__all__ = ["INITIAL_INTERVAL", "INTERVAL_MAX", "ParentWatch", "WatchChildren"]

_logger = logging.getLogger("milepost.client")

INITIAL_INTERVAL: Final = 1.0
"""Seconds until a parent is looked at again; then twice as many, and so on."""
INTERVAL_MAX: Final = 60.0
"""Maximum seconds between two looks at a parent."""

WatchChildren: TypeAlias = Callable[[str], StateWatch | Watch]
"""Watches a parent for the number of its children that have ended."""


class ParentWatch:
    """Looks at a parent in growing intervals, and, while this process holds it, when its last child has ended.

    Belongs to the running loop. Of several looks one waits for the other.
    """

    def __init__(
        self, job_id: str, parent: CanvasParent, watch_children: WatchChildren, on_end: Callable[[], object]
    ) -> None:
        """`on_end` is called once the parent has ended, or can no longer be looked at."""
        self._job_id = job_id
        self._parent = parent
        self._watch_children = watch_children
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._interval = INITIAL_INTERVAL
        # A timer and no task that sleeps: at the end of a process that holds no parent, nothing is in progress.
        self._timer: asyncio.TimerHandle | None = None
        self._looks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._unexplained = UnexplainedErrors()
        self._is_over = False

    def restart(self) -> None:
        """Begin again with the shortest interval."""
        self._interval = INITIAL_INTERVAL
        self._schedule()

    async def begin(self) -> None:
        """Hold the parent, unless another process does. An error goes to the log."""
        await self._act(lambda: self._parent.begin(self._start_look))

    async def look(self) -> None:
        """Look at the parent now. An error goes to the log."""
        await self._act(lambda: self._parent.check(self._loop.time(), self._start_look))

    async def close(self) -> None:
        """Look no more, and leave the parent to other processes."""
        async with self._lock:
            self._stop()
            await self._parent.give_back()

    # Private.

    async def _act(self, action: Callable[[], Awaitable[bool]]) -> None:
        async with self._lock:
            if self._is_over:
                return
            try:
                is_over = await action()
            except (MilepostError, OSError) as error:  # the latter of the spool
                is_over = isinstance(error, MilepostError) and not self._unexplained.may_repeat(error)
                _logger.info("job %s, a parent of tasks: the call failed: %s", self._job_id, error)
            else:
                self._unexplained.passed()
            if is_over:
                self._stop()
                await self._parent.give_back()  # if an error is why: other processes may still get through
                self._on_end()
            elif not self._parent.is_held:
                self._stop_following()
            elif self._following is None or self._following.done():  # it has failed
                self._following = self._loop.create_task(self._follow())

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if self._is_over else self._loop.call_later(self._interval, self._look_again)

    def _look_again(self) -> None:
        self._interval = min(self._interval * 2, INTERVAL_MAX)
        self._schedule()
        self._start_look()

    def _start_look(self) -> None:
        look = self._loop.create_task(self.look())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _follow(self) -> None:
        """Look whenever all children that there are have ended."""
        try:
            async with self._watch_children(self._job_id) as items:
                async for item in items:
                    if isinstance(item, Job) or (
                        item.children_progressed.ended >= item.children_progressed.total
                    ):
                        self.restart()
                        self._start_look()
        except MilepostError as error:
            _logger.info(
                "job %s, a parent of tasks, could not be checked; checking again later: %s",
                self._job_id,
                error,
            )

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def _stop(self) -> None:
        self._is_over = True
        self._schedule()
        self._stop_following()
