"""One principal floods over HTTP: lists, submissions and watches, by REST and by Connect, beyond its limits.

It ignores how long it is told to wait.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import urlsplit

from bench.abuse.attack import Attack
from bench.abuse.one_principal_floods import LIMITS

__all__ = ["ATTACK"]

_CONNECTIONS = 64

_SUBMISSION = b'{"kind":"flood","dispatch":"DISPATCH_EXTERNAL"}'


def _request(token: str, line: bytes, body: bytes = b"") -> bytes:
    head = line + b" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token.encode() + b"\r\n"
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Make a call; raises an OSError where the server ends the connection instead of answering."""
    writer.write(request)
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.partition(b":")[2]))
                return
    except asyncio.IncompleteReadError as error:
        raise ConnectionError from error
    # A stream, or a body in chunks: the next call takes a connection of its own.
    raise ConnectionError


async def _repeat(url: str, request: bytes, until: float) -> None:
    parts = urlsplit(url)
    while time.monotonic() < until:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                while time.monotonic() < until:
                    await _call(reader, writer, request)
            finally:
                writer.close()


def _submit(url: str, token: str) -> bytes:
    """Submit a job; return its id."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}/v1/jobs", _SUBMISSION, headers), timeout=30
    ) as response:
        job_id: str = json.load(response)["job"]["jobId"]
        return job_id.encode()


async def _run(url: str, seconds: float, token: str) -> AsyncGenerator[None]:
    job_id = await asyncio.to_thread(_submit, url, token)
    requests = [
        _request(token, b"GET /v1/jobs"),
        _request(token, b"POST /v1/jobs", _SUBMISSION),
        _request(token, b"GET /v1/jobs/" + job_id + b":watch"),
        _request(token, b"POST /milepost.v1.JobService/SubmitJob", _SUBMISSION),
    ]
    yield
    until = time.monotonic() + seconds
    floods = [_repeat(url, requests[number % len(requests)], until) for number in range(_CONNECTIONS)]
    flooding = asyncio.gather(*floods)
    await asyncio.wait((flooding,), timeout=seconds + 1)
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    yield


ATTACK = Attack(_run, processes=2, limits=LIMITS, http=True)
