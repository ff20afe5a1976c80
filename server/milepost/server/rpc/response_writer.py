"""Responses of a stream of gRPC that are written without waking the task of the call.

grpc.aio writes in a coroutine. A task that wakes up to await it takes two passes of the event loop, and goes through
ten nested coroutines twice. But that coroutine hands the message to gRPC's core before it waits for the first time. So
the writer runs its first step where the response is made, and its last one, which frees the message, when core has sent
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Self

import grpc.aio

_Context = grpc.aio.ServicerContext[Any, Any]


class Sent(partial[None]):
    """What follows once a response is sent. Nobody waits for an answer by it, so it may go on after what others do."""


class ResponseWriter:
    """Writes the responses of one call, within ``async with``: ``await writer(response)``, or ``offer``."""

    def __init__(self, context: _Context) -> None:
        self._context = context
        # Resolves when what was offered is sent.
        self._sending: asyncio.Future[None] | None = None
        # The error of an offer until ``__call__`` raises it: once, since the error then has its frame, which has this.
        self._error: BaseException | None = None
        self._has_failed = False
        self._on_sent: Callable[[], None] | None = None
        # Resolves once ``sent`` may return: who waits for ``_sending`` itself would wake before ``Sent``, in vain.
        self._all_sent: asyncio.Future[None] | None = None

    async def __call__(self, response: Any) -> None:
        """Write a response; return once the next one may follow. Raises what grpc.aio does, also of an offer."""
        if self._sending is not None:
            await self.sent()
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error
        await self._context.write(response)

    @property
    def is_sent(self) -> bool:
        """Whether no offered response is being sent."""
        return self._sending is None

    @property
    def is_free(self) -> bool:
        """Whether no offered response is being sent, and none has failed."""
        return self.is_sent and not self._has_failed

    def offer(self, response: Any) -> bool:
        """Write a response while nothing is being written; False, and nothing is done, unless grpc.aio takes it."""
        if not self.is_free:
            return False
        try:
            self._go_on(self._context.write(response))
        except Exception:  # noqa: BLE001  # the call is over: its task meets the same when it writes
            return False
        return True

    def call_when_sent(self, callback: Callable[[], None]) -> bool:
        """Call back when the offered response is sent, in place of an earlier callback; False if none is being sent."""
        if self._sending is None:
            return False
        self._on_sent = callback
        return True

    async def sent(self) -> None:
        """Wait until the offered response is sent."""
        while self._sending is not None:
            if self._all_sent is None:
                self._all_sent = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._all_sent,))

    def _go_on(self, writing: Coroutine[Any, Any, None]) -> None:
        """Advance a write until it waits, or has ended."""
        try:
            sending = writing.send(None)
        except StopIteration:
            return
        if sending is None:  # the write yields to other tasks, as ``asyncio.sleep(0)`` does
            loop = asyncio.get_running_loop()
            sending = loop.create_future()
            loop.call_soon(sending.set_result, None)
        else:
            # asyncio's protocol between a future and the task that runs a coroutine: the task clears this flag.
            sending._asyncio_future_blocking = False
        self._sending = sending
        sending.add_done_callback(Sent(self._on_done, writing))

    def _on_done(self, writing: Coroutine[Any, Any, None], _: asyncio.Future[None]) -> None:
        self._sending = None
        try:
            self._go_on(writing)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # the task gets it with its next response
            # Without its traceback, which has this frame: the writer, and with it the call, would be garbage.
            self._error = error.with_traceback(None)
            self._has_failed = True
        if self._all_sent is not None and self.is_sent:
            self._all_sent.set_result(None)
            self._all_sent = None
        if self._on_sent is not None and self.is_sent:
            on_sent, self._on_sent = self._on_sent, None
            on_sent()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all is sent, before the status is; not where the call is cancelled."""
        if kind is None or issubclass(kind, Exception):
            await self.sent()
