"""Calls begin one at a time, callers in turn, however many arrive at once.

What one caller sends at once waits here, call by call, so that a pass of the event loop stays short, and the calls and
reports of others wait for one call of it rather than for all.
"""

from __future__ import annotations

import asyncio
from typing import Final

from milepost.server.base.callers import Turns

CALLS_PER_PASS: Final = 1
"""Calls that begin in one pass of the event loop. gRPC's server accepts one of a method in a pass, too; of HTTP no more
requests are served with four."""


class CallTurns:
    """Lets calls begin."""

    def __init__(self) -> None:
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._room = CALLS_PER_PASS

    async def begin(self, caller: str) -> None:
        """Return when a call of this caller may begin: at once, if no other one has in this pass."""
        if self._room:
            self._take_room()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, turn)
        await turn

    def _take_room(self) -> None:
        if self._room == CALLS_PER_PASS:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self._room -= 1

    def _next_pass(self) -> None:
        self._room = CALLS_PER_PASS
        while self._waiting and self._room:
            turn = self._waiting.take()
            if not turn.done():  # else the call was given up, or the server stops
                self._take_room()
                turn.set_result(None)
