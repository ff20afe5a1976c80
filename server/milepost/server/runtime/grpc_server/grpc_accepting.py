"""Accepting calls: waiting for those of many methods at the cost of one, and several of a method at a time.

grpc.aio waits for the next call of each registered method (decision 0045), by ``asyncio.wait`` over a future for each:
with every call that comes, that adds a callback to all of them and removes it again. Here each future has its callback
once, so that a call costs the same however many methods there are.

It asks core for the next call of a method once it has taken the one before, which takes five passes of the event loop.
While a loop is busy, a call that waits in core for forty of another caller waits for two hundred passes, before anybody
knows whose it is. So here core is asked for several calls ahead (decision 0068).

And it makes objects of a call's metadata before anybody can refuse it; see ``call_starts``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, KeysView, Reversible
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final
from weakref import ReferenceType, WeakKeyDictionary

from milepost.server.rpc.call_starts import starts_of_server

AHEAD_LIMIT: Final = 8
"""Calls of a method that core is asked for at a time."""


class FirstCompleted:
    """Waits as ``asyncio.wait`` with FIRST_COMPLETED does, for a loop that replaces the completed futures each time."""

    def __init__(self) -> None:
        self._awaited: set[asyncio.Future[Any]] = set()
        self._done: set[asyncio.Future[Any]] = set()
        self._woken: asyncio.Future[None] | None = None

    async def wait(self, futures: Reversible[asyncio.Future[Any]]) -> set[asyncio.Future[Any]]:
        """Return those that have completed, at least one. New ones come at the end of ``futures``."""
        for future in reversed(futures):
            if future in self._awaited or future in self._done:
                break  # all before it are known as well
            if future.done():
                self._done.add(future)
                continue
            self._awaited.add(future)
            future.add_done_callback(self._on_done)
        if not self._done:
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken
        done, self._done = self._done, set()
        return done

    def _on_done(self, future: asyncio.Future[Any]) -> None:
        self._awaited.discard(future)
        self._done.add(future)
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


# Of each task that waits. Their futures and ``wait`` keep them: they know the task, which would be kept for good.
_waits: WeakKeyDictionary[asyncio.Task[Any], ReferenceType[FirstCompleted]] = WeakKeyDictionary()


async def wait(
    futures: Any, *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[set[Any], set[Any]]:
    """Do as ``asyncio.wait``, except for the one call that grpc.aio's server makes: FIRST_COMPLETED over a dict's keys.

    That one goes through the ``FirstCompleted`` of its task. Its second set is empty, since grpc.aio ignores it.
    """
    task = asyncio.current_task()
    is_first_of_dict = (
        isinstance(futures, KeysView) and timeout is None and return_when == asyncio.FIRST_COMPLETED
    )
    if task is None or not is_first_of_dict:
        return await asyncio.wait(futures, timeout=timeout, return_when=return_when)
    reference = _waits.get(task)
    known = None if reference is None else reference()
    if known is None:
        known = FirstCompleted()
        _waits[task] = ReferenceType(known)
    return await known.wait(futures), set()


class _Request:
    """A request for a call: it takes the place of the future that its coroutine waits for, and that core resolves.

    Core writes the call to memory that the coroutine has. So the coroutine runs in no task: one that is cancelled, as
    all are at the end of ``asyncio.run``, would free that memory while core may still write to it. Core keeps what it
    resolves, and so all of this, also where the loop is closed.
    """

    __slots__ = ("_steps", "future")

    cancelled = bool
    """Core is to resolve it in any case: ``bool()`` is False."""

    __await__ = staticmethod(partial(iter, (None,)))
    """One step of nothing."""

    def __init__(self, steps: Coroutine[Any, Any, Any], loop: Any) -> None:
        self._steps = steps
        self.future: asyncio.Future[Any] = loop.create_future()
        loop.create_future = [self].pop
        try:
            self._go_on(steps.send, None)
        finally:
            del loop.create_future

    def set_result(self, result: None) -> None:
        """Core has written the call."""
        self._go_on(self._steps.send, result)
        if not self.future.done():
            self.future.set_exception(
                RuntimeError("a request for a call waits again once core is done with it")
            )

    def set_exception(self, error: BaseException) -> None:
        """Core has no call, since the server stops."""
        self._go_on(self._steps.throw, error)

    def _go_on(self, step: Callable[[Any], object], value: object) -> None:
        try:
            step(value)
        except StopIteration as end:
            self.future.set_result(end.value)
        except BaseException as error:  # noqa: BLE001  # whoever waits for the call gets it
            self.future.set_exception(error)


class CallsAhead:
    """The next calls of one method."""

    def __init__(self) -> None:
        self._requested: set[asyncio.Future[Any]] = set()
        self._ready: deque[asyncio.Future[Any]] = deque()
        self._next: asyncio.Future[Any] | None = None

    def __len__(self) -> int:
        """The number of calls that core has handed over and nobody has taken yet."""
        return len(self._ready)

    def next(self, request_call: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Future[Any]:
        """Return a future of the next call; to be called again when that is done.

        ``request_call`` asks core for a call, and waits for one future of the loop; it raises where the server stops.
        """
        loop = asyncio.get_running_loop()
        following = self._next = loop.create_future()
        if self._ready:
            self._resolve(self._ready.popleft())
        while len(self._requested) + len(self._ready) < AHEAD_LIMIT:
            request = _Request(request_call(), loop).future
            self._requested.add(request)
            request.add_done_callback(self._on_done)
        return following

    def _on_done(self, request: asyncio.Future[Any]) -> None:
        self._requested.discard(request)
        if request.exception() is not None:
            # Calls that nobody will take would keep the server from stopping.
            self._ready.clear()
        elif self._next is None:
            self._ready.append(request)
            return
        if self._next is not None:
            self._resolve(request)

    def _resolve(self, request: asyncio.Future[Any]) -> None:
        following, self._next = self._next, None
        if following is None or following.done():  # the server stops
            return
        error = request.exception()
        if error is not None:
            following.set_exception(error)
        else:
            following.set_result(request.result())


def install() -> None:
    """Have the servers of grpc.aio accept calls like this, in this process.

    Nothing changes if its module no longer imports asyncio by name, and what else it has no longer stays as it is.
    """
    cygrpc: Any = import_module("grpc._cython.cygrpc")
    if getattr(cygrpc, "asyncio", None) is not asyncio:
        return
    changed = ModuleType(asyncio.__name__)
    vars(changed).update(vars(asyncio), wait=wait)
    cygrpc.asyncio = changed
    if all(hasattr(cygrpc, name) for name in (_HANDLE, "_ServicerContext")):
        setattr(cygrpc, _HANDLE, partial(_handle, getattr(cygrpc, _HANDLE), cygrpc._ServicerContext))
    server = cygrpc.AioServer
    if all(hasattr(server, name) for name in (_NEXT_CALL, "_request_registered_call", "_request_call")):
        cygrpc.AioServer = type(server.__name__, (server,), {_NEXT_CALL: _next_call})


_HANDLE: Final = "_handle_exceptions"


def _handle(handle: Callable[..., Coroutine[Any, Any, None]], context: Any, *of_call: Any) -> Any:
    """Return what runs a call, whose first step makes objects of its metadata."""
    handling = handle(*of_call)
    if len(of_call) != 4:
        return handling  # another version of grpc.aio
    state, call, loop, _ = of_call

    def context_of_call() -> Any:
        return context(state, None, None, loop)

    return starts_of_server().start(
        handling, call, lambda: str(context_of_call().peer()), lambda: context_of_call().invocation_metadata()
    )


_NEXT_CALL: Final = "_make_request_call_future"


def _next_call(server: Any, method: bytes | None) -> asyncio.Future[Any]:
    """Return the future of a server's next call of a registered method, or of any other method."""
    calls_ahead: dict[bytes | None, CallsAhead] = vars(server).setdefault("calls_ahead", {})
    ahead = calls_ahead.setdefault(method, CallsAhead())
    if method is None:
        return ahead.next(server._request_call)
    return ahead.next(partial(server._request_registered_call, method))
