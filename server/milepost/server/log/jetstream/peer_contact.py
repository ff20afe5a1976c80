"""Contact of a node with a majority of the stream's servers, and through them with the other nodes.

While a node may be cut off, a silent worker proves nothing, and silence alone does not show that it is cut off. So the
node asks the stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from milepost.server.log.node_presence import ContactPeriod


class PeerContact:
    """Tracks the period of contact. Each answer proves contact with a majority at some moment before it.

    The period ends if two such moments are more than ``timeout`` seconds apart, or if the connection broke or an answer
    failed to come in between, which ``breaks`` counts.
    """

    def __init__(
        self, timeout: float, breaks: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout = timeout
        self._breaks = breaks
        self._clock = clock
        self._since = 0.0
        self._until = float("-inf")
        self._broken = 0

    def begin_question(self) -> tuple[float, int]:
        """Return the argument of ``on_answer`` for a question that goes out now."""
        return self._clock(), self._breaks()

    def on_answer(self, asked: tuple[float, int], age: float) -> None:
        """Record an answer that proves contact ``age`` seconds before its question."""
        when, breaks = asked[0] - age, asked[1]
        if breaks != self._broken or when - self._until > self._timeout:
            self._since = self._until = when
            self._broken = breaks
        self._until = max(self._until, when)

    def period(self) -> ContactPeriod | None:
        """See ``Peers.contact``."""
        now = self._clock()
        if self._breaks() != self._broken or now - self._until > self._timeout:
            return None
        return ContactPeriod(now - self._since, now - self._until)
