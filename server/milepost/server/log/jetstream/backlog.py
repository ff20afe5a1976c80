"""Flow control: bound the bytes that a node has read of the stream and not yet delivered to listeners."""

from __future__ import annotations

import asyncio
from typing import Final

BACKLOG_BYTES: Final = 16 << 20
"""Bytes of messages that are read and not yet passed on to the listeners of the log."""

MESSAGE_COST: Final = 1 << 10
"""What a message takes besides its bytes: its record, its parts, and its place in queues."""


class Backlog:
    """Counts messages from when they are read to when they have reached the listeners. Used from one event loop."""

    def __init__(self, limit: int = BACKLOG_BYTES) -> None:
        self._limit = limit
        self._room = asyncio.Event()
        self._room.set()
        self.size = 0

    @property
    def is_full(self) -> bool:
        """Whether no further message may be read. The last one may have been larger than the room that was left."""
        return self.size >= self._limit

    def add(self, size: int) -> None:
        """Count a message of so many bytes."""
        self.size += size + MESSAGE_COST
        if self.is_full:
            self._room.clear()

    def remove(self, size: int) -> None:
        """Count it no longer."""
        self.size -= size + MESSAGE_COST
        if not self.is_full:
            self._room.set()

    async def wait_for_room(self) -> None:
        """Return once further messages may be read."""
        await self._room.wait()
