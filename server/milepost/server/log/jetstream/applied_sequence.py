"""The sequence of the last applied message, and the tasks that wait for one to be applied."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class AppliedSequence:
    """The sequence up to which the projection has applied the stream; ``value`` is read-only."""

    def __init__(self) -> None:
        self.value = 0
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def reached(self, sequence: int) -> None:
        """Wait until the message with this sequence is applied."""
        if self.value < sequence:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiters, (sequence, next(self._order), waiter))
            await waiter

    def advance(self, sequence: int) -> None:
        """Note that messages up to this one are applied, and wake up those who wait for them."""
        self.value = sequence
        while self._waiters and self._waiters[0][0] <= sequence:
            _, _, waiter = heapq.heappop(self._waiters)
            if not waiter.done():
                waiter.set_result(None)
