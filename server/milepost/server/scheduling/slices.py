"""Run long work in slices, so that the event loop serves everybody else in between."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from milepost.server.scheduling.callers import Turns
from milepost.server.scheduling.steps import Steps

_Outcome = TypeVar("_Outcome")

_PAUSE_LIMIT: Final = 0.01
"""Maximum seconds between two slices, however long the first one took."""


BEGUN_AT_ONCE: Final = 4
"""Long works that begin at once in one pass of the event loop: dozens of large requests may be complete in the same."""


class Slices:
    """All long work of a server: one slice at a time, callers in turn, with pauses as long as the slices.

    So all long work together takes at most half of the loop's time. What needs one slice only is done at once, unless
    ``BEGUN_AT_ONCE`` works that need more have begun in this pass of the event loop.

    Attributes:
        count: The slices so far, except those that were done at once.
    """

    def __init__(self) -> None:
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._is_busy = False
        # Works that have begun in this pass, and need more slices.
        self._begun = 0
        self.count = 0

    async def run(self, steps: Steps[_Outcome], caller: str) -> _Outcome:
        """Do the work, and return its outcome; raises what the work raises. ``caller`` has asked for it.

        It awaits nothing if the work is done in one slice, at once.
        """
        outcome: _Outcome
        try:
            if self._begun < BEGUN_AT_ONCE:
                next(steps)
                self._count_begun()
            while True:
                await self._turn(caller)
                begun = asyncio.get_running_loop().time()
                try:
                    next(steps)
                finally:
                    self._pause(begun)
        except StopIteration as done:
            outcome = done.value
        finally:
            steps.close()
        return outcome

    def _count_begun(self) -> None:
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._next_pass)
        self._begun += 1

    def _next_pass(self) -> None:
        self._begun = 0

    async def _turn(self, caller: str) -> None:
        """Return when no other slice runs, and it is the caller's turn."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, granted)
        if not self._is_busy:
            self._is_busy = True
            asyncio.get_running_loop().call_soon(self._grant)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._grant()
            raise

    def _pause(self, begun: float) -> None:
        """Give the next turn after a pause as long as this slice."""
        self.count += 1
        loop = asyncio.get_running_loop()
        loop.call_later(min(loop.time() - begun, _PAUSE_LIMIT), self._grant)

    def _grant(self) -> None:
        self._is_busy = False
        while self._waiting and not self._is_busy:
            granted = self._waiting.take()
            if not granted.done():  # done if the work was cancelled
                granted.set_result(None)
                self._is_busy = True
