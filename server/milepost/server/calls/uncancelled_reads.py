"""Reads of a call that go on to their end, also where whoever waits for them is cancelled.

grpc.aio starts an operation of core for each read, and frees what that took once the operation's future is done. A task
that is cancelled cancels the future, too, and then nothing frees it: 105 bytes for each call whose request does not
arrive in time. They lie between what has been freed since, so that each holds a page of C's heaps for good. Core ends
the operation with the call, so it only has to be seen.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import Context
from typing import Any, NoReturn, TypeVar

_Result = TypeVar("_Result")


@types.coroutine
def see_to_end(operation: Coroutine[Any, Any, _Result]) -> Generator[Any, Any, _Result]:
    """Return the result of a coroutine. The future that it waits for is not cancelled with whoever waits for this."""
    while True:
        try:
            future: asyncio.Future[Any] | None = operation.send(None)
        except StopIteration as ended:
            result: _Result = ended.value
            return result
        if future is None:  # it only lets others run
            yield
            continue
        try:
            yield _Uncancelled(future)
        except BaseException as error:  # that of the future, which the coroutine handles, or a cancellation
            if not future.done() or future.cancelled() or future.exception() is not error:
                future.add_done_callback(lambda _: _end(operation))
                raise


def _end(operation: Coroutine[Any, Any, object]) -> None:
    with suppress(StopIteration, Exception, asyncio.CancelledError):  # nobody waits for it
        operation.send(None)


class _Uncancelled:
    """What a task waits for in place of a future, which stays as it is when the task is cancelled."""

    __slots__ = ("_asyncio_future_blocking", "_context", "_future", "_wake_up")

    def __init__(self, future: Any) -> None:
        # asyncio's protocol between a future and the task that waits for it: the task clears the flag.
        future._asyncio_future_blocking = False
        self._asyncio_future_blocking = True
        self._future: asyncio.Future[Any] = future
        self._wake_up: Callable[[Any], object] | None = None
        self._context: Context | None = None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """See ``asyncio.Future``."""
        return self._future.get_loop()

    def add_done_callback(self, wake_up: Callable[[Any], object], *, context: Context | None = None) -> None:
        """See ``asyncio.Future``. The future itself wakes the task, so that no pass of the event loop is in between."""
        self._wake_up, self._context = wake_up, context
        self._future.add_done_callback(wake_up, context=context)

    def cancel(self, msg: object = None) -> bool:
        """Wake the task with a cancellation; False if it wakes anyway."""
        wake_up, self._wake_up = self._wake_up, None
        if wake_up is None or self._future.done():
            return False
        self._future.remove_done_callback(wake_up)
        self.get_loop().call_soon(wake_up, self, context=self._context)
        return True

    def result(self) -> NoReturn:
        """See ``asyncio.Future``: of a cancelled one."""
        raise asyncio.CancelledError
