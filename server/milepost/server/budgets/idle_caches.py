"""Evict what caches have not used for a while: each has a bound in time besides its bound in bytes.

A cache notes no times. It is asked at intervals to evict what it has not used since it was asked before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from milepost.server.base.clock import Clock
from milepost.server.base.repeating import repeat
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps

IDLE_TIME: Final = 600.0
"""Seconds without use after which a cache has evicted something, at the latest."""

CHECK_INTERVAL: Final = 5.0
"""Seconds between two checks for caches that are due."""


class _Idle:
    """A cache, how often it is asked, and when next, in monotonic seconds."""

    def __init__(self, evict: Callable[[], Steps[None]], interval: float, due: float) -> None:
        self.evict = evict
        self.interval = interval
        self.due = due


class IdleCaches:
    """The caches of a server. ``clock`` measures the time; ``slices`` evicts, since there may be much."""

    def __init__(self, clock: Clock, slices: Slices) -> None:
        self._clock = clock
        self._slices = slices
        self._caches: list[_Idle] = []

    def add(self, evict_idle: Callable[[], Steps[None]], idle_time: float = IDLE_TIME) -> None:
        """Bound a cache in time. ``evict_idle`` evicts what was not used since it was called before.

        It is called twice within ``idle_time`` seconds, so what nobody used for so long is gone then.
        """
        interval = idle_time / 2 - CHECK_INTERVAL
        self._caches.append(_Idle(evict_idle, interval, self._clock.monotonic() + interval))

    async def run(self) -> None:
        """Check the caches until cancelled."""
        await repeat(self.check, CHECK_INTERVAL)

    async def check(self) -> None:
        """Have the caches that are due evict what is idle."""
        for cache in self._caches:
            now = self._clock.monotonic()
            if now >= cache.due:
                cache.due = now + cache.interval
                await self._slices.run(cache.evict(), SERVER)

    async def evict(self) -> None:
        """Have all caches evict what they have not used since they were asked before."""
        for cache in self._caches:
            await self._slices.run(cache.evict(), SERVER)
