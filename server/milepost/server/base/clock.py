"""Source of time; tests replace it."""

from __future__ import annotations

import time
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
