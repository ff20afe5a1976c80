"""Convert between protobuf times and integers: nanoseconds since the Unix epoch, or of a duration."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

SECOND = 10**9

LATEST = 253_402_300_800 * SECOND - 1
"""Limit of google.protobuf.Timestamp: the end of the year 9999."""


def timestamp(instant: int) -> Timestamp:
    """The instant as a message; times after the year 9999 become its end."""
    instant = min(instant, LATEST)
    return Timestamp(seconds=instant // SECOND, nanos=instant % SECOND)


def instant(value: Timestamp) -> int:
    """The message as nanoseconds since the Unix epoch."""
    return value.seconds * SECOND + value.nanos


def nanoseconds(value: Duration) -> int:
    """The message in nanoseconds."""
    return value.seconds * SECOND + value.nanos


def duration(seconds: float) -> Duration:
    """Seconds as a message."""
    whole = round(seconds * SECOND)
    return Duration(seconds=whole // SECOND, nanos=whole % SECOND)
