"""How much of the logs is kept in memory: one bound for all, held by letting go of what was used longest ago."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class Holder(Protocol):
    """Something that keeps what could be read again."""

    def shrink(self) -> int:
        """Lets go of its oldest part; how many bytes that were, 0 where there was nothing."""


class MemoryBudget:
    """Counts what the holders keep, in bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._holders: OrderedDict[Holder, int] = OrderedDict()
        self.used = 0

    def grew(self, holder: Holder, size: int) -> None:
        """The holder, which is in use, keeps so many bytes more. Others may have to let go."""
        self._holders[holder] = self._holders.get(holder, 0) + size
        self._holders.move_to_end(holder)
        self.used += size
        while self.used > self._most:
            oldest = next(iter(self._holders))
            freed = oldest.shrink()
            self.used -= freed
            self._holders[oldest] -= freed
            if not freed or self._holders[oldest] <= 0:
                self.forget(oldest)

    def forget(self, holder: Holder) -> None:
        """The holder keeps nothing more."""
        self.used -= self._holders.pop(holder, 0)
