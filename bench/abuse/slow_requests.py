"""Requests that trickle: 2,000 submissions and sessions of a principal, of which a byte comes every half second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS
from bench.abuse.raw_http2 import END_HEADERS, HEADERS, Connection, message, request_headers
from milepost.v1 import SubmitJobRequest

__all__ = ["ATTACK"]

_METHODS = ("/milepost.v1.JobService/SubmitJob", "/milepost.v1.WorkerService/Work")
_CALLS = 2_000
_CONNECTIONS = 10
_INTERVAL = 0.5


async def _run(address: str, seconds: float, token: str) -> AsyncGenerator[None]:
    blocks = [request_headers(method, address, token) for method in _METHODS]
    request = message(SubmitJobRequest(kind="slow" * 25).SerializeToString())
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(Connection.open(address)) for _ in range(_CONNECTIONS)]
        yield
        until = time.monotonic() + seconds

        async def trickle(number: int) -> None:
            connection = connections[number % _CONNECTIONS]
            stream = connection.new_stream()
            connection.write(HEADERS, END_HEADERS, stream, blocks[number % len(blocks)])
            for byte in request:
                if time.monotonic() > until or stream in connection.reset | connection.ended:
                    return
                await connection.send(stream, bytes([byte]))
                await asyncio.sleep(_INTERVAL)

        async def trickle_on(number: int) -> None:
            with suppress(ConnectionError):
                while time.monotonic() < until:
                    await trickle(number)

        await asyncio.gather(*(trickle_on(number) for number in range(_CALLS)))
        yield


ATTACK = Attack(_run, limits=LIMITS)
