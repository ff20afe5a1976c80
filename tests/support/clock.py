"""A clock that stands still until a test moves it."""

from __future__ import annotations

from typing import Final

import grpc_testing

__all__ = ["START", "FakeClock"]

START: Final = 1_000.0
"""Where it begins, in seconds."""


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
        """Lets time pass."""
        self._time.sleep_for(seconds)
