"""A cache that is bounded in bytes, and in time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator
from typing import Final, Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

# Values that ``evict_idle`` evicts between two yields. A large one counts as several, for each so many bytes.
_EVICTED_PER_STEP: Final = 50
_LARGE_VALUE: Final = 4 << 10


class SizedCache(Generic[_Key, _Value]):
    """Values with their sizes. The least recently used ones go when the sum of the sizes exceeds ``limit`` bytes.

    The value that was put in last stays, however large it is, so that its caller can use it.

    Whoever calls ``evict_idle`` at intervals bounds it in time, too. For that it needs to note no times: what is used
    moves from ``_older`` to ``_recent``, and what nobody has moved until the next call goes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Both in the order of the last use.
        self._older: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()
        self._recent: OrderedDict[_Key, tuple[_Value, int]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._older) + len(self._recent)

    @property
    def size(self) -> int:
        """The sum of the sizes, in bytes."""
        return self._size

    def get(self, key: _Key) -> _Value | None:
        """The value, which counts as used now; None if it is not here."""
        found = self._recent.get(key)
        if found is not None:
            self._recent.move_to_end(key)
            return found[0]
        found = self._older.pop(key, None)
        if found is None:
            return None
        self._recent[key] = found
        return found[0]

    def put(self, key: _Key, value: _Value, size: int) -> None:
        """Add the value, or replace the one with this key."""
        self.pop(key)
        self._recent[key] = value, size
        self._size += size
        while self._size > self._limit and len(self) > 1:
            self._evict_oldest(self._older or self._recent)

    def pop(self, key: _Key) -> _Value | None:
        """Remove and return the value; None if it is not here."""
        found = self._recent.pop(key, None) or self._older.pop(key, None)
        if found is None:
            return None
        value, size = found
        self._size -= size
        return value

    def clear(self) -> None:
        """Remove all values."""
        self._older, self._recent = OrderedDict(), OrderedDict()
        self._size = 0

    def evict_idle(self) -> Generator[None]:
        """Evict the values that were not used since the call before, some of them between two yields."""
        evicted = 0
        while self._older:
            evicted += 1 + self._evict_oldest(self._older) // _LARGE_VALUE
            if evicted >= _EVICTED_PER_STEP:
                evicted = 0
                yield
        # A dict keeps the room for all that it ever had, so that this one goes as well.
        self._older, self._recent = self._recent, OrderedDict()

    def _evict_oldest(self, values: OrderedDict[_Key, tuple[_Value, int]]) -> int:
        _, (_, size) = values.popitem(last=False)
        self._size -= size
        return size
