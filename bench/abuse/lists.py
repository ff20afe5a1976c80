"""Lists of 500 jobs again and again: over 20 connections by gRPC, over 500 by HTTP. A principal may do that."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import work
from bench.abuse.attack import Attack
from milepost.v1 import Dispatch, ListJobsRequest, SubmitJobRequest
from milepost.v1.job_service_pb2_grpc import JobServiceStub

if TYPE_CHECKING:
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub

__all__ = ["BY_GRPC", "BY_HTTP"]

_JOBS = 500
_CHANNELS = 20
_CONNECTIONS = 500


async def _run_by_grpc(address: str, seconds: float, token: str) -> AsyncGenerator[None]:
    async with work.connections(address, _CHANNELS, token=token) as channels:
        stubs: list[JobServiceAsyncStub] = [JobServiceStub(channel) for channel in channels]
        for number in range(_JOBS):
            request = SubmitJobRequest(
                kind="listed", dispatch=Dispatch.DISPATCH_EXTERNAL, labels={"number": f"{number}"}
            )
            await stubs[0].SubmitJob(request)
        yield
        until = time.monotonic() + seconds

        async def repeat(stub: JobServiceAsyncStub) -> None:
            while time.monotonic() < until:
                await stub.ListJobs(ListJobsRequest(page_size=_JOBS))

        await _within(seconds, [repeat(stub) for stub in stubs])
        yield


async def _run_by_http(url: str, seconds: float, token: str) -> AsyncGenerator[None]:
    host = urlsplit(url)
    bearer = f"Host: {host.netloc}\r\nAuthorization: Bearer {token}\r\n"
    submitting = await asyncio.open_connection(host.hostname, host.port)
    for number in range(_JOBS):
        body = json.dumps(
            {"kind": "listed", "dispatch": "DISPATCH_EXTERNAL", "labels": {"number": f"{number}"}}
        )
        head = f"POST /v1/jobs HTTP/1.1\r\n{bearer}Content-Type: application/json\r\n"
        await _exchange(submitting, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    yield
    until = time.monotonic() + seconds
    request = f"GET /v1/jobs?pageSize={_JOBS} HTTP/1.1\r\n{bearer}\r\n".encode()

    async def repeat() -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            connection = await asyncio.open_connection(host.hostname, host.port)
            while time.monotonic() < until:
                await _exchange(connection, request)

    await _within(seconds, [repeat() for _ in range(_CONNECTIONS)])
    yield


async def _exchange(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> None:
    """Send a request, and read its response."""
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


async def _within(seconds: float, calls: list[Awaitable[None]]) -> None:
    """Make the calls; give those up that take longer."""
    made = asyncio.gather(*calls)
    await asyncio.wait((made,), timeout=seconds + 1)
    made.cancel()
    await asyncio.gather(made, return_exceptions=True)


_LIMITS = ("requests=100000/s",)

BY_GRPC = Attack(_run_by_grpc, limits=_LIMITS)
BY_HTTP = Attack(_run_by_http, limits=_LIMITS, http=True)
