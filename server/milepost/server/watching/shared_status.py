"""The status that watches of the same job or filter send at the same moment, mostly after the same event.

They share the response, so that whoever makes text of it for clients does that once.
"""

from __future__ import annotations

from typing import Final

from milepost.server.messages.timestamps import timestamp
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.v1 import Status, WatchJobResponse, WatchJobsResponse

MOMENT: Final = 10_000_000
"""Nanoseconds by which the time in a shared status may be late."""


class SharedStatus:
    """The newest status of watches that share a tail or a feed; `memory` counts it until it is evicted."""

    __slots__ = ("_memory", "_response", "_time", "_timeless")

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory
        # The status without a time.
        self._timeless = b""
        self._time = 0
        self._response = b""

    def encode(self, response: WatchJobResponse | WatchJobsResponse, status: Status, now: int) -> bytes:
        """The response with this status and the time ``now``, in nanoseconds; or the one of up to ``MOMENT`` before."""
        timeless = status.SerializeToString()
        if timeless != self._timeless or not 0 <= now - self._time <= MOMENT:
            status.server_time.CopyFrom(timestamp(now))
            response.status.CopyFrom(status)
            before = self._size
            self._timeless, self._time, self._response = timeless, now, response.SerializeToString()
            encoded = self._response
            self._memory.charge(self, self._size - before)  # which may evict it at once
            return encoded
        return self._response

    def evict(self) -> int:
        """See ``Evictable``."""
        size = self._size
        self._timeless = self._response = b""
        self._time = 0
        return size

    def free(self) -> None:
        """Evict the status: nobody watches any more, or whatever is old is evicted."""
        self._memory.free(self, self.evict())

    @property
    def _size(self) -> int:
        return len(self._timeless) + len(self._response)
