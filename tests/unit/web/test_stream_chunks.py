"""Chunks of event streams that are written at once, and encoded once for all who get them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from milepost.v1 import (
    Event,
    Events,
    JobEstimate,
    LogWritten,
    Opened,
    Status,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsResponse,
)
from milepost.web import stream_response
from milepost.web.frame_records import FrameEncoder, is_shared
from milepost.web.framing import NDJSON, SSE
from milepost.web.live_readers import LiveReaders
from milepost.web.service import Caller
from milepost.web.shared_texts import SharedTexts
from milepost.web.stream_response import StreamResponse
from milepost.web.watch_request import WatchRequest
from milepost.web.watch_stream import WatchStreams
from tests.support.rpc import eventually


def frame_of(*texts: str) -> bytes:
    """A serialised frame with these lines of a log."""
    events = [
        Event(job_id="j", sequence=n, log_written=LogWritten(text=text)) for n, text in enumerate(texts, 1)
    ]
    return WatchJobResponse(events=Events(events=events)).SerializeToString()


def test_the_text_is_encoded_once_as_a_chunk() -> None:
    """The same frame gives the same object; its chunk is its text in the chunked coding."""
    for framing in (SSE, NDJSON):
        encoder = FrameEncoder(framing, WatchJobResponse, SharedTexts(1 << 20))
        frame = frame_of("one", "two")
        encoded = encoder.encode(frame, "epoch")
        size, _, rest = encoded.http_chunk.partition(b"\r\n")

        assert encoder.encode(frame, "epoch") is encoded
        assert encoder.encode(frame_of("one", "two"), "epoch") is encoded
        assert encoder.encode(frame, "other") is not encoded
        assert [b"".join(encoded.chunks)] == [rest[: int(size, 16)]]
        assert rest[int(size, 16) :] == b"\r\n"


def test_small_statuses_share_their_text() -> None:
    """Whoever gets the same one next; it is a place to resume from. Estimates of many jobs are no such text."""
    for framing in (SSE, NDJSON):
        encoder = FrameEncoder(framing, WatchJobResponse, SharedTexts(1 << 20))
        frame = WatchJobResponse(status=Status(cursor=7, head_sequence=8)).SerializeToString()
        encoded = encoder.encode(frame, "epoch")
        text = f'{framing.prefix("status", "epoch:7")}{{"cursor":"7","headSequence":"8"}}{framing.end}'

        assert encoder.encode(frame, "epoch") is encoded
        assert encoder.encode(frame, "other") is not encoded
        assert (encoded.chunks, encoded.cursor) == ([text.encode()], 7)
    many = Status(job_estimates=[JobEstimate(job_id=f"job-{n}") for n in range(300)])
    assert not is_shared(WatchJobsResponse(status=many).SerializeToString())


def test_long_texts_are_no_chunk() -> None:
    """What is sent in pieces, while others are served, is not written at once."""
    encoder = FrameEncoder(SSE, WatchJobResponse, SharedTexts(1 << 20))

    assert encoder.encode(frame_of("x" * 20_000), "epoch").http_chunk == b""
    assert encoder.encode(frame_of(*["x" * 9_000] * 2), "epoch").http_chunk == b""


def test_pieces_end_with_an_event() -> None:
    """Each is of whole events, and of at least 32 KiB but for the last one."""
    for framing in (SSE, NDJSON):
        encoder = FrameEncoder(framing, WatchJobResponse, SharedTexts(1 << 20))
        pieces = encoder.encode(frame_of(*["x" * 5_000] * 30, "y" * 100_000, "\n\n", "z"), "e").chunks

        assert [piece.endswith(framing.end.encode()) for piece in pieces] == [True] * len(pieces)
        assert [32 << 10 <= len(piece) < 140_000 for piece in pieces] == [True] * (len(pieces) - 1) + [False]
        assert len(pieces) == 6


async def test_offers() -> None:
    """A response takes them once it has begun, and where the client has room; else it writes nothing.

    What is no offer, but small, is written in the same way, where there is room.
    """
    sent: list[Any] = []
    written: list[bytes] = []
    has_room = True

    async def send(message: Any) -> None:
        sent.append(message)

    def write_chunk(chunk: bytes) -> bool:
        if has_room:
            written.append(chunk)
        return has_room

    response = StreamResponse(SSE, send, write_chunk)
    taken = [response.offer(b"too early")]
    await response.record("opened", "", "{}")
    assert [b"retry: " in written[0], written[1:]] == [True, [b"18\r\nevent: opened\ndata: {}\n\n\r\n"]]
    written.clear()
    taken += [response.offer(b"chunk"), response.offer(b"")]
    await response.chunks([b"x" * 100_000])
    has_room = False
    taken.append(response.offer(b"no room"))
    await response.chunks([b"waits for room"])
    assert [message.get("body") for message in sent] == [None, b"x" * 100_000, b"waits for room"]
    response.close()
    without = StreamResponse(SSE, send)
    await without.record("opened", "", "{}")
    taken.append(without.offer(b"not this server"))
    without.close()

    assert [taken, written] == [[False, True, False, False, False], [b"chunk"]]


class Reader:
    """A stream, with the chunks that its server writes; it has no room without ``has_room``."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.written: list[bytes] = []
        self.has_room = True
        self.cursor = 0
        self.response = StreamResponse(SSE, self._send, self._write_chunk)

    def move_to(self, cursor: int) -> None:
        """See ``LiveReader``."""
        self.cursor = cursor

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    def _write_chunk(self, chunk: bytes) -> bool:
        if self.has_room:
            self.written.append(chunk)
        return self.has_room


async def test_readers_of_the_same_text() -> None:
    """All who have room get the same chunk; who has none leaves, and resumes after what it got before."""
    encoder = FrameEncoder(SSE, WatchJobResponse, SharedTexts(1 << 20))
    readers = LiveReaders(lambda frame: encoder.encode(frame, "epoch"))
    first, second = Reader(), Reader()
    readers.add(first)
    readers.add(second)
    frames = [frame_of(*["text"] * count) for count in (1, 2, 3)]
    chunks = [encoder.encode(frame, "epoch").http_chunk for frame in frames]
    refused = [readers.offer(frames[0])]
    second.has_room = False
    refused += [readers.offer(frames[1]), readers.offer(frames[2]), readers.offer(frame_of("x" * 20_000))]
    readers.discard(first)

    assert refused == [[], [second], [], None]
    assert [(each.written, each.cursor) for each in (first, second)] == [(chunks, 3), (chunks[:1], 1)]


async def test_where_a_reader_resumes() -> None:
    """What it got before it was served with others, such as a status, is not behind what they got before."""
    written: list[bytes] = []

    class Backend:
        async def watch(self, method: str, receive: Any, caller: Any, send: Any) -> None:
            await send(WatchJobResponse(opened=Opened(epoch="e")).SerializeToString())
            shared = send.reader.share()
            shared.add(send.reader)
            assert shared.offer(frame_of("1", "2")) == []
            shared.discard(send.reader)
            await send(WatchJobResponse(status=Status(cursor=7)).SerializeToString())
            shared.add(send.reader)
            shared.discard(send.reader)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        pass

    def write_chunk(chunk: bytes) -> bool:
        written.append(chunk)
        return True

    backend: Any = Backend()
    scope = {"method": "GET", "extensions": {stream_response.WRITE_CHUNK: write_chunk}}
    watch = WatchRequest(WatchJobRequest(job_id="j"), SSE, resumed=False, snapshot_on_gap=False)
    await WatchStreams(backend).respond(watch, Caller("", "", scope), scope, receive, send)

    assert [line for line in written[-1].splitlines() if line.startswith(b"id:")] == [b"id: e:7"]


async def test_comments_of_readers_of_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written together counts: a comment comes only once nothing was."""
    monkeypatch.setattr(stream_response, "COMMENT_INTERVAL", 0.02)
    encoder = FrameEncoder(SSE, WatchJobResponse, SharedTexts(1 << 20))
    readers = LiveReaders(lambda frame: encoder.encode(frame, "epoch"))
    reader = Reader()
    await reader.response.record("opened", "", "{}")
    readers.add(reader)
    loop = asyncio.get_running_loop()
    readers.sent_at = sent_at = loop.time() + 0.1

    async def is_commented() -> bool:
        return any(b"still here" in message.get("body", b"") for message in reader.sent)

    await eventually(is_commented)
    reader.response.close()
    assert loop.time() >= sent_at + 0.02


async def test_texts_are_dropped_after_the_last_subscriber() -> None:
    """Whoever comes while there is another one, or soon after, shares them."""
    texts: SharedTexts[str, bytes] = SharedTexts(1 << 20, kept_time=0.0)
    with texts.subscribing(), texts.subscribing():
        texts.put("frame", b"text", 4)
    with texts.subscribing():
        await asyncio.sleep(0.01)
        assert (texts.get("frame"), texts.size) == (b"text", 4)

    async def is_empty() -> bool:
        return not len(texts)

    await eventually(is_empty)
    assert (texts.get("frame"), texts.size) == (None, 0)
