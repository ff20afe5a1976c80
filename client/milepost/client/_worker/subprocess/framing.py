"""What a worker and the process of a handler say to each other: messages with their length before them."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

__all__ = ["STOP", "frame", "read", "receive"]

STOP: Final = b""
"""What the worker says when the handler is to stop."""

_LENGTH: Final = struct.Struct(">I")


def frame(message: bytes) -> bytes:
    """The message as it is sent."""
    return _LENGTH.pack(len(message)) + message


def receive(channel: socket.socket) -> bytes | None:
    """The next message; None where the other end is gone. Blocks."""
    header = _exactly(channel, _LENGTH.size)
    return None if header is None else _exactly(channel, _LENGTH.unpack(header)[0])


async def read(reader: asyncio.StreamReader) -> bytes | None:
    """The same, in an event loop."""
    try:
        header = await reader.readexactly(_LENGTH.size)
        return await reader.readexactly(_LENGTH.unpack(header)[0])
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        try:
            more = channel.recv(size - len(data))
        except OSError:
            more = b""
        if not more:
            return None
        data += more
    return bytes(data)
