"""Limits on open watches: in all, and per caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason


class WatchAdmission:
    """Counts the open watches."""

    def __init__(self, limit: int, limit_per_caller: int) -> None:
        self._limit = limit
        self._limit_per_caller = limit_per_caller
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """The number of open watches."""
        return self._open.total()

    def open_watches(self, caller: str) -> int:
        """The number of open watches of a caller."""
        return self._open[caller]

    @contextmanager
    def admit(self, caller: str, limit: int | None = None) -> Iterator[None]:
        """Count a watch of this caller, who may have a limit of its own, for as long as it is open.

        Raises LIMIT_REACHED.
        """
        if self._open.total() >= self._limit:
            raise _limit_reached("the server", "max-watches", self._limit)
        limit = self._limit_per_caller if limit is None else limit
        if self._open[caller] >= limit:
            raise _limit_reached("this caller", "max-watches-per-caller", limit)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


def _limit_reached(scope: str, option: str, limit: int) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"There are {limit:,} open watches of {scope} already. Close some, or raise --{option}.",
        metadata={"limit": option},
        retry_delay=5.0,
    )
