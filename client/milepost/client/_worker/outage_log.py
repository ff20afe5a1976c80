"""Logging of lost connections: once when one is lost, then rarely while it stays away, and when it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from milepost.client._worker.elapsed_text import lasted
from milepost.client.errors import MilepostError, Unreachable

__all__ = ["Outage"]

_log = logging.getLogger("milepost.client")

# Seconds before the first reminder; each interval is twice the one before.
_AGAIN: Final = 60.0
_AGAIN_MOST: Final = 3600.0


class Outage:
    """Rate-limits what a worker logs about an unreachable server, however often it tries to connect."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is for tests."""
        self._address = address
        self._clock = clock
        self._since: float | None = None
        self._say_at = 0.0
        self._again = _AGAIN
        self._connected_before = False

    def lost(self, error: MilepostError, *, level: int = logging.WARNING) -> None:
        """A session was lost or could not be opened, and another try follows."""
        now = self._clock()
        if self._since is None:
            self._since, self._again = now, _AGAIN
            what = "lost the connection to" if self._connected_before else "cannot connect to"
            _log.log(
                level, "%s the server at %s: %s; trying until it is there", what, self._address, _why(error)
            )
        elif now >= self._say_at:
            said = "still no connection to the server at %s after %s: %s"
            _log.log(level, said, self._address, lasted(now - self._since), _why(error))
            self._again = min(self._again * 2, _AGAIN_MOST)
        else:
            return
        self._say_at = now + self._again

    def over(self, worker_id: str) -> None:
        """A session is open."""
        again = " again" if self._connected_before else ""
        after = "" if self._since is None else f", after {lasted(self._clock() - self._since)}"
        _log.info("worker %s is connected to %s%s%s", worker_id, self._address, again, after)
        self._since, self._connected_before = None, True


def _why(error: MilepostError) -> str:
    why = error.why if isinstance(error, Unreachable) else ""
    return " ".join((why or str(error)).split()).rstrip(".")
