"""Requests of HTTP begin one at a time, hosts in turn, however many arrive at once.

uvicorn begins all requests that have arrived in the same pass of the event loop. From a few thousand connections these
would be a pass of a second, in which nobody else is served.
"""

from __future__ import annotations

import asyncio
from typing import Final

from milepost.server.base.callers import Turns

REQUESTS_PER_PASS: Final = 1
"""Requests of HTTP that begin in one pass of the event loop.

So passes stay short, and calls of gRPC, which take several, get through. With four, no more requests are served."""


class RequestTurns:
    """Lets requests begin."""

    def __init__(self) -> None:
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._room = REQUESTS_PER_PASS

    async def begin(self, host: str) -> None:
        """Return when a request of this host may begin: at once, if no other one has in this pass."""
        if self._room:
            self._take_room()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(host, turn)
        await turn

    def _take_room(self) -> None:
        if self._room == REQUESTS_PER_PASS:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self._room -= 1

    def _next_pass(self) -> None:
        self._room = REQUESTS_PER_PASS
        while self._waiting and self._room:
            turn = self._waiting.take()
            if not turn.done():  # else the server stops
                self._take_room()
                turn.set_result(None)
