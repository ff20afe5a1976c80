"""A set that tells which of its items is the least."""

from __future__ import annotations

import heapq
from typing import Any, Generic, TypeVar

# How much of a heap may be what was taken out of it, beside as much as it holds.
_SLACK = 16

_Item = TypeVar("_Item", bound=tuple[Any, ...])


class Sorted(Generic[_Item]):
    """Tuples, in a heap. What is taken out stays in it until it comes up, or until half of the heap is such."""

    def __init__(self) -> None:
        self._heap: list[_Item] = []
        self._items: set[_Item] = set()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: _Item) -> None:
        """Puts it in."""
        if item not in self._items:
            self._items.add(item)
            heapq.heappush(self._heap, item)

    def discard(self, item: _Item) -> None:
        """Takes it out, if it is in."""
        self._items.discard(item)
        if len(self._heap) > 2 * len(self._items) + _SLACK:
            self._heap = list(self._items)
            heapq.heapify(self._heap)

    def first(self) -> _Item:
        """The least; there must be one."""
        while self._heap[0] not in self._items:
            heapq.heappop(self._heap)
        return self._heap[0]
