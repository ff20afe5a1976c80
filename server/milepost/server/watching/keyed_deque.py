"""A queue of items in ascending order of their keys, with a binary search by key."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

# Number of empty places at the beginning at which the rest moves up, if they are also half of all.
_EMPTY_LIMIT = 1000

FREED_PER_PASS: Final = 10_000
"""Items that are freed in one pass of the event loop: about a millisecond."""

_Item = TypeVar("_Item")


def _free_some(items: list[Any]) -> None:
    del items[-FREED_PER_PASS:]
    if items:
        asyncio.get_running_loop().call_soon(_free_some, items)


class KeyedDeque(Generic[_Item]):
    """Items with ascending keys. Appending and removing take amortised constant time, and a search logarithmic time.

    A ``collections.deque`` would not do: access to its middle takes linear time.
    """

    __slots__ = ("_items", "_keys", "_start")

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._items: list[_Item | None] = []
        self._start = 0

    def __len__(self) -> int:
        return len(self._items) - self._start

    def append(self, key: int, item: _Item) -> None:
        """Add an item whose key is not below that of any before."""
        self._keys.append(key)
        self._items.append(item)

    def popleft(self) -> _Item:
        """Remove and return the first item. Raises IndexError if there is none."""
        item = self._items[self._start]
        assert item is not None
        self._items[self._start] = None
        self._start += 1
        if self._start == len(self._items) or (
            self._start >= _EMPTY_LIMIT and 2 * self._start >= len(self._items)
        ):
            del self._keys[: self._start], self._items[: self._start]
            self._start = 0
        return item

    def free(self) -> None:
        """Drop all items: some now, and the rest in the next passes of the event loop."""
        items, self._items, self._keys, self._start = self._items, [], [], 0
        _free_some(items)

    @property
    def oldest_key(self) -> int:
        """The key of the first item. Raises IndexError if there is none."""
        return self._keys[self._start]

    @property
    def newest_key(self) -> int:
        """The key of the last item. Raises IndexError if there is none."""
        return self._keys[-1]

    @property
    def newest(self) -> _Item:
        """The last item. Raises IndexError if there is none."""
        item = self._items[-1]
        assert item is not None
        return item

    def after(self, key: int) -> Iterator[_Item]:
        """Iterate over the items with keys above this one. Nothing may be added or removed meanwhile."""
        for index in range(bisect_right(self._keys, key, self._start), len(self._items)):
            item = self._items[index]
            assert item is not None
            yield item
