"""Events as bytes, in the form in which they stand inside a response: serialised once, when they are appended.

A frame is the field tag, the length and the message, exactly as an entry of ``Events.events``. Frames that follow one
another are therefore the body of an ``Events`` message as they are, and nothing is parsed or serialised on the way from
the log to a subscriber. The form is that of protobuf's wire (https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from milepost.v1 import Event, Events, WatchJobResponse

_LENGTH_DELIMITED = 2


def _tag(number: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_EVENT_TAG = _tag(Events.EVENTS_FIELD_NUMBER)
_EVENTS_TAG = _tag(WatchJobResponse.EVENTS_FIELD_NUMBER)


class Chunk(NamedTuple):
    """Frames that follow one another: those of the events ``first`` to ``last``."""

    first: int
    last: int
    frames: bytes

    def after(self, cursor: int) -> Chunk:
        """What of it comes after the cursor, which lies within it or just before it."""
        if cursor < self.first:
            return self
        return Chunk(cursor + 1, self.last, self.frames[_end(self.frames, cursor - self.first + 1) :])

    def head(self, count: int) -> Chunk:
        """Its first ``count`` events, or all of it where there are no more."""
        if self.last - self.first < count:
            return self
        return Chunk(self.first, self.first + count - 1, self.frames[: _end(self.frames, count)])


def frame(event: Event) -> bytes:
    """The frame of an event."""
    message = event.SerializeToString()
    return _EVENT_TAG + _varint(len(message)) + message


def watch_response(frames: Iterable[bytes]) -> bytes:
    """A serialised ``WatchJobResponse`` whose ``events`` are these frames."""
    body = b"".join(frames)
    return _EVENTS_TAG + _varint(len(body)) + body


def _end(frames: bytes, count: int) -> int:
    """Where the first ``count`` frames end."""
    at = 0
    for _ in range(count):
        at += len(_EVENT_TAG)
        length = shift = 0
        while True:
            byte = frames[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        at += length
    return at
