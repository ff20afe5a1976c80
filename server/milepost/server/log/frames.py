"""Frames of events that follow one another (see ``event_encoding``), as the log and the tails keep them.

They are the body of an ``Events`` message as they are, so nothing is parsed or serialised on the way from the log to a
subscriber.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from milepost.server.event_encoding import tag, varint
from milepost.v1 import Event, Events, WatchJobResponse, WatchJobsResponse

_EVENT_TAG = tag(Events.EVENTS_FIELD_NUMBER)
_POSITION_TAG = tag(Events.POSITION_FIELD_NUMBER, 0)
_EVENTS_TAG = tag(WatchJobResponse.EVENTS_FIELD_NUMBER)
assert tag(WatchJobsResponse.EVENTS_FIELD_NUMBER) == _EVENTS_TAG


class Chunk(NamedTuple):
    """Frames that follow one another: those of the events ``first`` to ``last``. Of a thinned log some are left out."""

    first: int
    last: int
    frames: bytes

    def after(self, cursor: int) -> Chunk:
        """What of it comes after the cursor, which lies within it or just before it."""
        if cursor < self.first:
            return self
        for start, end in _bounds(self.frames):
            if _event(self.frames, start, end).sequence > cursor:
                return Chunk(cursor + 1, self.last, self.frames[start:])
        return Chunk(cursor + 1, self.last, b"")

    def first_events(self, count: int) -> Chunk:
        """Its first ``count`` events, or all of it where there are no more."""
        if self.last - self.first < count:
            return self
        for number, (start, end) in enumerate(_bounds(self.frames), 1):
            if number == count:
                last = self.last if end == len(self.frames) else _event(self.frames, start, end).sequence
                return Chunk(self.first, last, self.frames[:end])
        return self

    def first_bytes(self, max_bytes: int) -> Chunk:
        """Its first events that come to no more than so many bytes, but one at the least."""
        if len(self.frames) <= max_bytes:
            return self
        kept = (0, 0)
        for start, end in _bounds(self.frames):
            if kept[1] and end > max_bytes:
                break
            kept = start, end
        if kept[1] == len(self.frames):
            return self
        return Chunk(self.first, _event(self.frames, *kept).sequence, self.frames[: kept[1]])


def watch_response(frames: Sequence[bytes], position: int = 0) -> bytes:
    """A serialised ``WatchJobResponse`` or ``WatchJobsResponse`` whose ``events`` are these frames; empty for none.

    ``position`` is that of WatchJobs; 0 in WatchJob.
    """
    size = sum(map(len, frames))
    if not size:
        return b""
    end = _POSITION_TAG + varint(position) if position else b""
    return b"".join((_EVENTS_TAG, varint(size + len(end)), *frames, end))


def filter_frames(frames: bytes, choose: Callable[[Event], bool]) -> bytes:
    """The frames of those events that are chosen."""
    return b"".join(frames[start:end] for start, end in _bounds(frames) if choose(_event(frames, start, end)))


def without_superseded(frames: bytes, overtaken: set[tuple[str, str]]) -> bytes:
    """The frames but for progress of stages in ``overtaken``, or that a later one among the frames overtook.

    Adds the stages that it found progress of, each by its job and its id, for the frames that come before these.
    """
    kept: list[bytes] = []
    for start, end in reversed(list(_bounds(frames))):
        event = _event(frames, start, end)
        if event.HasField("stage_progressed"):
            stage = event.job_id, event.stage_progressed.stage_id
            if stage in overtaken:
                continue
            overtaken.add(stage)
        kept.append(frames[start:end])
    return frames if sum(map(len, kept)) == len(frames) else b"".join(reversed(kept))


def _bounds(frames: bytes) -> Iterator[tuple[int, int]]:
    """Where each frame starts and ends."""
    start = 0
    while start < len(frames):
        at = start + len(_EVENT_TAG)
        length, at = _read_varint(frames, at)
        yield start, at + length
        start = at + length


def _event(frames: bytes, start: int, end: int) -> Event:
    _, at = _read_varint(frames, start + len(_EVENT_TAG))
    return Event.FromString(frames[at:end])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
