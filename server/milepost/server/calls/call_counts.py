"""The calls that have ended, by method and status, for metrics."""

from __future__ import annotations

from collections import Counter
from typing import Final

from milepost.server.access.methods import ACTIONS

OTHER: Final = "other"
"""In place of a method that is none of Milepost's: callers may name any."""


class CallCounts:
    """Counts the calls of every surface.

    Attributes:
        ended: By the method, such as ``JobService/GetJob``, and the name of the status.
    """

    def __init__(self) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()

    def count(self, path: str, code: str) -> None:
        """Count a call of the method with this path."""
        name = path.removeprefix("/milepost.v1.") if path in ACTIONS else OTHER
        self.ended[name, code] += 1
