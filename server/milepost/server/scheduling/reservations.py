"""Reserve a key while a decision about it is made in slices; others wait, and go on in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque


class Reservations:
    """The keys that are reserved, and who waits for them. ``key in reservations`` says whether to ``wait``."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._reserved: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._waiting

    def reserve(self, key: str) -> None:
        """Reserve the key until ``release``: the caller has waited for it, and nobody else has reserved it."""
        self._waiting.setdefault(key, deque())
        self._reserved.add(key)

    def release(self, key: str) -> None:
        """Let those who wait for a reserved key go on."""
        self._reserved.remove(key)
        self._admit(key)

    def is_reserved(self, key: str) -> bool:
        """Whether the key is reserved. If not, there may be some who have waited for it, and go on one by one."""
        return key in self._reserved

    async def wait(self, key: str) -> None:
        """Return when the key is free. The caller then has it until its next await, or reserves it."""
        enqueue = self._waiting[key].append
        while True:
            admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            enqueue(admitted)
            await admitted
            if key not in self._reserved:
                return
            # By one that went on before, awaited something else, and came back first: keep the place after it.
            enqueue = self._waiting[key].appendleft

    def _admit(self, key: str) -> None:
        """Let the next one go on. After it come those behind it, unless it has reserved the key itself."""
        waiting = self._waiting.get(key)
        if waiting is None or key in self._reserved:
            return
        while waiting:
            admitted = waiting.popleft()
            if not admitted.done():  # done if the call was cancelled
                admitted.set_result(None)
                # Called after the one that was admitted has gone on.
                asyncio.get_running_loop().call_soon(self._admit, key)
                return
        del self._waiting[key]
