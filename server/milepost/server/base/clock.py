"""Source of time; tests replace it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time for timestamps, monotonic time for durations."""

    def now(self) -> int:
        """The time of day, in nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Monotonic time in seconds."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> int:
        """See ``Clock``."""
        return time.time_ns()

    def monotonic(self) -> float:
        """See ``Clock``."""
        return time.monotonic()


class AdjustedClock(SystemClock):
    """The clock of the machine, with an offset to the time of day that all nodes go by."""

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._read = read
        self._offset = 0

    @property
    def offset(self) -> int:
        """Nanoseconds by which the machine's clock is behind."""
        return self._offset

    def adjust(self, offset: int) -> None:
        """Add so many nanoseconds to the machine's time of day from now on."""
        self._offset = offset

    def now(self) -> int:
        """See ``Clock``."""
        return self._read() + self._offset


class CautiousClock:
    """The time of day, for what cannot be undone: never ahead of the ``clock``, and never set forward.

    Where the ``clock`` is set forward, this one catches up no faster than time passes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now = clock.now()
        self._read_at = clock.monotonic()

    def now(self) -> int:
        """In nanoseconds since the epoch."""
        read_at = self._clock.monotonic()
        passed = round((read_at - self._read_at) * 1e9)
        self._now = min(self._now + 2 * passed, self._clock.now())
        self._read_at = read_at
        return self._now
