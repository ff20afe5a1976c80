"""A step of a watch that outlives a cancelled wait for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator

__all__ = ["KeptStep"]


class KeptStep:
    """One step at a time, in a task of its own: whoever is cancelled while waiting leaves it to the next one.

    So a watch that is polled, as with `asyncio.wait_for`, gets as far as one that is iterated: what a step has begun,
    such as a reconnect, is not begun anew with each poll.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._is_resumable = False
        self._is_cancelled = False  # by a wait for it that was

    @property
    def is_begun(self) -> bool:
        """Whether there is a step whose end, or error, nobody has got."""
        return self._task is not None

    async def run(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        """Wait for the end of the step that has begun, or else begin this one. Raises what the step raises.

        It may end because a wait for it, or `cancel`, has cancelled it, so callers run another one until they have what
        they want. A cancellation that the step itself raises, as a callback may, is raised.
        """
        task = self._task
        if task is None or not (task.done() or _is_here(task)):
            task = self._task = asyncio.create_task(step())
            self._is_cancelled = False
            task.add_done_callback(_retrieve_error)
        if not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                # The task has the watch: one that is garbage from now on would otherwise stay for as long as it waits.
                if self._is_resumable:
                    self._is_cancelled = task.cancel()
                raise
        is_cancelled_here = self._is_cancelled or self._task is not task
        if self._task is task:
            self._task = None
        try:
            if not (task.cancelled() and is_cancelled_here):
                task.result()
        finally:
            del task  # its error has this frame

    @contextlib.contextmanager
    def resumable(self) -> Iterator[None]:
        """A wait within the step that a later step resumes: it ends together with the wait for the step."""
        self._is_resumable = True
        try:
            yield
        finally:
            self._is_resumable = False

    def cancel(self) -> asyncio.Task[None] | None:
        """Cancel the step, and forget it; return it, if there is one in the running loop."""
        task, self._task = self._task, None
        if task is None or not _is_here(task):
            return None
        task.cancel()
        return task


def _is_here(task: asyncio.Task[None]) -> bool:
    """Whether a task is of the running loop, and not of one that was stopped, or of the parent of this process."""
    return task.get_loop() is asyncio.get_running_loop()


def _retrieve_error(task: asyncio.Task[None]) -> None:
    """Keep asyncio from logging the error of a step that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
