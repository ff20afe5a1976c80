"""Batches of operations of gRPC's core that are freed also where they fail, or where nobody waits for them any more.

grpc.aio starts a batch, such as to receive a message or to send a status, waits for its future, and then frees what the
batch has taken. If its task is cancelled, or the batch fails since the client has left, that last step never comes:
some 100 bytes for each read, 300 for each write and 750 for each refusal are lost for good, and the client may reset
calls without end. They lie between what has been freed since, so that each holds a page of C's heaps (decision 0084).

So a batch goes on by itself once core is done with it, and whoever waits for it has a future that may be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from typing import Any, Final

_Execute = Callable[[Any, tuple[Any, ...], asyncio.AbstractEventLoop], Coroutine[Any, Any, None]]

# What the coroutine of a batch waits for: one step of nothing.
_ONE_STEP: Final = (None,)


class _Batch:
    """Takes the place of the future that the coroutine of a batch waits for, and that core resolves."""

    __slots__ = ("future", "steps")

    future: asyncio.Future[None]
    """What whoever waits for the batch has."""

    steps: Iterator[object]
    """Those of the coroutine: it starts the batch, and frees what that has taken."""

    cancelled = bool
    """Core is to resolve it in any case: ``bool()`` is False, and takes no frame of Python."""

    def __await__(self) -> Iterator[None]:
        return iter(_ONE_STEP)

    def set_result(self, result: None) -> None:
        """Core has done the batch."""
        self._end(None)

    def set_exception(self, error: BaseException) -> None:
        """Core has given the batch up."""
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """Free the batch. It raises nothing, which core would drop, with whoever waits left to wait for ever."""
        try:
            next(self.steps)
            error = error or RuntimeError("a batch of gRPC waits again once core is done with it")
        except StopIteration:
            pass
        except BaseException as failure:  # noqa: BLE001  # whoever waits for the batch gets it
            error = error or failure
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)


def freeing(execute: _Execute) -> Callable[[Any, tuple[Any, ...], Any], asyncio.Future[None]]:
    """Do as ``execute`` of grpc.aio, and free each batch. The batch starts at once, rather than when it is awaited."""

    def execute_batch(call: Any, operations: tuple[Any, ...], loop: Any) -> asyncio.Future[None]:
        batch = _Batch()
        batch.future = asyncio.Future(loop=loop)
        batch.steps = steps = execute(call, operations, loop).__await__()
        loop.create_future = lambda: batch
        try:
            next(steps)
        finally:
            del loop.create_future
        return batch.future

    return execute_batch


def install() -> None:
    """Have grpc.aio execute its batches like this, in this process. Nothing changes if it has no such function."""
    cygrpc: Any = import_module("grpc._cython.cygrpc")
    execute = getattr(cygrpc, "execute_batch", None)
    if execute is not None and getattr(execute, "__module__", None) == cygrpc.__name__:
        cygrpc.execute_batch = freeing(execute)
