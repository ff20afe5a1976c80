"""Budgets of bytes: a bound on memory that many use at a time, granted to them in turn."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from weakref import WeakValueDictionary

from milepost.server.scheduling.callers import Turns

SMALL_CHARGE = 64 << 10
"""Bytes up to which a charge may use all of a budget. Larger ones leave a quarter free, so that they cannot keep
ordinary calls waiting."""


class ByteBudget:
    """A bound on the bytes that are in use, within the bound of its parent; ``used`` is their sum.

    A charge that does not fit waits. Those that wait are served in turn, small ones first: one of each child, and each
    child's in their order. A charge larger than the whole budget is granted once nothing else is.
    """

    def __init__(self, limit: int, parent: ByteBudget | None = None, name: str = "") -> None:
        self.limit = limit
        self.used = 0
        # The budgets above it. Without itself, or it would be garbage with its caller's last call.
        self._above: tuple[ByteBudget, ...] = () if parent is None else (parent, *parent._above)
        self._room_for_large = limit * 3 // 4
        self._name = name
        self._children: WeakValueDictionary[str, ByteBudget] = WeakValueDictionary()
        # What waits here, by the child that it is for; it is charged there already.
        self._small: Turns[_Waiter] = Turns()
        self._large: Turns[_Waiter] = Turns()

    def child(self, name: str, limit: int) -> ByteBudget:
        """The child of this name, which lasts as long as somebody holds it."""
        child = self._children.get(name)
        if child is None:
            child = self._children[name] = ByteBudget(limit, self, name)
        return child

    def share(self, caller: str) -> ByteBudget:
        """The half of it that this caller may have."""
        return self.child(caller, self.limit // 2)

    def try_acquire(self, size: int) -> bool:
        """Charge ``size`` bytes where they fit at once."""
        large = size > SMALL_CHARGE
        levels = self, *self._above
        for budget in levels:
            room = budget._room_for_large if large else budget.limit
            if (
                (budget.used + size > room and budget.used)
                or budget._small.size
                or (large and budget._large.size)
            ):
                return False
        for budget in levels:
            budget.used += size
        return True

    async def acquire(self, size: int) -> None:
        """Charge ``size`` bytes as soon as they fit."""
        if self.try_acquire(size):
            return
        charged: list[ByteBudget] = []
        try:
            for budget in (self, *self._above):
                await budget._wait(charged[-1]._name if charged else "", size)
                charged.append(budget)
        except BaseException:
            for budget in charged:
                budget._free(size)
            raise

    def release(self, size: int) -> None:
        """Give ``size`` bytes back."""
        levels = self, *self._above
        for budget in levels:
            budget.used -= size
        for budget in levels:
            if budget._small.size or budget._large.size:
                budget._serve()

    def _fits(self, size: int) -> bool:
        room = self._room_for_large if size > SMALL_CHARGE else self.limit
        return self.used + size <= room or not self.used

    async def _wait(self, child: str, size: int) -> None:
        """Charge this budget alone, in turn."""
        waiting = self._large if size > SMALL_CHARGE else self._small
        if self._fits(size) and not self._small.size and not waiting.size:
            self.used += size
            return
        waiter = _Waiter(size, asyncio.get_running_loop().create_future())
        waiting.put(child, waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self._serve()  # the cancelled one may have been first in line
            else:
                self._free(size)
            raise

    def _free(self, size: int) -> None:
        self.used -= size
        self._serve()

    def _serve(self) -> None:
        """Grant what fits now, in turn. Where a small one does not fit, no large one does."""
        for waiting in (self._small, self._large):
            while waiting.size:
                waiter = waiting.peek()
                if not waiter.granted.cancelled():
                    if not self._fits(waiter.size):
                        return
                    self.used += waiter.size
                    waiter.granted.set_result(None)
                waiting.take()


class Charge:
    """Bytes that somebody holds of a budget, until ``release``."""

    def __init__(self, budget: ByteBudget, size: int = 0) -> None:
        """Take over ``size`` bytes that are charged already."""
        self._budget = budget
        self.size = size

    async def acquire(self, size: int) -> None:
        """Charge ``size`` bytes more as soon as they fit."""
        await self._budget.acquire(size)
        self.size += size

    def try_resize(self, size: int) -> bool:
        """Hold ``size`` bytes from now on, where they fit at once."""
        if size > self.size and not self._budget.try_acquire(size - self.size):
            return False
        if size < self.size:
            self._budget.release(self.size - size)
        self.size = size
        return True

    def release(self) -> None:
        """Give all of them back; after that nothing."""
        size, self.size = self.size, 0
        if size:
            self._budget.release(size)


class _Waiter(NamedTuple):
    size: int
    granted: asyncio.Future[None]
