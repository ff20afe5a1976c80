"""Budgets of bytes: a bound on memory that many use at a time, granted to them in turn."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

SMALL = 64 << 10
"""Bytes up to which a charge may use all of a budget. Larger ones leave a quarter free, so that they cannot keep
ordinary calls waiting."""


class ByteBudget:
    """A bound on the bytes that are in use, within the bound of its parent; ``used`` is their sum.

    A charge that does not fit waits. Those that wait are served in turn: one of each child, and each child's in their
    order. A charge larger than the whole budget is granted once nothing else is.
    """

    def __init__(self, limit: int, parent: ByteBudget | None = None) -> None:
        self.limit = limit
        self.used = 0
        self._parent = parent
        self._children: WeakValueDictionary[str, ByteBudget] = WeakValueDictionary()
        # Of each child, and of this budget itself: the charges that wait here, and so are granted below.
        self._waiting: OrderedDict[ByteBudget, deque[_Waiter]] = OrderedDict()

    def child(self, name: str, limit: int) -> ByteBudget:
        """The child of this name, which lasts as long as somebody holds it."""
        child = self._children.get(name)
        if child is None:
            child = self._children[name] = ByteBudget(limit, self)
        return child

    def try_acquire(self, size: int) -> bool:
        """Charge ``size`` bytes where they fit at once."""
        budget: ByteBudget | None = self
        while budget is not None:
            if not budget._fits(size) or (size > SMALL and budget._waiting):
                return False
            budget = budget._parent
        self.charge(size)
        return True

    async def acquire(self, size: int) -> None:
        """Charge ``size`` bytes as soon as they fit."""
        if self.try_acquire(size):
            return
        await self._wait(self, size)
        child, parent = self, self._parent
        try:
            while parent is not None:
                await parent._wait(child, size)
                child, parent = parent, parent._parent
        except BaseException:
            budget: ByteBudget | None = self
            while budget is not parent and budget is not None:
                budget._free(size)
                budget = budget._parent
            raise

    def charge(self, size: int) -> None:
        """Charge ``size`` bytes whether they fit or not."""
        budget: ByteBudget | None = self
        while budget is not None:
            budget.used += size
            budget = budget._parent

    def release(self, size: int) -> None:
        """Give ``size`` bytes back."""
        budget: ByteBudget | None = self
        while budget is not None:
            budget._free(size)
            budget = budget._parent

    @asynccontextmanager
    async def held(self, size: int) -> AsyncIterator[None]:
        """Charge ``size`` bytes as soon as they fit, for the block."""
        await self.acquire(size)
        try:
            yield
        finally:
            self.release(size)

    def _fits(self, size: int) -> bool:
        room = self.limit if size <= SMALL else self.limit * 3 // 4
        return self.used + size <= room or not self.used

    async def _wait(self, child: ByteBudget, size: int) -> None:
        """Charge this budget alone, in turn."""
        if self._fits(size) and not self._waiting:
            self.used += size
            return
        waiter = _Waiter(size, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(child, deque()).append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self._serve()  # it may have been the first, for which others waited
            else:
                self._free(size)
            raise

    def _free(self, size: int) -> None:
        self.used -= size
        self._serve()

    def _serve(self) -> None:
        """Grant what fits now, in turn."""
        while self._waiting:
            child, waiters = next(iter(self._waiting.items()))
            waiter = waiters[0]
            if waiter.granted.cancelled():
                waiters.popleft()
            elif self._fits(waiter.size):
                waiters.popleft()
                self.used += waiter.size
                waiter.granted.set_result(None)
                self._waiting.move_to_end(child)
            else:
                return
            if not waiters:
                del self._waiting[child]


class _Waiter(NamedTuple):
    size: int
    granted: asyncio.Future[None]
