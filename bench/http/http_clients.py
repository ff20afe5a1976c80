"""Subscribers of streams over HTTP/1.1: they note when bytes come, and look at them only afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from bench.processes import MeasurementFailed

__all__ = [
    "Arrivals",
    "Publisher",
    "Subscription",
    "bodies",
    "frames",
    "subscribe_to_events",
    "subscribe_to_socket",
]

Arrivals = list[tuple[int, bytes]]
"""What came, and when: nanoseconds of CLOCK_MONOTONIC."""

_CHUNK: Final = re.compile(rb"([0-9a-f]+)\r\n")


class Subscription(asyncio.Protocol):
    """A response that does not end.

    Attributes:
        arrivals: Its bytes, without the header.
        marked: Resolves when a marker has come, such as the text of the last event.
        closed: Resolves when the server has closed the connection.
    """

    def __init__(self, request: bytes, marker: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._marker = marker
        self._tail = b""
        self._header = b""
        self._transport: Any = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.arrivals: Arrivals = []
        self.opened: asyncio.Future[None] = loop.create_future()
        self.marked: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note the arrival."""
        if not self.opened.done():
            header, found, data = (self._header + data).partition(b"\r\n\r\n")
            if not found:
                self._header = header
                return
            if header.split(b" ", 2)[1] not in (b"200", b"101"):
                self.opened.set_exception(MeasurementFailed(f"the server answered {header!r}"))
                return
            self.opened.set_result(None)
        if not data:
            return
        self.arrivals.append((time.monotonic_ns(), data))
        if not self.marked.done():
            if self._marker in self._tail + data:
                self.marked.set_result(None)
            self._tail = data[-len(self._marker) :]

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end."""
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Wait for the server to read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The server has read."""
        self._writable.set()

    def write(self, data: bytes) -> None:
        """Send more."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the server has read enough."""
        await self._writable.wait()

    def close(self) -> None:
        """Leave."""
        self._transport.abort()


async def _connect(url: str, request: str, marker: bytes) -> Subscription:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, subscription = await loop.create_connection(
        lambda: Subscription(request.encode(), marker), parts.hostname or "", parts.port or 80
    )
    await subscription.opened
    return subscription


async def subscribe_to_events(url: str, job_id: str, query: str) -> Subscription:
    """Watch a job as server-sent events; the marker is that it has caught up."""
    request = f"GET /v1/jobs/{job_id}:watch?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return await _connect(url, request, b"event: caught_up")


async def subscribe_to_socket(url: str, path: str) -> Subscription:
    """Connect a WebSocket, without compression; the marker is the end of the job."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    return await _connect(url, request, b'"jobEnded"')


class Publisher:
    """A worker that sends events to the WebSocket manager."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    @classmethod
    async def connect(cls, url: str, job_id: str) -> Publisher:
        """Connect."""
        return cls(await subscribe_to_socket(url, f"/jobs/{job_id}/report"))

    async def send(self, message: bytes) -> None:
        """Send a message that ``encode`` made."""
        self._subscription.write(message)
        await self._subscription.drained()

    @staticmethod
    def encode(event: Any) -> bytes:
        """An event as a frame of a client: masked, as these are."""
        payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        size = len(payload)
        header = (
            struct.pack(">BB", 0x81, 0x80 | size) if size < 126 else struct.pack(">BBH", 0x81, 0xFE, size)
        )
        return header + bytes(4) + payload  # a mask of zeros changes nothing


def bodies(arrivals: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Chunks of a chunked body that are whole, each with the time of its last byte."""
    pending = b""
    for instant, data in arrivals:
        pending += data
        position = 0
        while found := _CHUNK.match(pending, position):
            end = found.end() + int(found[1], 16)
            if end + 2 > len(pending):
                break
            yield instant, pending[found.end() : end]
            position = end + 2
        pending = pending[position:]


def frames(arrivals: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Messages of a WebSocket that are whole, each with the time of its last byte."""
    pending = b""
    for instant, data in arrivals:
        pending += data
        position = 0
        while len(pending) >= position + 2:
            size, start = pending[position + 1], position + 2
            if size == 126:
                if len(pending) < position + 4:
                    break
                size, start = struct.unpack_from(">H", pending, position + 2)[0], position + 4
            if len(pending) < start + size:
                break
            yield instant, pending[start : start + size]
            position = start + size
        pending = pending[position:]
