"""Read streams of HTTP, and make the jobs that they are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import httpx

from tests.support.http_watch import FRAMINGS, Record, records
from tests.support.rpc import Rpc, log_line, succeeded

__all__ = ["SSE", "all_records", "ended_job", "names", "opened"]

SSE: Final = FRAMINGS["sse"]
"""The media type of server-sent events."""


async def ended_job(rpc: Rpc, lines: int = 2) -> str:
    """A job that has ended: submitted (1), started (2), lines, ended."""
    async with rpc.session() as session:
        job_id = (await rpc.submit()).job_id
        _, token = await session.take()
        await session.report(job_id, token, 1, *[log_line(str(n)) for n in range(lines)], succeeded())
        await session.acknowledged(lines + 1)
    return job_id


async def all_records(web: httpx.AsyncClient, path: str, **headers: str) -> list[Record]:
    """The records of a stream that ends."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.stream("GET", path, headers=sent) as response:
        assert response.status_code == 200, await response.aread()
        return [record async for record in records(response)]


def names(found: Sequence[Record]) -> list[str]:
    """The names of records."""
    return [record.name for record in found]


@asynccontextmanager
async def opened(web: httpx.AsyncClient, path: str, **headers: str) -> AsyncIterator[AsyncIterator[Record]]:
    """The records of a stream that goes on."""
    async with (
        web.stream(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ) as response,
        aclosing(records(response)) as received,
    ):
        yield received
