"""Responses of a stream of gRPC that are written without waking the task of the call.

grpc.aio writes in a coroutine. A task that wakes up to await it takes two passes of the event loop, and goes through
ten nested coroutines twice. But that coroutine hands the message to gRPC's core before it waits for the first time. So
the writer runs its first step where the response is made, and its last one, which frees the message, when core has sent
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, ClassVar, Final, Self

import grpc.aio

from milepost.server.rpc.shared_writes import SharedWrites

_Context = grpc.aio.ServicerContext[Any, Any]

# The class of grpc.aio's own contexts, whose writes wait for one future, which core resolves.
_OwnContext: Any = getattr(import_module("grpc._cython.cygrpc"), "_ServicerContext", ())


# What a write's next step is after its last one.
_ENDED: Final[Any] = object()


class Writes:
    """What the writes of a process have in common. These are not attributes of the writers' class: when one of a class
    is set, Python forgets what it has learned of all its attributes and methods.
    """

    __slots__ = ("silent_ends",)

    def __init__(self) -> None:
        self.silent_ends = 0
        """Writes that have ended without a callback, or anybody who waits."""


WRITES: Final = Writes()
"""Those of this process."""


class Sent(partial[None]):
    """What happens once a response is sent. Nobody waits for an answer by it, so it may go on after what others do."""


class ResponseWriter:
    """Writes the responses of one call, within ``async with``: ``await writer(response)``, or ``offer``.

    It is a ``SharingReader`` of ``milepost.server.watching``: the same responses may be offered to several writers.

    It also takes the place of the future that a write waits for, for core to resolve. So a message takes no future and
    no callback, and is freed also where core has failed to send it, or nobody waits for it any more (decision 0084).
    """

    key: ClassVar = "gRPC"
    shares_limit: ClassVar = 4

    cancelled: ClassVar = bool
    """See ``asyncio.Future``. Core is to resolve it in any case: ``bool()`` is False."""

    __await__: ClassVar = staticmethod(partial(iter, (None,)))
    """One step of nothing."""

    def __init__(self, context: _Context) -> None:
        self._context = context
        self._loop: Any = asyncio.get_running_loop()
        self._is_own_context = isinstance(context, _OwnContext)
        # The steps of the write that is under way.
        self._writing: Iterator[Any] | None = None
        # The error of a write until the next one raises it: once, since the error then has its frame, which has this.
        self._error: BaseException | None = None
        self._has_failed = False
        self._on_sent: Callable[[], None] | None = None
        # What ``__call__`` waits for, and others: the first gets the error of its write, as from grpc.aio.
        self._written: asyncio.Future[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def __call__(self, response: Any) -> Awaitable[None]:
        """Write a response; it is to be awaited, and then the next one may follow. Raises what grpc.aio does, also of
        an offer.
        """
        if self._writing is not None or self._error is not None:
            return self._write_next(response)
        # Without a coroutine of its own, which takes a twentieth of the time of a replayed batch.
        self._start(response)
        # ``Future[None](...)`` would make an alias of the class, and give the future a dictionary.
        written: asyncio.Future[None] = asyncio.Future(loop=self._loop)
        if self._writing is None:
            written.set_result(None)
        else:
            self._written = written
        return written

    async def _write_next(self, response: Any) -> None:
        """Write a response once the one before is sent."""
        await self.sent()
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error
        await self(response)

    @property
    def reader(self) -> Self:
        """See ``subscriber.Send``."""
        return self

    def share(self) -> SharedWrites:
        """See ``SharingReader``."""
        return SharedWrites()

    @property
    def is_free(self) -> bool:
        """Whether no response is being sent, and none has failed."""
        return self._writing is None and not self._has_failed

    def offer(self, response: Any) -> bool:
        """Write a response while nothing is being written; False, and nothing is done, unless grpc.aio takes it."""
        if self._writing is not None or self._has_failed:
            return False
        try:
            self._start(response)
        except Exception:  # noqa: BLE001  # the call is over: its task meets the same when it writes
            return False
        return True

    def call_when_sent(self, callback: Callable[[], None]) -> bool:
        """Call back soon after the response is sent, in place of an earlier callback; False if none is being sent.

        By then, another one may be on its way.
        """
        if self._writing is None:
            return False
        self._on_sent = callback
        return True

    async def sent(self) -> None:
        """Wait until the response is sent."""
        while self._writing is not None:
            await self._end_of_write()

    def _end_of_write(self) -> asyncio.Future[None]:
        """A future of its own for whoever waits, who may be cancelled."""
        waiting: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiting)
        return waiting

    def _start(self, response: Any) -> None:
        """Hand a response to grpc.aio. Raises what that does."""
        steps = self._writing = self._context.write(response).__await__()
        # The write asks the loop for the future that it waits for: it gets the writer, which is not here any more then.
        here = [self]
        if self._is_own_context:
            self._loop.create_future = here.pop
        try:
            waits_for = next(steps, _ENDED)
        except BaseException:
            self._writing = None
            raise
        finally:
            if self._is_own_context:
                del self._loop.create_future
        if waits_for is _ENDED:
            self._writing = None
        elif here:
            self._resume_after(waits_for)

    def set_result(self, result: None) -> None:
        """Core has sent the response, or given up: have the write go on to its end, which frees the message."""
        assert self._writing is not None
        try:
            waits_for = next(self._writing, _ENDED)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # the task gets it
            self._fail(error)
        else:
            if waits_for is not _ENDED:
                self._resume_after(waits_for)
                return
        self._writing = None
        written, self._written = self._written, None
        if written is None:
            if self._on_sent is None and not self._waiting:
                WRITES.silent_ends += 1
                return
        elif not written.done():
            if self._error is None:
                written.set_result(None)
            else:
                written.set_exception(self._error)
                self._error = None
        if self._on_sent is not None:
            # Not here: it may write the next response, and grpc.aio goes on in this pass until nothing more is sent.
            self._loop.call_soon(Sent(self._on_sent))
            self._on_sent = None
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    def set_exception(self, error: BaseException) -> None:
        """Core has given up: the client has left."""
        self._fail(error)
        self.set_result(None)

    def _resume_after(self, waits_for: asyncio.Future[Any] | None) -> None:
        """Go on once the future is done that the write waits for, as a task would."""
        if waits_for is None:  # it yields to other tasks, as ``asyncio.sleep(0)`` does
            waits_for = self._loop.create_future()
            self._loop.call_soon(waits_for.set_result, None)
        else:
            # asyncio's protocol between a future and the task that runs a coroutine: the task clears this flag.
            waits_for._asyncio_future_blocking = False
        waits_for.add_done_callback(Sent(self._on_done))

    def _on_done(self, _: asyncio.Future[Any]) -> None:
        self.set_result(None)

    def _fail(self, error: BaseException) -> None:
        # Without its traceback, which has a frame of this: the writer, and with it the call, would be garbage.
        self._error = error.with_traceback(None)
        self._has_failed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all is sent, before the status is; not where the call is cancelled."""
        if kind is None or issubclass(kind, Exception):
            await self.sent()
