"""Batches of operations of gRPC's core that are freed also where they fail, or where nobody waits for them any more.

grpc.aio starts a batch, such as to receive a message or to send a status, waits for its future, and then frees what the
batch has taken. If its task is cancelled, or the batch fails since the client has left, that last step never comes:
some 100 bytes for each read, 300 for each write and 750 for each refusal are lost for good, and the client may reset
calls without end. They lie between what has been freed since, so that each holds a page of C's heaps (decision 0084).

So a batch goes on by itself once core is done with it, and whoever waits for it has a future that may be cancelled.
Responses of streams do the same in fewer steps (``milepost.server.rpc.response_writer``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from importlib import import_module
from typing import Any

_Execute = Callable[[Any, tuple[Any, ...], asyncio.AbstractEventLoop], Coroutine[Any, Any, None]]


class _Batch:
    """Takes the place of the future that the coroutine of a batch waits for, and that core resolves.

    There is one for each message, so it has frames of Python only where it needs them.
    """

    __slots__ = ("future", "steps")

    future: asyncio.Future[None]
    """What whoever waits for the batch has."""

    steps: Coroutine[Any, Any, None]
    """It starts the batch, waits once, and frees what the batch has taken."""

    cancelled = bool
    """Core is to resolve it in any case: ``bool()`` is False."""

    __await__ = staticmethod(partial(iter, (None,)))
    """One step of nothing."""

    def set_result(self, result: None) -> None:
        """Core has done the batch. It raises nothing, which core would drop, with whoever waits left to wait."""
        future = self.future
        try:
            self.steps.send(None)
        except StopIteration:
            if not future.done():
                future.set_result(None)
        except BaseException as failure:  # noqa: BLE001  # whoever waits for the batch gets it
            _fail(future, failure)
        else:
            _fail(future, RuntimeError("a batch of gRPC waits again once core is done with it"))

    def set_exception(self, error: BaseException) -> None:
        """Core has given the batch up; as ``set_result``."""
        with contextlib.suppress(BaseException):
            self.steps.send(None)
        _fail(self.future, error)


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def freeing(execute: _Execute) -> Callable[[Any, tuple[Any, ...], Any], Awaitable[None]]:
    """Do as ``execute`` of grpc.aio, and free each batch.

    The batch starts at once, rather than when it is awaited, unless it is a ``ResponseWriter``'s.
    """

    def execute_batch(call: Any, operations: tuple[Any, ...], loop: Any) -> Awaitable[None]:
        # A ``ResponseWriter`` has put something else there, and frees the batch in fewer steps. The loop's ``__dict__``
        # would tell, too, but asking for it slows down the loop (decision 0087).
        if getattr(loop.create_future, "__self__", loop) is not loop:
            return execute(call, operations, loop)
        batch = _Batch()
        future: asyncio.Future[None] = asyncio.Future(loop=loop)
        batch.future = future
        batch.steps = steps = execute(call, operations, loop)
        loop.create_future = [batch].pop
        try:
            steps.send(None)
        finally:
            del loop.create_future
        return future

    return execute_batch


def install() -> None:
    """Have grpc.aio execute its batches like this, in this process. Nothing changes if it has no such function."""
    cygrpc: Any = import_module("grpc._cython.cygrpc")
    execute = getattr(cygrpc, "execute_batch", None)
    if execute is not None and getattr(execute, "__module__", None) == cygrpc.__name__:
        cygrpc.execute_batch = freeing(execute)
