"""Logging of lost connections: when one is lost, then at growing intervals, and when it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from milepost.client._worker.elapsed_text import elapsed_text
from milepost.client.errors import MilepostError, Unreachable

__all__ = ["OutageLog"]

_logger = logging.getLogger("milepost.client")

# Seconds until the first reminder, doubled after each, and their maximum.
_REMINDER_INTERVAL: Final = 60.0
_REMINDER_INTERVAL_MAX: Final = 3600.0


class OutageLog:
    """Rate-limited log lines of a worker whose server is unreachable, however often it tries to connect."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is for tests."""
        self._address = address
        self._clock = clock
        self._since: float | None = None
        self._remind_at = 0.0
        self._interval = _REMINDER_INTERVAL
        self._connected_before = False

    def disconnected(self, error: MilepostError, *, level: int = logging.WARNING) -> None:
        """Log that a session was lost or could not be opened, and that a retry follows."""
        now = self._clock()
        if self._since is None:
            self._since, self._interval = now, _REMINDER_INTERVAL
            what = "lost the connection to" if self._connected_before else "cannot connect to"
            _logger.log(level, "%s the server at %s: %s; retrying", what, self._address, _why(error))
        elif now >= self._remind_at:
            text = "still no connection to the server at %s after %s: %s"
            _logger.log(level, text, self._address, elapsed_text(now - self._since), _why(error))
            self._interval = min(self._interval * 2, _REMINDER_INTERVAL_MAX)
        else:
            return
        self._remind_at = now + self._interval

    def connected(self, worker_id: str) -> None:
        """Log that a session is open."""
        again = " again" if self._connected_before else ""
        after = "" if self._since is None else f", after {elapsed_text(self._clock() - self._since)}"
        _logger.info("worker %s is connected to %s%s%s", worker_id, self._address, again, after)
        self._since, self._connected_before = None, True


def _why(error: MilepostError) -> str:
    why = error.why if isinstance(error, Unreachable) else ""
    return " ".join((why or str(error)).split()).rstrip(".")
