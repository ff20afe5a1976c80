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
    """The clock of the machine, with an offset to the time of day that all nodes go by.

    While there is an offset, time passes by the monotonic clock: if somebody sets the clock of the machine right, the
    offset would be wrong by as much until it is measured again.
    """

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._read = read
        # The time of day at a reading of the monotonic clock, both in nanoseconds; None without an offset.
        self._base: tuple[int, int] | None = None

    def machine(self) -> int:
        """The time of day of the machine, in nanoseconds since the epoch."""
        return self._read()

    @property
    def is_adjusted(self) -> bool:
        """Whether there is an offset."""
        return self._base is not None

    def adjust(self, offset: int) -> None:
        """Go by the machine's time of day and so many nanoseconds; with 0, by the machine's clock itself."""
        self._base = (self._read() + offset, time.monotonic_ns()) if offset else None

    def now(self) -> int:
        """See ``Clock``."""
        if self._base is None:
            return self._read()
        then, read_at = self._base
        return then + time.monotonic_ns() - read_at


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
