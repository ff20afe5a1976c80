"""Reserve a key while a decision about it is made in slices; others wait, and go on in the order in which they came."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator


class Reservations:
    """The keys that are reserved, and who waits for them. ``key in reservations`` says whether to ``wait``."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._held: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._waiting

    @contextlib.contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Reserve the key, at once: the caller has waited for it, and nobody else holds it."""
        self._waiting.setdefault(key, deque())
        self._held.add(key)
        try:
            yield
        finally:
            self._held.discard(key)
            self._admit(key)

    async def wait(self, key: str) -> None:
        """Return when the key is free. The caller then has it until its next await, or holds it."""
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(admitted)
        await admitted

    def _admit(self, key: str) -> None:
        """Let the next one go on. After it come those behind it, unless it holds the key itself."""
        if key in self._held:
            return
        waiting = self._waiting[key]
        while waiting:
            admitted = waiting.popleft()
            if not admitted.done():  # done if the call was cancelled
                admitted.set_result(None)
                # Called after the one that was admitted has gone on.
                asyncio.get_running_loop().call_soon(self._admit, key)
                return
        del self._waiting[key]
