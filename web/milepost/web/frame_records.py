"""The records of a frame: one for each event, and one for each frame of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.message import Message

from milepost.v1 import Events, WatchJobResponse, WatchJobsResponse
from milepost.web.event_printing import EventPrinter
from milepost.web.framing import Framing
from milepost.web.job_records import UNKNOWN_EVENT, job_records
from milepost.web.proto_json import to_json
from milepost.web.shared_texts import SharedTexts
from milepost.web.stream_response import NOWAIT_SIZE_LIMIT, chunk

Frame: TypeAlias = WatchJobResponse | WatchJobsResponse

CACHE_BYTES: Final = 16 << 20
"""Bytes of encoded frames, with their text, that subscribers share at most."""

_CHUNK: Final = 32 << 10
"""Bytes of text, about, that are sent at a time."""

# The tags of these frames, of one job as of many.
_EVENTS_TAG: Final = b"\x1a"
_STATUS_TAG: Final = b"\x2a"

_SHARED_STATUS: Final = 2 << 10
"""Bytes of a status up to which subscribers share its text; the estimates of many jobs are sent in pieces."""


class Record(NamedTuple):
    """A frame other than events."""

    name: str
    cursor: int | None
    """Where to resume after it; None where the cursor before it stays."""
    message: Message


def is_shared(frame: bytes) -> bool:
    """Whether subscribers share the text of this serialised frame: one of events, or a small status."""
    return frame.startswith(_EVENTS_TAG) or (frame.startswith(_STATUS_TAG) and len(frame) <= _SHARED_STATUS)


def record_of(frame: Frame, *, of_snapshot: bool) -> Record | None:
    """The record of a frame that is not one of events; None for a frame of an unknown kind.

    ``of_snapshot``: the stream starts with a snapshot. Whoever resumes before that has come needs it, so ``opened`` has
    no id to resume after then.
    """
    match frame.WhichOneof("frame"):
        case "opened":
            return Record("opened", None if of_snapshot else frame.opened.cursor, frame.opened)
        case "snapshot" if isinstance(frame, WatchJobResponse):
            return Record("snapshot", frame.snapshot.job.last_sequence, frame.snapshot)
        case "snapshot":
            return Record("snapshot", frame.snapshot.position or None, frame.snapshot)
        case "caught_up":
            return Record("caught_up", frame.caught_up.sequence, frame.caught_up)
        case "status":
            return Record("status", frame.status.cursor, frame.status)
        case "deleted" if isinstance(frame, WatchJobsResponse):
            return Record("deleted", frame.deleted.position, frame.deleted)
        case "trimmed" if isinstance(frame, WatchJobsResponse):
            return Record("trimmed", frame.trimmed.position, frame.trimmed)
    return None


class FrameEncoder:
    """Encodes frames that are shared. Subscribers that get the same events share their text, by way of the cache."""

    def __init__(self, framing: Framing, response: type[Frame], cache: TextCache) -> None:
        self._framing = framing
        self._response = response
        self._cache = cache
        self._printer = EventPrinter()
        self._newest: tuple[bytes, str, EncodedFrame] | None = None

    def encode(self, frame: bytes, epoch: str) -> EncodedFrame:
        """The text of a serialised frame, in chunks."""
        newest = self._newest
        # Subscribers of the same job get the same frame one after the other, so most lookups end here.
        if newest is not None and newest[0] is frame and newest[1] == epoch:
            return newest[2]
        # A status is soon another one, so that only those who get it now share it.
        encode = self._encode_status if frame.startswith(_STATUS_TAG) else self._kept_events
        encoded = encode(frame, epoch)
        self._newest = frame, epoch, encoded
        return encoded

    def _kept_events(self, frame: bytes, epoch: str) -> EncodedFrame:
        key = self._framing, self._response, epoch, frame
        found = self._cache.get(key)
        if found is None:
            found = self._encode_events(frame, epoch)
            self._cache.put(key, found, found.size)
        return found

    def _encode_status(self, frame: bytes, epoch: str) -> EncodedFrame:
        status = self._response.FromString(frame).status
        prefix = self._framing.prefix("status", f"{epoch}:{status.cursor}")
        text = f"{prefix}{to_json(status)}{self._framing.end}".encode()
        return EncodedFrame([text], status.cursor, len(frame) + len(text), chunk(text))

    def _encode_events(self, frame: bytes, epoch: str) -> EncodedFrame:
        events = self._response.FromString(frame).events
        by_position = self._response is WatchJobsResponse
        if by_position:
            records = self._records_of_jobs(events, epoch)
        else:
            records = job_records(events, epoch, self._framing, self._printer)
        text = "".join(records).encode()
        chunks = list(_cut(text, self._framing.end.encode()))
        cursor = events.position if by_position else events.events[-1].sequence if events.events else 0
        http_chunk = b""
        if len(chunks) == 1 and len(chunks[0]) <= NOWAIT_SIZE_LIMIT:
            http_chunk = chunk(chunks[0])
        size = len(frame) + len(text) + len(http_chunk)
        return EncodedFrame(chunks, cursor, size, http_chunk)

    def _records_of_jobs(self, events: Events, epoch: str) -> Iterable[str]:
        framing = self._framing
        printer = self._printer
        # A commit is resumed after as a whole, so only its last event has an id to resume after.
        last = len(events.events) - 1
        for number, event in enumerate(events.events):
            event_id = f"{epoch}:{events.position}" if number == last else ""
            payload = event.WhichOneof("payload")
            prefix = framing.prefix(payload or UNKNOWN_EVENT, event_id)
            yield f"{prefix}{printer.print(event, payload)}{framing.end}"


def _cut(text: bytes, end: bytes) -> Iterator[bytes]:
    """Split a text after each of its records, which end in this suffix."""
    start = 0
    while start < len(text):
        last = text.find(end, start + _CHUNK)
        stop = len(text) if last < 0 else last + len(end)
        yield text[start:stop]
        start = stop


class EncodedFrame(NamedTuple):
    """The text of a frame."""

    chunks: list[bytes]
    cursor: int
    """Where to resume after it."""
    size: int
    """Bytes that it takes, with its frame."""
    http_chunk: bytes
    """The text as one chunk of HTTP's chunked coding; empty where there is more of it than is written at once."""


TextCache: TypeAlias = SharedTexts[tuple[Framing, type[Frame], str, bytes], EncodedFrame]
"""The text of frames, by framing, type, epoch and frame."""
