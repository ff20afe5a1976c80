"""Whether to try again, and how long to wait before that."""

from __future__ import annotations

import random
from typing import Final

import grpc

from milepost.client.errors import LimitReached, MilepostError, ServiceError, Unreachable

__all__ = ["Backoff", "is_passing"]

_FIRST: Final = 0.1
_MOST: Final = 10.0


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

    def next(self, at_least: float = 0.0) -> float:
        """How many seconds to wait this time; `at_least` is what the server asked for, and comes on top."""
        wait = at_least + self._source.uniform(0.0, self._bound)
        self._bound = min(self._bound * 2, self._most)
        return wait

    def reset(self) -> None:
        """It works again: the next wait is a short one."""
        self._bound = self._first


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
    return isinstance(error, Unreachable)


# CANCELLED is what a server says that is being torn down, or that is flooded with new streams.
_PASSING: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
