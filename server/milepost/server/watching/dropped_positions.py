"""Positions of dropped events: a cursor before one of them misses an event that matched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

# Bytes of the object and its dictionary, and of an entry with its numbers.
_OVERHEAD: Final = 400
_ENTRY_SIZE: Final = 150


class DroppedPositions:
    """The newest dropped position for each mask of payloads; ``newest`` is the newest of all."""

    def __init__(self) -> None:
        self.newest = 0
        self._by_payloads: dict[int, int] = {}

    @property
    def size(self) -> int:
        """The bytes, about, that it takes in memory."""
        return _OVERHEAD + len(self._by_payloads) * _ENTRY_SIZE

    def add(self, payloads: int, position: int) -> None:
        """Add the position of a dropped commit with these payloads."""
        if payloads and position:
            self._by_payloads[payloads] = max(position, self._by_payloads.get(payloads, 0))
            self.newest = max(self.newest, position)

    def update(self, found: Mapping[int, int]) -> None:
        """Add what ``EventLog.dropped`` has returned."""
        for payloads, position in found.items():
            self.add(payloads, position)

    def newest_of(self, payloads: int) -> int:
        """The newest position of a commit with any of these payloads; 0 if there is none."""
        return max((at for mask, at in self._by_payloads.items() if mask & payloads), default=0)


class KnownDrops(NamedTuple):
    """Dropped positions that match a filter, complete up to a position."""

    drops: DroppedPositions
    position: int
