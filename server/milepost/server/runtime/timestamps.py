"""Instants as whole nanoseconds since the epoch, which compare and add; and as the messages that bear them."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

SECOND = 10**9

# google.protobuf.Timestamp's own bound: the end of the year 9999.
_LAST = 253_402_300_800 * SECOND - 1


def timestamp(instant: int) -> Timestamp:
    """The instant as a message; the last that there is of those, for one after the year 9999."""
    instant = min(instant, _LAST)
    return Timestamp(seconds=instant // SECOND, nanos=instant % SECOND)


def instant(value: Timestamp) -> int:
    """The message as an instant."""
    return value.seconds * SECOND + value.nanos


def nanoseconds(value: Duration) -> int:
    """A duration in nanoseconds."""
    return value.seconds * SECOND + value.nanos


def duration(seconds: float) -> Duration:
    """Seconds as a message."""
    whole = round(seconds * SECOND)
    return Duration(seconds=whole // SECOND, nanos=whole % SECOND)
