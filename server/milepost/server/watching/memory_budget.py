"""One memory limit for all cached events, held by evicting from the least recently used cache."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

ENTRY_OVERHEAD: Final = 300
"""Bytes that an entry of a cache takes beside its events: tuples, numbers, the headers of objects, and its place."""

LABEL_OVERHEAD: Final = 200
"""Bytes that a label takes beside its characters: two texts and their place."""


class Evictable(Protocol):
    """A cache of what can be read from the log again."""

    def evict(self) -> int:
        """Evict the oldest part; return its size in bytes as it was charged, 0 for an empty cache."""


class MemoryBudget:
    """Counts the bytes in all caches; ``used`` is their sum."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sizes: OrderedDict[Evictable, int] = OrderedDict()
        self.used = 0

    def charge(self, cache: Evictable, size: int) -> None:
        """Count ``size`` more bytes of this cache, which becomes the most recently used; evict where over the limit."""
        self._sizes[cache] = self._sizes.get(cache, 0) + size
        self._sizes.move_to_end(cache)
        self.used += size
        while self.used > self._limit:
            oldest = next(iter(self._sizes))
            freed = oldest.evict()
            if freed:
                self.free(oldest, freed)
            else:
                self.remove(oldest)

    def free(self, cache: Evictable, size: int) -> None:
        """Count ``size`` bytes less of this cache, which does not count as used by that."""
        if cache in self._sizes:
            self.used -= size
            self._sizes[cache] -= size
            if self._sizes[cache] <= 0:
                self.remove(cache)

    def remove(self, cache: Evictable) -> None:
        """Count this cache no longer."""
        self.used -= self._sizes.pop(cache, 0)
