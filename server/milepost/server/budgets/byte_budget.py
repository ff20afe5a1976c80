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

    Small charges pass the large ones that wait. Once as many bytes as the whole budget were granted to them meanwhile,
    room is reserved for the first large one: small ones, newcomers or not, have the rest until it is granted or
    cancelled. That is a quarter of the budget at least, unless it needs more for itself: nothing is reserved while
    others that are large keep it waiting.
    """

    def __init__(self, limit: int, parent: ByteBudget | None = None, name: str = "") -> None:
        self.limit = limit
        self.used = 0
        # The budgets above it. Without itself, or it would be garbage with its caller's last call.
        self._above: tuple[ByteBudget, ...] = () if parent is None else (parent, *parent._above)
        self._room_for_large = limit * 3 // 4
        self._used_by_large = 0
        self._name = name
        self._children: WeakValueDictionary[str, ByteBudget] = WeakValueDictionary()
        # What waits here, by the child that it is for; it is charged there already.
        self._small: Turns[_Waiter] = Turns()
        self._large: Turns[_Waiter] = Turns()
        self._passed = 0  # bytes of small ones, since large ones wait, or one of these was granted
        self._reserved = 0  # bytes

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
            room = budget._room_for_large if large else budget.limit - budget._reserved
            if (
                (budget.used + size > room and budget.used)
                or budget._small.size
                or (large and budget._large.size)
            ):
                return False
        for budget in levels:
            if large or budget._large.size:
                budget._charge(size)
            else:  # as nearly always
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

    def release(self, size: int, large: int | None = None) -> None:
        """Give ``size`` bytes back, of which ``large`` belong to large charges; by default it is that of one charge."""
        if large is None:
            large = size if size > SMALL_CHARGE else 0
        levels = self, *self._above
        for budget in levels:
            budget.used -= size
            budget._used_by_large -= large
        for budget in levels:
            if budget._small.size or budget._large.size:
                budget._serve()

    def _charge(self, size: int) -> None:
        self.used += size
        if size > SMALL_CHARGE:
            self._used_by_large += size
        elif self._large.size:
            self._passed += size
            self._reserve()

    def _fits(self, size: int) -> bool:
        room = self._room_for_large if size > SMALL_CHARGE else self.limit - self._reserved
        return self.used + size <= room or not self.used

    async def _wait(self, child: str, size: int) -> None:
        """Charge this budget alone, in turn."""
        waiting = self._large if size > SMALL_CHARGE else self._small
        if self._fits(size) and not self._small.size and not waiting.size:
            self._charge(size)
            return
        if not self._large.size:
            self._passed = 0
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
        if size > SMALL_CHARGE:
            self._used_by_large -= size
        self._serve()

    def _serve(self) -> None:
        """Grant what fits now, in turn."""
        while (waiting := self._next()) is not None:
            size, granted = waiting.take()
            self._charge(size)
            if waiting is self._large:
                self._passed = 0
            granted.set_result(None)

    def _next(self) -> Turns[_Waiter] | None:
        """Those of whom the first one is granted now. Where a small one does not fit, no large one does."""
        for waiting in (self._small, self._large):
            while waiting.size and waiting.peek().granted.cancelled():
                waiting.take()
        self._reserve()
        if self._reserved and (self.used + self._reserved <= self.limit or not self.used):
            return self._large
        waiting = self._small if self._small.size else self._large
        return waiting if waiting.size and self._fits(waiting.peek().size) else None

    def _reserve(self) -> None:
        """Reserve room for the first large one if enough was granted past it, and large ones leave it room."""
        self._reserved = 0
        if self._large.size and self._passed >= self.limit:
            size = self._large.peek().size
            if self._used_by_large + size <= self._room_for_large or not self._used_by_large:
                self._reserved = size


class Charge:
    """Bytes that somebody holds of a budget, until ``release``."""

    def __init__(self, budget: ByteBudget, size: int = 0) -> None:
        """Take over ``size`` bytes that are charged already."""
        self._budget = budget
        self.size = size
        self._large = size if size > SMALL_CHARGE else 0  # bytes that were charged in large parts

    async def acquire(self, size: int) -> None:
        """Charge ``size`` bytes more as soon as they fit."""
        await self._budget.acquire(size)
        self._grow(size)

    def try_resize(self, size: int) -> bool:
        """Hold ``size`` bytes from now on, where they fit at once."""
        if size > self.size:
            if not self._budget.try_acquire(size - self.size):
                return False
            self._grow(size - self.size)
        elif size < self.size:
            self._shrink(self.size - size)
        return True

    def release(self) -> None:
        """Give all of them back; after that nothing."""
        if self.size:
            self._shrink(self.size)

    def _grow(self, size: int) -> None:
        self.size += size
        if size > SMALL_CHARGE:
            self._large += size

    def _shrink(self, size: int) -> None:
        large = min(size, self._large)
        self.size -= size
        self._large -= large
        self._budget.release(size, large)


class _Waiter(NamedTuple):
    size: int
    granted: asyncio.Future[None]
