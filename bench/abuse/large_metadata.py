"""Calls with 1 MB of metadata each, whole and in order, by a principal: as often as the server hangs up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS
from bench.abuse.raw_http2 import (
    CONTINUATION,
    END_HEADERS,
    HEADERS,
    Connection,
    header,
    request_headers,
)

__all__ = ["ATTACK"]

_CONNECTIONS = 10
_SIZE = 1 << 20
_FIELD = 1_000
_FRAME_SIZE = 16_384


async def _run(address: str, seconds: float, token: str) -> AsyncGenerator[None]:
    block = request_headers("/milepost.v1.JobService/ListJobs", address, token)
    block += b"".join(header(f"x-note-{number}", b"x" * _FIELD) for number in range(_SIZE // _FIELD))
    frames = [block[first : first + _FRAME_SIZE] for first in range(0, len(block), _FRAME_SIZE)]
    yield
    until = time.monotonic() + seconds

    async def call(connection: Connection) -> None:
        stream = connection.new_stream()
        for number, frame in enumerate(frames):
            kind = CONTINUATION if number else HEADERS
            connection.write(kind, END_HEADERS if number == len(frames) - 1 else 0, stream, frame)
            await connection.drain()

    async def repeat() -> None:
        while time.monotonic() < until:
            with suppress(ConnectionError):
                async with Connection.open(address) as connection:
                    while time.monotonic() < until:
                        await call(connection)
                        await asyncio.sleep(0)

    await asyncio.gather(*(repeat() for _ in range(_CONNECTIONS)))
    yield


ATTACK = Attack(_run, limits=LIMITS)
