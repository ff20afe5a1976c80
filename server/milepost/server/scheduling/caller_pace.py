"""A pace for the heavy calls of each caller: few at a time, with pauses, so that others are served beside them.

Calls that wait here hold nothing. Otherwise hundreds of lists of one caller would be under way at once: all of them
slow, and all of them in memory.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

PAUSE_LIMIT: Final = 0.05
"""Maximum seconds of a pause, however long the call before it took."""


class CallerPace:
    """Runs at most ``limit`` heavy calls of each caller at a time, in their order.

    After a call its place stays empty for as long as the call took. So a caller that repeats its calls without a pause
    is served half of the time, and one that calls now and then never waits. A call has its place for ``longest``
    seconds at most, so that one whose client does not read keeps no other calls of its caller waiting.
    """

    def __init__(self, limit: int, longest: float = math.inf) -> None:
        self._limit = limit
        self._longest = longest
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncGenerator[None]:
        """Wait for a place, and hold it during a heavy call of this caller."""
        places = self._places.get(caller)
        if places is None:
            places = self._places[caller] = asyncio.Semaphore(self._limit)
        await places.acquire()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        overdue = None if self._longest == math.inf else loop.call_later(self._longest, places.release)
        try:
            yield
        finally:
            took = loop.time() - begun
            if took < self._longest:
                if overdue is not None:
                    overdue.cancel()
                loop.call_later(min(took, PAUSE_LIMIT), places.release)
