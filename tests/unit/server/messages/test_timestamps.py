"""Instants and their messages."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from milepost.server.messages.timestamps import SECOND, duration, instant, nanoseconds, timestamp

_YEAR_10000 = 253_402_300_800 * SECOND


@given(st.integers(0, _YEAR_10000 - 1))
def test_an_instant_is_the_same_after_a_journey(value: int) -> None:
    """Conversion to a message and back loses no nanosecond."""
    assert value == instant(timestamp(value))


@given(st.integers(_YEAR_10000, 2**80))
def test_after_the_year_9999_is_the_end_of_it(value: int) -> None:
    """The range of Timestamp and its JSON form ends there."""
    assert timestamp(value).ToJsonString() == "9999-12-31T23:59:59.999999999Z"


@given(st.integers(0, 10**9 - 1), st.integers(0, 315_576_000_000))
def test_a_duration_is_so_many_nanoseconds(nanos: int, seconds: int) -> None:
    """Its seconds and its nanoseconds add up."""
    assert nanoseconds(Duration(seconds=seconds, nanos=nanos)) == seconds * SECOND + nanos


def test_seconds_become_a_duration() -> None:
    """To the nanosecond."""
    assert duration(2.5) == Duration(seconds=2, nanos=500_000_000)
    assert duration(1e-9) == Duration(nanos=1)
    assert timestamp(SECOND + 1) == Timestamp(seconds=1, nanos=1)
