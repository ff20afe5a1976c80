"""Length-prefixed messages between a worker and a handler process."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

__all__ = ["STOP", "TRACEBACK", "frame", "read", "receive"]

STOP: Final = b""
"""The message that tells the handler to stop."""
TRACEBACK: Final = b"\0"
"""Begins the message with the traceback of the handler's exception. Other messages to the worker are reports, and no
protobuf message begins with this byte."""

_LENGTH: Final = struct.Struct(">I")


def frame(message: bytes) -> bytes:
    """The message with its length prefix."""
    return _LENGTH.pack(len(message)) + message


def receive(channel: socket.socket) -> bytes | None:
    """Read the next message; None if the other end is closed. Blocks."""
    header = _exactly(channel, _LENGTH.size)
    return None if header is None else _exactly(channel, _LENGTH.unpack(header)[0])


async def read(reader: asyncio.StreamReader) -> bytes | None:
    """`receive`, for an event loop."""
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
