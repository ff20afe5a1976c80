"""Calls begin one at a time after one with far more metadata than a call may have.

grpc.aio makes Python objects of a call's metadata before it asks anybody, for five milliseconds where they are 1.5 MB,
and fifty such calls may have come by the time their host is kept out (``floods``). So the first one has the others
wait: hosts take turns, and the event loop is free for as long as each call has taken. Most of them end meanwhile, since
their connections are shut down. Of these a few still have their metadata counted (``floods``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from time import thread_time
from typing import Any, Final, TypeAlias

from milepost.server.rpc.metadata_limit import Metadata
from milepost.server.scheduling.callers import Turns, host_of

LARGE_METADATA: Final = 256 << 10
"""Bytes of metadata that take about a millisecond."""

CAREFUL_TIME: Final = 5.0
"""Seconds for which calls begin one at a time after one with so much metadata."""

LONGEST_REST: Final = 0.02
"""Seconds after which the next call begins at the latest, such as after one during which garbage was collected."""

AFTERWARDS: Final = 8
"""Calls that begin in a pass once that time is over, besides as many as have come since the pass before: those that
wait may be thousands, since grpc.aio takes more calls in a pass than one. So they are fewer after each pass."""

# Processor time in seconds of a beginning that needs no rest: timers are no more precise.
_SHORT: Final = 0.001

_OnLeft: TypeAlias = Callable[[str, float, Callable[[], Metadata]], object]


class CallStarts:
    """When the calls of a server begin."""

    def __init__(self) -> None:
        self._careful_until = 0.0
        self._on_left: _OnLeft = lambda peer, seconds, metadata: None
        # By host: whose calls they are is in their metadata.
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._came = 0  # since the last ``_begin_next``
        self._is_serving = False
        self._is_behind = False  # whether those that waited before the last pass still do
        # When the call that has its turn has begun; None if it was left before.
        self._began: float | None = None

    def note_metadata(self, size: int, on_left: _OnLeft) -> None:
        """Begin calls one at a time for ``CAREFUL_TIME``, if a call had as much metadata as ``LARGE_METADATA``.

        ``on_left`` is called with the peer of a call that is left while it waits, the seconds that it has waited, and
        what makes objects of its metadata.
        """
        if size >= LARGE_METADATA:
            self._careful_until = asyncio.get_running_loop().time() + CAREFUL_TIME
            self._on_left = on_left

    def start(
        self,
        handling: Coroutine[Any, Any, None],
        call: Coroutine[Any, Any, None],
        peer: Callable[[], str],
        metadata: Callable[[], Metadata],
    ) -> Coroutine[Any, Any, None]:
        """Return what runs ``handling``, which awaits a call of ``peer``, in turn; nothing if that is left before."""
        if self._is_behind or self._is_careful:
            return self._start_in_turn(handling, call, peer(), metadata)
        return handling

    @property
    def _is_careful(self) -> bool:
        return asyncio.get_running_loop().time() < self._careful_until

    async def _start_in_turn(
        self,
        handling: Coroutine[Any, Any, None],
        call: Coroutine[Any, Any, None],
        peer: str,
        metadata: Callable[[], Metadata],
    ) -> None:
        loop = asyncio.get_running_loop()
        came = loop.time()
        try:
            await self._turn(host_of(peer))
        except asyncio.CancelledError:
            # The client has left. As with a call that runs, nobody learns of the cancellation.
            handling.close()
            call.close()
            self._on_left(peer, loop.time() - came, metadata)
            return
        self._began = thread_time()
        await handling

    def _turn(self, host: str) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.put(host, turn)
        self._came += 1
        if not self._is_serving:
            self._is_serving = True
            loop.call_soon(self._begin_next)
        return turn

    def _begin_next(self) -> None:
        is_careful = self._is_careful
        room = 1 if is_careful else self._came + AFTERWARDS
        self._came = 0
        while self._waiting and room:
            turn = self._waiting.take()
            if turn.done():  # the client has left
                continue
            self._began = None
            turn.set_result(None)
            room -= 1
        must_rest = is_careful and not room
        self._is_behind = self._is_serving = must_rest or bool(self._waiting)
        if self._is_serving:
            # What the turns wake runs just before this.
            asyncio.get_running_loop().call_soon(self._rest if must_rest else self._begin_next)

    def _rest(self) -> None:
        took = 0.0 if self._began is None else thread_time() - self._began
        if took < _SHORT:
            self._begin_next()  # in the next pass, in which as many calls of the same caller begin at any time
        else:
            asyncio.get_running_loop().call_later(min(took, LONGEST_REST), self._begin_next)


_of_server: ContextVar[CallStarts] = ContextVar("call_starts")


def starts_of_server() -> CallStarts:
    """The starts of the calls of one server, in the task that accepts its calls, and in the tasks of those."""
    starts = _of_server.get(None)
    if starts is None:
        starts = CallStarts()
        _of_server.set(starts)  # grpc.aio creates the tasks of calls in the one that accepts them
    return starts
