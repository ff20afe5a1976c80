"""Requests that never end: 800 calls of ReportJob of which all but the last byte comes, 4 MiB each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from bench.abuse.attack import Attack
from bench.abuse.raw_http2 import END_HEADERS, HEADERS, Connection, message, request_headers

__all__ = ["ATTACK"]

_METHOD = "/milepost.v1.WorkerService/ReportJob"
_CALLS = 800
_CONNECTIONS = 16
_SIZE = 4 << 20


async def _run(address: str, seconds: float) -> AsyncGenerator[None]:
    request = message(bytes(_SIZE - 1), _SIZE)
    block = request_headers(_METHOD, address)
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(Connection.open(address)) for _ in range(_CONNECTIONS)]
        yield
        sending: list[asyncio.Task[None]] = []
        for number in range(_CALLS):
            connection = connections[number % _CONNECTIONS]
            stream = connection.new_stream()
            connection.write(HEADERS, END_HEADERS, stream, block)
            sending.append(asyncio.create_task(connection.send(stream, request)))
            await asyncio.sleep(0.8 * seconds / _CALLS)
        await asyncio.sleep(0.2 * seconds)
        yield
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


ATTACK = Attack(_run)
