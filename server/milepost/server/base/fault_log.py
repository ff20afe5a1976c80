"""Log faults that come again and again, such as those of a failing disk, at a bounded rate."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

PERIOD: Final = 60.0
"""Seconds in which the same fault is logged once."""

LINES_LIMIT: Final = 10
"""Different faults that are logged in a period, at most."""


class FaultLog:
    """Logs one kind of fault as ``event``: at once when it is new, then once a period for as long as it lasts.

    ``note`` takes what tells it from others of its kind, such as the job's id or the text of the error. Faults without
    a line of their own are counted, and the next line says how many there were (``not_logged``). Used from any thread.
    """

    def __init__(
        self,
        log: Any,
        event: str,
        level: int = logging.WARNING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._level = level
        self._clock = clock
        self._lock = threading.Lock()
        self._period_end = 0.0
        self._logged: set[str] = set()
        self._not_logged = 0

    def note(self, fault: str, **fields: object) -> None:
        """Log a fault with these fields, unless it, or as many as are allowed, were logged in this period."""
        with self._lock:
            now = self._clock()
            if now >= self._period_end:
                self._period_end = now + PERIOD
                self._logged.clear()
            if fault in self._logged or len(self._logged) == LINES_LIMIT:
                self._not_logged += 1
                return
            self._logged.add(fault)
            not_logged, self._not_logged = self._not_logged, 0
        if not_logged:
            fields["not_logged"] = not_logged
        self._log.log(self._level, self._event, **fields)
