"""Limit the memory of jobs that wait: their places in the queues, and their timers."""

from __future__ import annotations

from collections.abc import Callable

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

# Suggested delay in seconds before a refused submission is repeated: a guess, since jobs end when they end.
_RETRY_DELAY = 5.0


class QueueMemory:
    """The memory of jobs that have not ended: ``parts`` return its parts, in bytes, and ``limit`` bounds their sum."""

    def __init__(self, limit: int, *parts: Callable[[], int]) -> None:
        self._limit = limit
        self._parts = parts

    def admit(self) -> None:
        """Admit one more job. Raises LIMIT_REACHED."""
        if sum(part() for part in self._parts) >= self._limit:
            raise Refusal(
                ErrorReason.ERROR_REASON_LIMIT_REACHED,
                f"The jobs that have not ended take {self._limit >> 20:,} MiB of memory already. "
                "Submit more when some of them have ended, or raise --queue-memory.",
                metadata={"limit": "queue-memory"},
                retry_delay=_RETRY_DELAY,
            )
