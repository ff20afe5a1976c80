"""The session of a process that runs tasks of another engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from milepost.client._attach import KeptSession
from milepost.client._transport.channel import LazyChannel

__all__ = ["CLOSE_TIMEOUT", "ProcessSession"]

CLOSE_TIMEOUT: Final = 1.0
"""Seconds for the server to end the session of a process that ends."""


class ProcessSession:
    """One `KeptSession` for each process and event loop: a process that was forked gets one of its own."""

    def __init__(self, channel: LazyChannel, worker_id: Callable[[], str], timeout: float) -> None:
        """Connect nothing yet.

        Args:
            channel: The connection to the server.
            worker_id: Names the process that calls it.
            timeout: Seconds until the server must have sent its welcome.
        """
        self._channel = channel
        self._worker_id = worker_id
        self._timeout = timeout
        self._kept: tuple[asyncio.AbstractEventLoop, KeptSession] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there was a block."""
        return self._kept is not None

    def get(self, capacity: int) -> KeptSession:
        """The session of the running loop; the first call sets its `capacity`."""
        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept[0] is not loop:
            session = KeptSession(self._channel, self._worker_id(), self._timeout, capacity)
            self._kept = loop, session
        return self._kept[1]

    async def close(self) -> None:
        """Close it gracefully; there are no blocks any more."""
        if self._kept is not None and self._kept[0] is asyncio.get_running_loop():
            await self._kept[1].close(CLOSE_TIMEOUT)
