"""Frames: consecutive encoded events (see ``event_encoding``), as the log and the tails store them.

They are the body of an ``Events`` message, so that the server sends them to subscribers without parsing or serialising.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from milepost.server.messages.event_encoding import tag, varint
from milepost.v1 import Event, Events, WatchJobResponse, WatchJobsResponse

_EVENT_TAG = tag(Events.EVENTS_FIELD_NUMBER)
_POSITION_TAG = tag(Events.POSITION_FIELD_NUMBER, 0)
_EVENTS_TAG = tag(WatchJobResponse.EVENTS_FIELD_NUMBER)
assert tag(WatchJobsResponse.EVENTS_FIELD_NUMBER) == _EVENTS_TAG


CHUNK_BYTES: Final = 28 * 1024
"""Bytes up to which a page joins commits into a chunk, and limit of a batch for subscribers (see ``batches``)."""


class Chunk(NamedTuple):
    """Frames of the events ``first`` to ``last``; in a thinned log some of these are absent."""

    first: int
    last: int
    frames: bytes

    def after(self, cursor: int) -> Chunk:
        """Return the part after the cursor, which lies within the chunk or just before it."""
        if cursor < self.first:
            return self
        for start, end in _frame_bounds(self.frames):
            if _parse_event(self.frames, start, end).sequence > cursor:
                return Chunk(cursor + 1, self.last, self.frames[start:])
        return Chunk(cursor + 1, self.last, b"")

    def first_events(self, count: int) -> Chunk:
        """Return its first ``count`` events, or all of it if it has fewer."""
        if self.last - self.first < count:
            return self
        for number, (start, end) in enumerate(_frame_bounds(self.frames), 1):
            if number == count:
                last = (
                    self.last if end == len(self.frames) else _parse_event(self.frames, start, end).sequence
                )
                return Chunk(self.first, last, self.frames[:end])
        return self

    def first_bytes(self, max_bytes: int) -> Chunk:
        """Return as many of its first events as fit into ``max_bytes``, and at least one."""
        if len(self.frames) <= max_bytes:
            return self
        bounds = (0, 0)
        for start, end in _frame_bounds(self.frames):
            if bounds[1] and end > max_bytes:
                break
            bounds = start, end
        if bounds[1] == len(self.frames):
            return self
        return Chunk(self.first, _parse_event(self.frames, *bounds).sequence, self.frames[: bounds[1]])


def joined_chunks(commits: Iterable[tuple[int, int, bytes]], max_bytes: int) -> list[Chunk]:
    """Join the frames of consecutive commits into chunks of up to ``CHUNK_BYTES``, until all have ``max_bytes``.

    So whoever sends a log that was written one event at a time handles chunks, and not events.
    """
    chunks: list[Chunk] = []
    parts: list[bytes] = []
    size = total = chunk_first = chunk_last = 0
    for first, last, frames in commits:
        length = len(frames)
        if parts and size + length > CHUNK_BYTES:
            chunks.append(Chunk(chunk_first, chunk_last, b"".join(parts)))
            parts, size = [], 0
        if not parts:
            chunk_first = first
        parts.append(frames)
        chunk_last = last
        size += length
        total += length
        if total >= max_bytes:
            break
    if parts:
        chunks.append(Chunk(chunk_first, chunk_last, b"".join(parts)))
    return chunks


def watch_response(frames: Sequence[bytes], position: int = 0) -> bytes:
    """Serialise a ``WatchJobResponse`` or ``WatchJobsResponse`` with these frames as ``events``; empty for none.

    ``position`` belongs to WatchJobs; WatchJob has 0.
    """
    size = sum(map(len, frames))
    if not size:
        return b""
    end = _POSITION_TAG + varint(position) if position else b""
    return b"".join((_EVENTS_TAG, varint(size + len(end)), *frames, end))


def filter_frames(frames: bytes, accepts: Callable[[Event], bool]) -> bytes:
    """Return the frames of the events that the predicate accepts."""
    return b"".join(
        frames[start:end] for start, end in _frame_bounds(frames) if accepts(_parse_event(frames, start, end))
    )


def without_superseded(frames: bytes, superseded: set[tuple[str, str]]) -> bytes:
    """Return the frames without superseded progress: of stages in ``superseded``, and before later progress here.

    Add the stages with progress here to ``superseded``, each as (job id, stage id), for the frames before these.
    """
    remaining: list[bytes] = []
    for start, end in reversed(list(_frame_bounds(frames))):
        event = _parse_event(frames, start, end)
        if event.HasField("stage_progressed"):
            stage = event.job_id, event.stage_progressed.stage_id
            if stage in superseded:
                continue
            superseded.add(stage)
        remaining.append(frames[start:end])
    return frames if sum(map(len, remaining)) == len(frames) else b"".join(reversed(remaining))


def latest_progress(frames: bytes) -> Event | None:
    """The newest of these events that is progress of a stage; None if there is none. Later ones only are parsed."""
    for bounds in reversed(list(_frame_bounds(frames))):
        event = _parse_event(frames, *bounds)
        if event.HasField("stage_progressed"):
            return event
    return None


def _frame_bounds(frames: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and end offsets of each frame."""
    start = 0
    while start < len(frames):
        at = start + len(_EVENT_TAG)
        length, at = _read_varint(frames, at)
        yield start, at + length
        start = at + length


def _parse_event(frames: bytes, start: int, end: int) -> Event:
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
