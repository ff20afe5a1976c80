"""Connections that are opened and never used: 10,000 of them, half of which begin to speak HTTP/2 and stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS

__all__ = ["ATTACK"]

_PROCESSES = 2
_CONNECTIONS = 10_000 // _PROCESSES
_TOGETHER = 50
_BEGUN = b"PRI * HTTP/2.0\r\n"


async def _run(address: str, seconds: float, token: str) -> AsyncGenerator[None]:
    del token  # nobody has asked for it yet
    host, _, port = address.rpartition(":")
    opened: list[asyncio.StreamWriter] = []

    async def open_one(number: int) -> None:
        _, writer = await asyncio.open_connection(host, int(port))
        if number % 2:
            writer.write(_BEGUN)
        opened.append(writer)

    yield
    try:
        for first in range(0, _CONNECTIONS, _TOGETHER):
            await asyncio.gather(*(open_one(first + index) for index in range(_TOGETHER)))
            await asyncio.sleep(0.6 * seconds * _TOGETHER / _CONNECTIONS)
        await asyncio.sleep(0.4 * seconds)
        yield
    finally:
        for writer in opened:
            writer.transport.abort()


ATTACK = Attack(_run, processes=_PROCESSES, limits=LIMITS)
