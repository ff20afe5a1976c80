"""Backoff of the SDK, and the errors that it retries."""

from __future__ import annotations

import random

import grpc
import pytest

from milepost.client._transport.backoff import Backoff, is_transient
from milepost.client.errors import (
    Draining,
    EpochChanged,
    JobNotFound,
    LimitReached,
    MilepostError,
    ProtocolError,
    ServiceError,
    StoreUnavailable,
    StreamsBlocked,
    Unauthenticated,
    Unreachable,
)


class Highest(random.Random):
    """A random source that returns the maximum."""

    def uniform(self, a: float, b: float) -> float:
        """The maximum."""
        return b


class Lowest(random.Random):
    """A random source that returns the minimum."""

    def uniform(self, a: float, b: float) -> float:
        """The minimum."""
        return a


def test_the_delay_doubles_up_to_its_maximum() -> None:
    """The maximum delay is 0.1 s at first, doubles each time, and is at most 10 s."""
    backoff = Backoff(source=Highest())
    assert pytest.approx([backoff.next_delay() for _ in range(9)]) == [
        0.1,
        0.2,
        0.4,
        0.8,
        1.6,
        3.2,
        6.4,
        10.0,
        10.0,
    ]


def test_jitter_is_full() -> None:
    """A delay is anywhere between 0 and the maximum, so that clients reconnect at different times."""
    assert [Backoff(source=Lowest()).next_delay() for _ in range(3)] == [0.0, 0.0, 0.0]
    backoff = Backoff(initial=1.0, maximum=1.0, source=random.Random(7))
    waits = [backoff.next_delay() for _ in range(1000)]
    assert 0.0 <= min(waits) < 0.05
    assert 0.95 < max(waits) <= 1.0


def test_reset_starts_over() -> None:
    """After a success the next delay is short."""
    backoff = Backoff(source=Highest())
    for _ in range(5):
        backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == 0.1


def test_the_delay_grows_while_connections_deliver_nothing() -> None:
    """Only if connections deliver nothing; a server that is away may be back at any moment."""
    away, useless = Backoff(source=Highest()), Backoff(source=Highest())
    waits = [(away.next_delay(), useless.next_delay(opened=True)) for _ in range(12)]
    assert waits[-1] == (10.0, 60.0)
    assert (away.fruitless, useless.fruitless) == (12, 12)
    useless.reset()
    assert (useless.fruitless, useless.next_delay(opened=True)) == (0, 0.1)


def test_many_clients_are_spread_further() -> None:
    """The streams of one client that were cut off at once reconnect at about a thousand per second."""
    assert Backoff(source=Highest()).next_delay(simultaneous=5000) == 5.0
    assert Backoff(source=Highest()).next_delay(simultaneous=50) == 0.1


def test_what_the_server_asks_for_comes_on_top() -> None:
    """Jitter is added to a delay that the server requests."""
    assert Backoff(source=Lowest()).next_delay(3.0) == 3.0
    assert Backoff(source=Highest()).next_delay(3.0) == pytest.approx(3.1)


@pytest.mark.parametrize(
    ("error", "first", "later"),
    [
        (Unreachable("somewhere"), True, True),
        (StreamsBlocked("somewhere"), False, False),
        (Draining(code=grpc.StatusCode.UNAVAILABLE), True, True),
        (StoreUnavailable(code=grpc.StatusCode.UNAVAILABLE), True, True),
        (ServiceError("flooded", code=grpc.StatusCode.CANCELLED), True, True),
        (LimitReached(code=grpc.StatusCode.RESOURCE_EXHAUSTED), False, True),
        (LimitReached(metadata={"limit": "max-watches"}), False, True),
        (LimitReached(metadata={"limit": "request-memory"}), True, True),
        (LimitReached(metadata={"limit": "response-memory"}), True, True),
        (JobNotFound(code=grpc.StatusCode.NOT_FOUND), False, False),
        (EpochChanged(code=grpc.StatusCode.FAILED_PRECONDITION), False, False),
        (Unauthenticated(code=grpc.StatusCode.UNAUTHENTICATED), False, False),
        (ServiceError("a defect", code=grpc.StatusCode.INTERNAL), False, False),
        (ProtocolError(), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MilepostError) else None,
)
def test_transient_errors_are_retried(error: MilepostError, first: bool, later: bool) -> None:
    """A stream reopens after transient errors; after a limit only if the server had accepted the stream before."""
    assert first == is_transient(error, connected_before=False)
    assert later == is_transient(error, connected_before=True)
