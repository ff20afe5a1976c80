"""Calls begin one at a time while some come with more metadata than a call may have.

grpc.aio makes Python objects of a call's metadata before it asks anybody, for five milliseconds where they are 1.5 MB,
and fifty such calls may have come by the time their host is kept out (``floods``). So the first one has the others
wait: connections take turns, and the event loop is free for as long as each call has taken. Most of them end meanwhile,
since their connections are shut down, and cost nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import thread_time
from typing import Any, Final
from weakref import WeakKeyDictionary

from milepost.server.scheduling.callers import Turns

CAREFUL_TIME: Final = 5.0
"""Seconds for which calls begin one at a time after one with too much metadata."""

# Processor time in seconds of a beginning that needs no rest: timers are no more precise.
_SHORT: Final = 0.001


class CallStarts:
    """When the calls of an event loop begin."""

    def __init__(self) -> None:
        self._careful_until = 0.0
        # By the peer of their connection: whose calls they are is in their metadata.
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._is_serving = False
        self._began = 0.0

    def begin_carefully(self) -> None:
        """Let calls begin one at a time for ``CAREFUL_TIME`` from now on."""
        self._careful_until = asyncio.get_running_loop().time() + CAREFUL_TIME

    def start(
        self, handling: Coroutine[Any, Any, None], call: Coroutine[Any, Any, None], peer: Callable[[], str]
    ) -> Coroutine[Any, Any, None]:
        """Return what runs ``handling``, which awaits a call of ``peer``, in turn; nothing if that is left before."""
        if not self._waiting and asyncio.get_running_loop().time() >= self._careful_until:
            return handling
        return self._start_in_turn(handling, call, peer())

    async def _start_in_turn(
        self, handling: Coroutine[Any, Any, None], call: Coroutine[Any, Any, None], peer: str
    ) -> None:
        try:
            await self._turn(peer)
        except asyncio.CancelledError:
            # The client has left. As with a call that runs, nobody learns of the cancellation.
            handling.close()
            call.close()
            return
        await handling

    def _turn(self, peer: str) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.put(peer, turn)
        if not self._is_serving:
            self._is_serving = True
            loop.call_soon(self._begin_next)
        return turn

    def _begin_next(self) -> None:
        while self._waiting:
            turn = self._waiting.take()
            if not turn.done():  # done if the client has left
                turn.set_result(None)
                self._began = thread_time()
                # What the turn wakes runs before this.
                asyncio.get_running_loop().call_soon(self._rest)
                return
        self._is_serving = False

    def _rest(self) -> None:
        took = thread_time() - self._began
        if took < _SHORT:
            self._begin_next()  # in the next pass, in which as many calls of the same caller begin at any time
        else:
            asyncio.get_running_loop().call_later(took, self._begin_next)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, CallStarts] = WeakKeyDictionary()


def starts_of(loop: asyncio.AbstractEventLoop) -> CallStarts:
    """The starts of the calls that this event loop serves."""
    starts = _of_loops.get(loop)
    if starts is None:
        starts = _of_loops[loop] = CallStarts()
    return starts
