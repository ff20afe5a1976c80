"""A future that calls back at once, for the outcomes of workers' reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

_logger = structlog.get_logger("milepost.loop")

_Result = TypeVar("_Result")


class PromptFuture(asyncio.Future[_Result]):
    """A future with further callbacks, which are called as soon as it is done (see ``call_back``).

    asyncio calls those of ``add_done_callback`` in the next pass of the event loop. From the commit to the
    acknowledgement there would be two such passes, which cost as much as deciding the report.
    """

    __slots__ = ("_prompt_callbacks",)

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(loop=loop)
        self._prompt_callbacks: list[Callable[[PromptFuture[_Result]], None]] = []

    def call_back(self, callback: Callable[[PromptFuture[_Result]], None]) -> None:
        """Call the callback with this future as soon as it is done, in the order of these calls.

        Where it is done already, the callback is called in the next pass of the event loop, never from here.
        """
        if self.done():
            self.get_loop().call_soon(callback, self)
        else:
            self._prompt_callbacks.append(callback)

    def set_result(self, result: _Result) -> None:
        """See ``asyncio.Future``."""
        super().set_result(result)
        self._call_back()

    def set_exception(self, exception: type[BaseException] | BaseException) -> None:
        """See ``asyncio.Future``."""
        super().set_exception(exception)
        self._call_back()

    def cancel(self, msg: object = None) -> bool:
        """See ``asyncio.Future``."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._call_back()
        return cancelled

    def _call_back(self) -> None:
        callbacks, self._prompt_callbacks = self._prompt_callbacks, []
        for callback in callbacks:
            try:
                callback(self)
            except (Exception, asyncio.CancelledError):  # a failing callback must not prevent others
                _logger.exception("callback failed")


def failed_future(error: BaseException) -> PromptFuture[Any]:
    """Return one that is done, with this error."""
    future: PromptFuture[Any] = PromptFuture()
    future.set_exception(error)
    return future
