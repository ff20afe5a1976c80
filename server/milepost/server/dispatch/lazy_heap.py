"""A min-heap with lazy deletion."""

from __future__ import annotations

import heapq
from typing import Any, Generic, TypeVar

# Deleted items that a heap may contain beyond the number of items in it, before it is rebuilt.
_DELETED_LIMIT = 16

_Item = TypeVar("_Item", bound=tuple[Any, ...])


class LazyHeap(Generic[_Item]):
    """A set of tuples. A deleted item stays in the heap until it comes up, or until half of the heap is deleted."""

    def __init__(self) -> None:
        self._heap: list[_Item] = []
        self._items: set[_Item] = set()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: _Item) -> None:
        """Insert."""
        if item not in self._items:
            self._items.add(item)
            heapq.heappush(self._heap, item)

    def discard(self, item: _Item) -> None:
        """Delete, if present."""
        self._items.discard(item)
        if len(self._heap) > 2 * len(self._items) + _DELETED_LIMIT:
            self._heap = list(self._items)
            heapq.heapify(self._heap)

    def first(self) -> _Item:
        """The least item of a set that is not empty."""
        while self._heap[0] not in self._items:
            heapq.heappop(self._heap)
        return self._heap[0]
