"""The time that a handler has to stop."""

from __future__ import annotations

import time

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._worker.grace_period import remaining_grace
from milepost.v1 import Cancellation

NOW = 1_800_000_000.0


def at(seconds: float) -> Timestamp:
    """An instant relative to now."""
    instant = Timestamp()
    instant.FromNanoseconds(int((NOW + seconds) * 1e9))
    return instant


@pytest.mark.parametrize(
    ("asked", "deadline", "left"),
    [
        (0, 30, 29),  # a second is reserved to report the end
        (0, 2, 1.5),  # or a quarter
        (0, 0, 0),
        (-20, 10, 9),  # the request arrived late
        (-40, -10, 29),  # or this clock is ahead
        (100, 130, 29),  # or behind
        (0, -1, 0),
    ],
)
def test_the_remaining_grace_period(
    monkeypatch: pytest.MonkeyPatch, asked: float, deadline: float, left: float
) -> None:
    """The grace period less the time to report the end; differing clocks do not matter."""
    monkeypatch.setattr(time, "time", lambda: NOW)
    cancellation = Cancellation(request_time=at(asked), deadline=at(deadline))

    assert pytest.approx(left) == remaining_grace(cancellation)
