"""The signal that tells a handler to stop, and the callbacks that follow it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

__all__ = ["CancelSignal", "Cancelled"]

_logger = logging.getLogger("milepost.client")


class Cancelled(asyncio.CancelledError):
    """The handler is to stop: its job was cancelled, given to another worker, or given back.

    Like `asyncio.CancelledError` it is not an `Exception`, so that ``except Exception`` lets it pass.
    """


class CancelSignal:
    """Set by the worker, read by the handler.

    Attributes:
        is_set: Whether the handler is to stop. A plain attribute, since `StageContext.track` reads it for each item.
    """

    def __init__(self) -> None:
        self.is_set: bool = False
        # Without a lock, which a forked child could find held: each callback is taken from here by one thread.
        self._callbacks: deque[Callable[[], object]] = deque()
        self._calls_back = False

    def set(self) -> None:
        """Tell the handler to stop, and run the callbacks."""
        self.mark()
        self.call_back()

    def mark(self) -> None:
        """Tell the handler to stop, without running the callbacks."""
        self.is_set = True

    def unmark(self) -> None:
        """Undo `mark`: the exception that was to interrupt the handler was lost, and will be raised again."""
        self.is_set = False

    def call_back(self) -> None:
        """Run each callback once."""
        self._calls_back = True
        while self._callbacks:
            with contextlib.suppress(IndexError):  # another thread has taken the last one
                _call(self._callbacks.popleft())

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Run `callback` when the callbacks run; now, if they ran before."""
        self._callbacks.append(callback)
        if self._calls_back:  # read after the callback is there: `call_back` does so the other way round
            self.call_back()

    def remove_callback(self, callback: Callable[[], object]) -> None:
        """Forget a callback of something that has ended; nothing if it has run, or is running in another thread."""
        with contextlib.suppress(ValueError, IndexError):
            self._callbacks.remove(callback)

    def raise_if_set(self) -> None:
        """Raise `Cancelled` if the handler is to stop."""
        if self.is_set:
            raise Cancelled


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except (Exception, asyncio.CancelledError):  # an error in a callback must not keep the job running
        _logger.exception("a callback of on_cancel failed")
