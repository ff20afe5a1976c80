"""A cache that is bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class SizedCache(Generic[_Key, _Value]):
    """Values with their sizes. The least recently used ones go when the sum of the sizes exceeds ``limit`` bytes.

    The value that was put in last stays, however large it is, so that its caller can use it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._values)

    @property
    def size(self) -> int:
        """The sum of the sizes, in bytes."""
        return self._size

    def get(self, key: _Key) -> _Value | None:
        """The value, which counts as used now; None if it is not here."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: _Key, value: _Value, size: int) -> None:
        """Add the value, or replace the one with this key."""
        self.pop(key)
        self._values[key] = value, size
        self._size += size
        while self._size > self._limit and len(self._values) > 1:
            _, (_, evicted) = self._values.popitem(last=False)
            self._size -= evicted

    def pop(self, key: _Key) -> _Value | None:
        """Remove and return the value; None if it is not here."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        value, size = found
        self._size -= size
        return value
