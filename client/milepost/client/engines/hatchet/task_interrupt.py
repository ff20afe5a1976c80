"""Interruption of a coroutine of another thread."""

from __future__ import annotations

import asyncio
import contextlib

__all__ = ["TaskInterrupt"]


class TaskInterrupt:
    """Cancels the current task from another thread; the SDK interrupts tasks in the same way."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._loop = asyncio.get_running_loop()
        # Cancellations of the task by somebody else, before.
        self._cancelling = task.cancelling()
        self._is_over = False
        self._requested = False

    def __call__(self) -> None:
        """Raise `asyncio.CancelledError` at the next await of the task; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            self._loop.call_soon_threadsafe(self._cancel)

    async def finish(self) -> bool:
        """Interrupt no more, and take back what was not delivered; whether somebody else has cancelled the task too."""
        self._is_over = True
        if not self._requested:
            return False
        self._task.uncancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # which another one may come in, too
        return self._task.cancelling() > self._cancelling

    def _cancel(self) -> None:
        if not self._is_over and not self._requested:
            self._requested = True
            self._task.cancel()
