"""Whether to try again, and how long to wait before that."""

from __future__ import annotations

import random
from typing import Final

from milepost.client._transport.fork_safety import grpc
from milepost.client.errors import LimitReached, MilepostError, ServiceError, StreamsBlocked, Unreachable

__all__ = ["Backoff", "is_passing"]

_FIRST: Final = 0.1
_MOST: Final = 10.0
# The bound where a server is there, takes streams, and yet brings nothing, time after time; and after how many times.
_FAR: Final = 60.0
_FRUITLESS: Final = 5
# How many of one client come back in a second at the most, about, where many were cut off at once.
_CROWD_PER_SECOND: Final = 1000


class Backoff:
    """Exponential backoff with full jitter: the wait is anything between 0 and a bound that doubles each time.

    Thousands that lost their connection at once thereby come back spread out.
    """

    def __init__(
        self, *, first: float = _FIRST, most: float = _MOST, source: random.Random | None = None
    ) -> None:
        """The first wait is up to `first` seconds, none is over `most`; `source` is for tests."""
        self._first = first
        self._most = most
        self._bound = first
        self._source = source or random.Random()
        self._fruitless = 0

    @property
    def fruitless(self) -> int:
        """How many waits there were since it last worked."""
        return self._fruitless

    def next(self, at_least: float = 0.0, *, opened: bool = False, crowd: int = 1) -> float:
        """How many seconds to wait this time.

        Args:
            at_least: What the server asked for; jitter comes on top.
            opened: Whether the server was there. After some times that it was, and brought nothing, waits grow beyond
                the usual bound: whatever is wrong then does not pass in seconds.
            crowd: How many are cut off together; the more there are, the longer the time that they are spread over.
        """
        self._fruitless += 1
        wait = at_least + self._source.uniform(0.0, max(self._bound, crowd / _CROWD_PER_SECOND))
        most = max(self._most, _FAR) if opened and self._fruitless >= _FRUITLESS else self._most
        self._bound = min(self._bound * 2, most)
        return wait

    def reset(self) -> None:
        """It works again: the next wait is a short one."""
        self._bound = self._first
        self._fruitless = 0


def is_passing(error: MilepostError, *, connected_before: bool) -> bool:
    """Whether a stream that ended with this is worth opening again.

    Args:
        error: How it ended.
        connected_before: Whether the server had accepted it before. A limit is then taken for the streams of the lost
            connection, which the server has yet to find dead.
    """
    if isinstance(error, LimitReached):
        return connected_before
    if isinstance(error, ServiceError):
        return error.code in _PASSING
    return isinstance(error, Unreachable) and not isinstance(error, StreamsBlocked)


# CANCELLED is what a server says that is being torn down, or that is flooded with new streams.
_PASSING: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
