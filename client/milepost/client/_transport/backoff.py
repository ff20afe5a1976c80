"""Exponential backoff, and which errors to retry."""

from __future__ import annotations

import random
from typing import Final

from milepost.client._transport.fork_safety import grpc
from milepost.client.errors import (
    LimitReached,
    MilepostError,
    ServiceError,
    StreamsBlocked,
    TokenUnavailable,
    Unreachable,
)

__all__ = ["Backoff", "is_transient", "is_unexplained"]

_INITIAL_BOUND: Final = 0.1
_MAX_BOUND: Final = 10.0
# A higher maximum for a server that accepts streams which deliver nothing, and the consecutive attempts before it.
_FRUITLESS_MAX_BOUND: Final = 60.0
_FRUITLESS_THRESHOLD: Final = 5
# Approximate maximum reconnects per second of one client that lost many streams at once.
_RECONNECTS_PER_SECOND: Final = 1000


class Backoff:
    """Exponential backoff with full jitter: a random delay between 0 and a bound that doubles each time.

    Clients that lose their connections at once therefore reconnect spread out.
    """

    def __init__(
        self,
        *,
        initial: float = _INITIAL_BOUND,
        maximum: float = _MAX_BOUND,
        source: random.Random | None = None,
    ) -> None:
        """Delays up to `initial` seconds at first, never more than `maximum`; tests pass the random `source`."""
        self._initial = initial
        self._maximum = maximum
        self._bound = initial
        self._source = source or random.Random()
        self._fruitless = 0

    @property
    def fruitless(self) -> int:
        """Delays since the last reset."""
        return self._fruitless

    def next_delay(self, at_least: float = 0.0, *, opened: bool = False, simultaneous: int = 1) -> float:
        """Seconds to wait before the next attempt.

        Args:
            at_least: Delay that the server requested; jitter comes on top.
            opened: Whether the server accepted the stream. If it repeatedly does and delivers nothing, delays grow
                beyond the usual maximum: such a fault does not pass in seconds.
            simultaneous: Streams that reconnect together; more of them spread over a longer time.
        """
        self._fruitless += 1
        delay = at_least + self._source.uniform(0.0, max(self._bound, simultaneous / _RECONNECTS_PER_SECOND))
        maximum = self._maximum
        if opened and self._fruitless >= _FRUITLESS_THRESHOLD:
            maximum = max(maximum, _FRUITLESS_MAX_BOUND)
        self._bound = min(self._bound * 2, maximum)
        return delay

    def reset(self) -> None:
        """Note a success: the next delay is short."""
        self._bound = self._initial
        self._fruitless = 0


def is_transient(error: MilepostError, *, connected_before: bool) -> bool:
    """Whether to open a stream again after this error.

    Args:
        error: How the stream ended.
        connected_before: Whether the server accepted an earlier stream. A reached limit is then transient: the server
            still counts the streams of the lost connection. A limit on memory always is.
    """
    if isinstance(error, LimitReached):
        return connected_before or error.metadata.get("limit") in _MEMORY_LIMITS
    if isinstance(error, ServiceError):
        return error.code in _TRANSIENT
    return isinstance(error, Unreachable | TokenUnavailable) and not isinstance(error, StreamsBlocked)


def is_unexplained(error: MilepostError) -> bool:
    """Whether this may be a stream that a proxy has reset, or a fault of the server: both come without a reason."""
    return isinstance(error, ServiceError) and not error.reason and error.code in _UNEXPLAINED


_MEMORY_LIMITS: Final = frozenset({"request-memory", "response-memory"})

# A server that shuts down, or gets too many new streams, answers CANCELLED.
_TRANSIENT: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})

# A proxy that resets a stream ends it so, and the server where it has a fault.
_UNEXPLAINED: Final = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})
