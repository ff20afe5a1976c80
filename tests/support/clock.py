"""A clock that a test advances by hand."""

from __future__ import annotations

from typing import Final

import grpc_testing

__all__ = ["START", "FakeClock"]

START: Final = 1_000.0
"""The time at which it starts, in seconds."""


class FakeClock:
    """A ``Clock`` on gRPC's own fake time."""

    def __init__(self) -> None:
        self._time = grpc_testing.strict_fake_time(START)

    def now(self) -> int:
        """See ``Clock``."""
        return round(self.monotonic() * 1e9)

    def monotonic(self) -> float:
        """See ``Clock``."""
        return float(self._time.time())

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._time.sleep_for(seconds)
