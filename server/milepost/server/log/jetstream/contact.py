"""For how long a node has been in contact with the stream, and by way of it with the other nodes, without a break."""

from __future__ import annotations

import time
from collections.abc import Callable


class Contact:
    """Knows it from answers: whoever was answered was in contact when it asked.

    Contact breaks where no question of the last ``patience`` seconds was answered, and where a connection broke or an
    answer failed to come, which ``breaks`` counts.
    """

    def __init__(
        self, patience: float, breaks: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._breaks = breaks
        self._clock = clock
        self._since = 0.0
        self._last = float("-inf")
        self._broken = 0

    def asks(self) -> tuple[float, int]:
        """What to give to ``answered`` once the question that is put now was answered."""
        return self._clock(), self._breaks()

    def answered(self, asked: tuple[float, int]) -> None:
        """A question was answered."""
        when, breaks = asked
        if breaks != self._broken or when - self._last > self._patience:
            self._since = when
        self._last, self._broken = when, breaks

    def lasts(self) -> float:
        """Seconds since contact began; 0 where there is none."""
        now = self._clock()
        if self._breaks() != self._broken or now - self._last > self._patience:
            return 0.0
        return now - self._since
