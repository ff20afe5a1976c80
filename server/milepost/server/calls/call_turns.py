"""Calls begin one at a time, callers in turn, however many arrive at once; so do large messages of open streams.

What one caller sends at once waits here, call by call, so that a pass of the event loop stays short, and the calls and
reports of others wait for one call of it rather than for all. Calls that are cancelled at once end some at a time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from milepost.server.scheduling.callers import Turns

CALLS_PER_PASS: Final = 1
"""Calls that begin in one pass of the event loop. gRPC's server accepts one of a method in a pass, too; of HTTP no more
requests are served with four."""

ENDS_PER_PASS: Final = 20
"""Cancelled calls that end in one pass of the event loop: each takes a tenth of a millisecond."""

MESSAGE_SIZE: Final = 1 << 10
"""Bytes of a message from which on it waits for its turn: to decode and to handle smaller ones takes less time."""

BYTES_PER_PASS: Final = 16 << 10
"""Bytes of such messages that take as long as the beginning of a call."""


class CallTurns:
    """Admit calls, and large messages of open streams, callers in turn: ``per_pass`` calls in a pass of the loop."""

    def __init__(self, per_pass: int = CALLS_PER_PASS) -> None:
        self._waiting: Turns[tuple[asyncio.Future[None], float]] = Turns()
        self._per_pass = per_pass
        self._room: float = per_pass

    async def begin(self, caller: str) -> None:
        """Return when a call of this caller may begin: at once, unless others have in this pass."""
        await self._take_turn(caller, 1)

    async def begin_message(self, caller: str, size: int) -> None:
        """Return when a message of so many bytes may be handled: at once, unless others fill this pass."""
        if size >= MESSAGE_SIZE:
            await self._take_turn(caller, size / BYTES_PER_PASS)

    async def _take_turn(self, caller: str, cost: float) -> None:
        if self._room > 0:
            self._take_room(cost)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, (turn, cost))
        await turn

    def _take_room(self, cost: float) -> None:
        if self._room == self._per_pass:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self._room -= cost

    def _next_pass(self) -> None:
        self._room = self._per_pass
        while self._waiting and self._room > 0:
            turn, cost = self._waiting.take()
            if not turn.done():  # done if the call was cancelled, or the server is stopping
                self._take_room(cost)
                turn.set_result(None)
