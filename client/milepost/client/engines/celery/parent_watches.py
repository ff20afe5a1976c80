"""Parents of canvases that this process holds, or looks at again, until they have ended."""

from __future__ import annotations

import asyncio
from typing import Final

from milepost.client._job_calls import JobCalls
from milepost.client._transport.channel import LazyChannel
from milepost.client._watch.job_watch import StateWatch, Watch
from milepost.client._watch.watch_factory import watch_job
from milepost.client.engines.celery.canvas_parent import CanvasParent, ClaimParent
from milepost.client.engines.celery.canvas_stamp import CanvasStamp
from milepost.client.engines.celery.parent_watch import ParentWatch

__all__ = ["WATCHED_PARENTS", "ParentWatches"]

WATCHED_PARENTS: Final = 100
"""Parents that a process looks at; beyond that it forgets the one it has had longest."""


class ParentWatches:
    """Looks at parents after the end of each child that it sees, and in growing intervals.

    The publisher of a canvas does this, and each process that has run a task of it, since a child may end without any
    process noticing: LOST, or cancelled. Belongs to the running loop; after a fork the child process begins with none.

    Attributes:
        holds: Whether this process runs tasks, and so may hold their parents; see `CanvasParent`.
    """

    def __init__(self, channel: LazyChannel, calls: JobCalls, claim: ClaimParent, timeout: float) -> None:
        """`timeout` in seconds bounds the first connection of a stream; the rest as for `CanvasParent`."""
        self.holds = False
        self._channel = channel
        self._calls = calls
        self._claim = claim
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[str, ParentWatch] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def add(self, canvas: CanvasStamp) -> None:
        """Look at the parent from now on."""
        self._watch(canvas)

    async def begin(self, canvas: CanvasStamp) -> None:
        """Hold the parent from now on, unless another process does: a task of the canvas starts here."""
        if self.holds and canvas.parent_job_id not in self._current():
            await self._watch(canvas).begin()

    async def check(self, canvas: CanvasStamp) -> None:
        """Look at the parent at once, and, if it has not ended, from now on. An error goes to the log."""
        await self._watch(canvas).look()

    async def close(self) -> None:
        """Leave all parents to other processes."""
        watches = self._current()
        await asyncio.gather(*self._closing, *(watch.close() for watch in watches.values()))
        watches.clear()

    def _current(self) -> dict[str, ParentWatch]:
        """The watches of the running loop: a process that was forked has none."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._watches, self._closing = loop, {}, set()
        return self._watches

    def _watch(self, canvas: CanvasStamp) -> ParentWatch:
        """The watch of a parent, which begins again with the shortest interval."""
        watches, job_id = self._current(), canvas.parent_job_id
        watch = watches.pop(job_id, None)
        if watch is None:
            parent = CanvasParent(self._calls, self._claim, canvas, holds=self.holds)
            watch = ParentWatch(job_id, parent, self._watch_children, lambda: watches.pop(job_id, None))
        watches[job_id] = watch
        watch.restart()
        if len(watches) > WATCHED_PARENTS:
            closing = asyncio.create_task(watches.pop(next(iter(watches))).close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return watch

    def _watch_children(self, job_id: str) -> StateWatch | Watch:
        payloads = ("children_progressed",)
        return watch_job(
            self._channel, self._timeout, job_id, snapshot=True, on_gap="snapshot", payloads=payloads
        )
