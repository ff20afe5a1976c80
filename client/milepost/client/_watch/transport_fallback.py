"""What gets through to the server. Knows nothing of transport; the time is passed in."""

from __future__ import annotations

import enum
from typing import Final

__all__ = ["TransportFallback", "TransportMode"]

# So many times in a row no stream may get through while a call is answered, until that is taken for a rule.
_BLOCKED: Final = 3
# The first failures say nothing; from this one on a call is tried beside.
_DOUBTFUL: Final = 2
# Seconds after which lasting streams are tried again.
_STREAMS_AGAIN: Final = 300.0


class TransportMode(enum.Enum):
    """How the server is asked what happens."""

    STREAM = "stream"
    """A stream that lasts, as it should be."""
    REPLAY = "replay"
    """Streams that end at the head, one after the other: what holds a response back until it is whole lets them by."""
    CALL = "call"
    """Calls without streams, which only tell how things stand."""


class TransportFallback:
    """Finds the best way that is open.

    Between client and server there may be something that knows nothing of streams: it cuts them off, or holds back all
    of a response until its end. A server that is merely down is told apart by calls, which then fail just the same.

    Attributes:
        way: The way to take.
        doubts: How many times in a row a call was answered when a stream had not got through.
    """

    def __init__(self) -> None:
        self.way = TransportMode.STREAM
        self.doubts = 0
        self._failures = 0
        self._since = 0.0

    def opened(self) -> None:
        """A stream got through."""
        self._failures = 0
        if self.way is TransportMode.STREAM:
            self.doubts = 0

    def failed(self, *, last: bool = False) -> bool:
        """No frame of a stream got through; whether to try a call now. `last`: it would be the last try."""
        self._failures += 1
        return last or self._failures >= _DOUBTFUL

    def called(self, *, answered: bool, now: float, last: bool = False) -> bool:
        """A call was tried beside a stream that had not got through; whether that changes the way."""
        if not answered:
            self.way, self.doubts = TransportMode.STREAM, 0
            return False
        self.doubts += 1
        if self.way is TransportMode.STREAM and (last or self.doubts >= _BLOCKED):
            self.way, self._since = TransportMode.REPLAY, now
        elif self.way is TransportMode.REPLAY:
            self.way, self._since = TransportMode.CALL, now
        else:
            return False
        self._failures = 0
        return True

    def unanswered(self) -> None:
        """A call was not answered either: from now on all is as it was at first."""
        self.way, self.doubts, self._failures = TransportMode.STREAM, 0, 0

    def look_again(self, now: float) -> None:
        """Once in a while, whether lasting streams get through by now; if not, the first failure is enough."""
        if self.way is not TransportMode.STREAM and now - self._since >= _STREAMS_AGAIN:
            self.way, self.doubts, self._failures = TransportMode.STREAM, _BLOCKED - 1, _DOUBTFUL - 1
