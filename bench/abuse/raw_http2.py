"""HTTP/2 as few clients speak it: frames that are written one by one, without a library that would refuse to."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "HEADERS",
    "INITIAL_WINDOW_SIZE",
    "PING",
    "RST_STREAM",
    "Connection",
    "SilentConnection",
    "header",
    "message",
    "request_headers",
]

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4

INITIAL_WINDOW_SIZE = 4
"""The setting of how much of a stream the peer may send unasked."""

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_CANCEL = struct.pack(">I", 8)

_DEFAULT_WINDOW = 65_535
_FRAME_SIZE = 16_384

# The connection's own window, so that only those of the streams count.
_WINDOW = 2**31 - 1 - _DEFAULT_WINDOW


class Connection:
    """A connection of which nothing is read but what has to be answered: settings and pings."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next_stream = 1
        self.reset: set[int] = set()
        """Streams that the server has reset."""
        self.ended: set[int] = set()
        """Streams that the server has ended, with a status."""
        self.closed = asyncio.Event()
        self._initial_window = _DEFAULT_WINDOW
        self._windows = {0: _DEFAULT_WINDOW}
        self._window_changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def open(
        cls, address: str, settings: Sequence[tuple[int, int]] = (), from_host: str | None = None
    ) -> AsyncGenerator[Self]:
        """Connect to ``host:port``, from this of the machine's own addresses."""
        host, _, port = address.rpartition(":")
        own = None if from_host is None else (from_host, 0)
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=own)
        connection = cls(reader, writer)
        payload = b"".join(struct.pack(">HI", *setting) for setting in settings)
        writer.write(_PREFACE)
        connection.write(SETTINGS, 0, 0, payload)
        connection.write(WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW))
        try:
            yield connection
        finally:
            connection._reading.cancel()
            writer.transport.abort()

    def new_stream(self) -> int:
        """The id of a further stream."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        return stream

    def write(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        """Write a frame. Does not wait; see ``drain``."""
        if self._writer.is_closing():
            return
        self._writer.write(struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream))
        self._writer.write(payload)

    async def send(self, stream: int, payload: bytes) -> None:
        """Write DATA as the server's flow control allows; the stream stays open. Returns early where it was reset."""
        while payload and stream not in self.reset:
            window = min(self._windows[0], self._windows.setdefault(stream, self._initial_window))
            part, payload = payload[: min(window, _FRAME_SIZE)], payload[min(window, _FRAME_SIZE) :]
            if part:
                self._windows[0] -= len(part)
                self._windows[stream] -= len(part)
                self.write(DATA, 0, stream, part)
                await self.drain()
            else:
                self._window_changed.clear()
                await self._window_changed.wait()

    def cancel(self, stream: int) -> None:
        """Reset a stream."""
        self.write(RST_STREAM, 0, stream, _CANCEL)

    async def drain(self) -> None:
        """Wait until the server has taken most of what was written. Raises ConnectionError if it has hung up."""
        if self.closed.is_set():
            raise ConnectionResetError("the server has closed the connection")
        await self._writer.drain()

    async def _read(self) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = await self._reader.readexactly(9)
                    size, (kind, flags, stream) = int.from_bytes(head[:3]), struct.unpack(">BBI", head[3:])
                    payload = await self._reader.readexactly(size)
                    self._note(kind, flags, stream, payload)
        finally:
            self.closed.set()
            self._window_changed.set()
            # Who waits in ``drain`` would hear of it only from the system's next probe of a full window, minutes later.
            self._writer.transport.abort()

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.write(kind, ACK, 0, payload if kind == PING else b"")
        if kind == SETTINGS:
            for setting, value in struct.iter_unpack(">HI", payload):
                if setting == INITIAL_WINDOW_SIZE:
                    for other in self._windows.keys() - {0}:
                        self._windows[other] += value - self._initial_window
                    self._initial_window = value
        elif kind == WINDOW_UPDATE:
            added = int.from_bytes(payload)
            self._windows[stream] = self._windows.get(stream, self._initial_window) + added
        elif kind == RST_STREAM:
            self.reset.add(stream)
        elif kind == HEADERS and flags & END_STREAM:
            self.ended.add(stream)
        self._window_changed.set()


class SilentConnection(Connection):
    """One that acknowledges nothing."""

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        pass


def header(name: str, value: bytes) -> bytes:
    """A header field that is in no table (RFC 7541, 6.2.2), with its strings as they are."""
    return b"\x00" + _string(name.encode()) + _string(value)


def request_headers(method: str, address: str, token: str = "") -> bytes:
    """The header block of a call of gRPC, with a bearer token where there is one."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": address,
        "te": "trailers",
        "content-type": "application/grpc",
        **({"authorization": f"Bearer {token}"} if token else {}),
    }
    return b"".join(header(name, value.encode()) for name, value in fields.items())


def message(payload: bytes, size: int | None = None) -> bytes:
    """A message of gRPC; with a ``size`` other than its own, a part of one that large."""
    return b"\x00" + struct.pack(">I", len(payload) if size is None else size) + payload


def _string(text: bytes) -> bytes:
    return _integer(len(text), 7) + text


def _integer(value: int, prefix: int) -> bytes:
    """RFC 7541, 5.1."""
    largest = (1 << prefix) - 1
    if value < largest:
        return bytes([value])
    out = [largest]
    value -= largest
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])
