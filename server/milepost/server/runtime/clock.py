"""Where the time comes from. Tests bring a clock of their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock for what is written down, and one for how long things take."""

    def now(self) -> int:
        """The time of day, in nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""


class SystemClock:
    """The machine's."""

    def now(self) -> int:
        """See ``Clock``."""
        return time.time_ns()

    def monotonic(self) -> float:
        """See ``Clock``."""
        return time.monotonic()
