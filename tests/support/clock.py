"""A clock that a test advances by hand."""

from __future__ import annotations

from typing import Final

import grpc_testing

from milepost.server.base.clock import SystemClock

__all__ = ["START", "FakeClock", "SettableClock"]

START: Final = 100_000.0
"""The time at which it starts, in seconds."""


class FakeClock:
    """A ``Clock`` on gRPC's own fake time."""

    def __init__(self) -> None:
        self._time = grpc_testing.strict_fake_time(START)
        self._set_by = 0.0

    def now(self) -> int:
        """See ``Clock``."""
        return round((self.monotonic() + self._set_by) * 1e9)

    def monotonic(self) -> float:
        """See ``Clock``."""
        return float(self._time.time())

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._time.sleep_for(seconds)

    def jump(self, seconds: float) -> None:
        """Set the time of day forward, or back; no time passes by it."""
        self._set_by += seconds


class SettableClock(SystemClock):
    """The clock of the machine, whose time of day a test sets forward; the time that passes stays the machine's."""

    def __init__(self) -> None:
        self._set_by = 0

    def now(self) -> int:
        """See ``Clock``."""
        return super().now() + self._set_by

    def jump(self, seconds: int) -> None:
        """Set the time of day forward."""
        self._set_by += seconds * 10**9
