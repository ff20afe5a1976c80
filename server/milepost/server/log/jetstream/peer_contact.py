"""For how long a node has been in contact with most of the stream's servers, and by way of them with the other nodes.

What a node has not heard proves nothing while it may be cut off, and it cannot tell that from silence. So it asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from milepost.server.log.node_presence import ContactPeriod


class PeerContact:
    """Proved by answers: the server that answers is connected to most of the others, as of some moment before.

    It breaks where two such moments are more than ``patience`` seconds apart, and where the connection broke or an
    answer failed to come meanwhile, which ``breaks`` counts.
    """

    def __init__(
        self, patience: float, breaks: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._breaks = breaks
        self._clock = clock
        self._since = 0.0
        self._until = float("-inf")
        self._broken = 0

    def begin_question(self) -> tuple[float, int]:
        """What to give to ``answered`` once the question that is put now was answered."""
        return self._clock(), self._breaks()

    def on_answer(self, asked: tuple[float, int], age: float) -> None:
        """A question was answered: so many seconds before it, contact was there."""
        when, breaks = asked[0] - age, asked[1]
        if breaks != self._broken or when - self._until > self._patience:
            self._since = self._until = when
            self._broken = breaks
        self._until = max(self._until, when)

    def period(self) -> ContactPeriod | None:
        """See ``Others.contact``."""
        now = self._clock()
        if self._breaks() != self._broken or now - self._until > self._patience:
            return None
        return ContactPeriod(now - self._since, now - self._until)
