"""Encode events as frames: serialised once, ready to be concatenated into a response.

A frame is an entry of ``Events.events`` in protobuf's wire format: field tag, length and message
(https://protobuf.dev/programming-guides/encoding/).

Progress and log lines, which are most of a log, are encoded field by field without an ``Event`` message, and the fields
that all events of a report share (job, time, attempt) are encoded once. The result is byte for byte that of protobuf's
own serialiser.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.server.messages.timestamps import LATEST, SECOND
from milepost.v1 import Event, Events, LogWritten, StageProgressed

__all__ = ["MESSAGE_BYTES_LIMIT", "EventEncoder", "event_frame", "frame", "tag", "varint"]

_VARINT, _FIXED64, _DELIMITED = 0, 1, 2


def _encode(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# Varints of one or two bytes are precomputed: nearly all lengths, and most sequences, are below this.
_PRECOMPUTED_LIMIT: Final = 1 << 14
_VARINTS: Final = [_encode(value) for value in range(_PRECOMPUTED_LIMIT)]


def varint(value: int) -> bytes:
    """Encode a number of 0 or more in base 128."""
    return _VARINTS[value] if value < _PRECOMPUTED_LIMIT else _long_varint(value)


def _long_varint(value: int) -> bytes:
    return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80)) + varint(value >> 14)


def tag(number: int, wire_type: int = _DELIMITED) -> bytes:
    """The tag that precedes the value of a field."""
    return varint(number << 3 | wire_type)


_FRAME: Final = tag(Events.EVENTS_FIELD_NUMBER)
_SEQUENCE: Final = tag(Event.SEQUENCE_FIELD_NUMBER, _VARINT)
_TIME: Final = tag(Event.TIME_FIELD_NUMBER)
_STAGE_PROGRESSED: Final = tag(Event.STAGE_PROGRESSED_FIELD_NUMBER)
_LOG_WRITTEN: Final = tag(Event.LOG_WRITTEN_FIELD_NUMBER)
MESSAGE: Final = tag(StageProgressed.MESSAGE_FIELD_NUMBER)
CURRENT: Final = tag(StageProgressed.CURRENT_FIELD_NUMBER, _FIXED64)
TOTAL: Final = tag(StageProgressed.TOTAL_FIELD_NUMBER, _FIXED64)
"""Tags of fields of StageProgressed."""

_FRACTION: Final = tag(StageProgressed.FRACTION_FIELD_NUMBER, _FIXED64)
_JOB_FRACTION: Final = tag(StageProgressed.JOB_FRACTION_FIELD_NUMBER, _FIXED64)

MESSAGE_BYTES_LIMIT: Final = 1 << 10
"""Maximum size in bytes of the message in ``EventEncoder.stage_progressed``, as a field."""

# Two fields of type double: tag and value, twice.
_two_doubles = struct.Struct("<cdcd").pack
_DOUBLES_SIZE: Final = 2 * 9


def event_frame(event: Event) -> bytes:
    """The frame of an event."""
    return frame(event.SerializeToString())


def frame(event: bytes) -> bytes:
    """The frame of an encoded event."""
    return _FRAME + varint(len(event)) + event


class EventEncoder:
    """Encode events of one attempt at a job that have the same time, an instant in nanoseconds."""

    __slots__ = (
        "_attempt_logged",
        "_attempt_progressed",
        "_head",
        "_logged",
        "_progressed",
        "_size",
        "_timestamp",
    )

    def __init__(self, job_id: str, now: int, attempt: int) -> None:
        self._head = Event(job_id=job_id).SerializeToString() + _SEQUENCE
        self._timestamp = Timestamp()
        tail = Event(attempt=attempt).SerializeToString()
        self._attempt_progressed, self._attempt_logged = tail + _STAGE_PROGRESSED, tail + _LOG_WRITTEN
        self.set_time(now)

    def set_time(self, now: int) -> None:
        """Give the events from here on another time. It takes a third of what a new encoder does."""
        self._timestamp.seconds, self._timestamp.nanos = divmod(min(now, LATEST), SECOND)
        time = self._timestamp.SerializeToString()
        head = _TIME + varint(len(time)) + time
        self._progressed, self._logged = head + self._attempt_progressed, head + self._attempt_logged
        self._size = len(self._head) + len(self._logged)

    def log_written(self, sequence: int, line: LogWritten) -> bytes:
        """The frame of a log line."""
        payload, number = line.SerializeToString(), varint(sequence)
        length = varint(len(payload))
        size = self._size + len(number) + len(length) + len(payload)
        return b"".join((_FRAME, varint(size), self._head, number, self._logged, length, payload))

    def stage_progressed(self, first: int, progresses: Iterable[tuple[bytes, float, float]]) -> list[bytes]:
        """The frames of progress, from event ``first`` on.

        Each has its fields encoded but for the fraction and the job's, which come beside them; they are not 0, which
        protobuf would not write. Messages have at most ``MESSAGE_BYTES_LIMIT``, so that all lengths are in the table.
        """
        head, progressed, own_size = self._head, self._progressed, self._size
        frames: list[bytes] = []
        for sequence, (progress, fraction, job_fraction) in enumerate(progresses, first):
            # ``varint`` inlined: calls for the three numbers would take a fifth of the time.
            number = _VARINTS[sequence] if sequence < _PRECOMPUTED_LIMIT else _long_varint(sequence)
            size = len(progress) + _DOUBLES_SIZE
            length = _VARINTS[size]
            frames.append(
                b"".join(
                    (
                        _FRAME,
                        _VARINTS[own_size + len(number) + len(length) + size],
                        head,
                        number,
                        progressed,
                        length,
                        progress,
                        _two_doubles(_FRACTION, fraction, _JOB_FRACTION, job_fraction),
                    )
                )
            )
        return frames
