"""The parts of a response that does not end, in order, with comments where nothing else is sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from google.protobuf.message import Message
from starlette.types import Send

from milepost.web.framing import SSE, Framing
from milepost.web.proto_json import json_pieces

COMMENT_INTERVAL: Final = 15.0
"""Seconds without anything sent after which a comment is, so that proxies and clients see that the stream lives."""

NOWAIT_SIZE_LIMIT: Final = 16 << 10
"""Bytes of text up to which it is written at once where the client has room."""

RETRY_MIN, RETRY_MAX = 1.0, 4.0
"""Seconds after which a client reconnects, spread so that those of a server that stopped do not all come at once."""

HEADERS: Final = (
    (b"cache-control", b"no-cache, no-transform"),
    # nginx would gather events until it has a buffer full of them.
    (b"x-accel-buffering", b"no"),
)
"""Headers that a stream needs."""

WRITE_CHUNK: Final = "milepost.write_chunk"
"""Extension of the ASGI scope, where the server has it: a ``WriteChunk``."""

WriteChunk: TypeAlias = Callable[[bytes], bool]
"""Writes a chunk, as the chunked transfer coding has it, to the client of a response that has begun. It returns False,
and has written nothing, where ``send`` would wait or would not send a chunk."""


class SentTogether(Protocol):
    """What writes to several responses.

    Attributes:
        sent_at: When it last did, by the clock of the event loop.
    """

    sent_at: float


class StreamResponse:
    """One response. It begins with its first part. ``write_chunk`` is the extension of the scope.

    Attributes:
        started: Whether it has begun, so that its status is 200.
        write_chunk: The extension.
    """

    def __init__(self, framing: Framing, send: Send, write_chunk: WriteChunk | None = None) -> None:
        self.started: bool = False
        self.write_chunk = write_chunk
        self._together: SentTogether | None = None
        self._framing = framing
        self._send = send
        self._is_sse = framing is SSE
        self._is_sending = False
        self._loop = asyncio.get_running_loop()
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._commenting: asyncio.Task[None] | None = None

    async def record(self, name: str, event_id: str, data: str) -> None:
        """Send a record whose data is JSON."""
        await self.chunks([(self._framing.prefix(name, event_id) + data + self._framing.end).encode()])

    async def message(self, name: str, event_id: str, message: Message) -> None:
        """Send a record whose data is a message; a large one in pieces, while others are served."""
        pieces = json_pieces(message)
        text = self._framing.prefix(name, event_id) + next(pieces)
        self._is_sending = True
        for piece in pieces:
            await self._write(text.encode())
            await asyncio.sleep(0)
            text = piece
        await self._write((text + self._framing.end).encode())
        self._is_sending = False

    async def chunks(self, chunks: Sequence[bytes]) -> None:
        """Send text that is framed already."""
        self._is_sending = True
        for chunk in chunks:
            await self._write(chunk)
        self._is_sending = False

    def offer(self, chunk: bytes) -> bool:
        """Send text that is framed and is a chunk already, while nothing else is being sent; False if it cannot."""
        is_commenting = self._commenting is not None and not self._commenting.done()
        if self.write_chunk is None or not chunk or not self.started or is_commenting:
            return False
        if not self.write_chunk(chunk):
            return False
        self._sent_at = self._loop.time()
        return True

    @property
    def together(self) -> SentTogether | None:
        """What writes to it, as to others, at present."""
        return self._together

    @together.setter
    def together(self, together: SentTogether | None) -> None:
        if self._together is not None:
            self._sent_at = max(self._sent_at, self._together.sent_at)
        self._together = together

    async def retry(self, delay: float) -> None:
        """Tell the client after how many seconds to reconnect: after ``delay`` at least."""
        if self._is_sse:
            await self._write(retry(delay).encode())

    async def comment(self, text: str) -> None:
        """Send a comment, where there are any."""
        if self._is_sse:
            await self._write(comment(text).encode())

    async def no_content(self) -> None:
        """Respond that there is nothing to come, instead of anything else."""
        self.started = True
        await self._send({"type": "http.response.start", "status": 204, "headers": [*HEADERS]})
        await self._send({"type": "http.response.body", "body": b""})

    async def end(self) -> None:
        """End the response."""
        if not self.started:
            await self._start()
        self.close()
        await self._send({"type": "http.response.body", "body": b""})

    def close(self) -> None:
        """Send no more comments."""
        if self._timer is not None:
            self._timer.cancel()
        if self._commenting is not None:
            self._commenting.cancel()
            # Its error will have the frame of the comment, and so this response.
            self._commenting = None

    async def _start(self) -> None:
        self.started = True
        media_type = self._framing.media_type.encode()
        headers = [(b"content-type", media_type), *HEADERS]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        if self._is_sse:
            self._timer = self._loop.call_later(COMMENT_INTERVAL, self._comment_if_quiet)
            await self.retry(0.0)

    async def _write(self, body: bytes) -> None:
        if not self.started:
            await self._start()
        if self._commenting is not None:
            await asyncio.wait((self._commenting,))
            self._commenting = None
        self._sent_at = self._loop.time()
        if len(body) > NOWAIT_SIZE_LIMIT or self.write_chunk is None or not self.write_chunk(chunk(body)):
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    def _comment_if_quiet(self) -> None:
        sent_at = self._sent_at if self._together is None else max(self._sent_at, self._together.sent_at)
        due = sent_at + COMMENT_INTERVAL
        now = self._loop.time()
        if now >= due and not self._is_sending:
            self._sent_at = now
            self._commenting = self._loop.create_task(self._send_comment())
            due = now + COMMENT_INTERVAL
        elif now >= due:
            due = now + 1.0  # the client does not read, so a comment would only wait
        self._timer = self._loop.call_at(due, self._comment_if_quiet)

    async def _send_comment(self) -> None:
        body = comment("still here").encode()
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def retry(delay: float) -> str:
    """The line that tells the client after how many seconds to reconnect: after ``delay`` at least."""
    seconds = max(delay, random.uniform(RETRY_MIN, RETRY_MAX))
    return f"retry: {seconds * 1000:.0f}\n\n"


def chunk(body: bytes) -> bytes:
    """What ``WriteChunk`` takes: a body as one chunk of the chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def comment(text: str) -> str:
    """A comment, which clients pass over."""
    return f": {text}\n\n"
