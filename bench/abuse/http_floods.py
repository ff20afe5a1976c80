"""HTTP as a hostile client speaks it: endless requests, bodies that cost much, responses that nobody reads."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from itertools import cycle, islice
from urllib.parse import urlsplit

from bench.abuse.attack import Attack

__all__ = ["REQUESTS", "UNREAD"]

_CONNECTIONS = 200

_INPUT_BYTES = 1_000_000

_HOST = b"Host: localhost\r\n"
_JSON = b"Content-Type: application/json\r\n"


def _post(path: bytes, body: bytes, headers: bytes = _JSON) -> bytes:
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + _HOST + headers + length + body


def _requests() -> Sequence[bytes]:
    """Each is large or costly in its own way."""
    bodies = [
        b'{"kind":"k","input":{"a":' + b"[" * 2_000_000 + b"}}",
        b'{"kind":"k","input":{"a":[' + b"1," * 2_000_000 + b"1]}}",
        json.dumps({"kind": "k", "labels": {str(number): "x" for number in range(300_000)}}).encode(),
        b'{"kind":"k","workload":' + b"9" * 4_000_000 + b"}",
    ]
    return [
        # Without an end.
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
        b"GET /v1/jobs HTTP/1.1\r\n" + _HOST + b"A: " + b"b" * 1_000_000,
        b"POST /v1/jobs HTTP/1.1\r\n"
        + _HOST
        + _JSON
        + b"Content-Length: 99999999\r\n\r\n"
        + bytes(8_000_000),
        b"POST /nothing HTTP/1.1\r\n" + _HOST + b"Content-Length: 99999999\r\n\r\n" + bytes(8_000_000),
        b"POST /v1/jobs HTTP/1.1\r\n"
        + _HOST
        + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"A: b\r\n" * 20_000,
        # Many at a time.
        (b"GET /v1/jobs HTTP/1.1\r\n" + _HOST + b"\r\n") * 2_000,
        # Whose bodies cost much.
        *(_post(b"/v1/jobs", body) for body in bodies),
        _post(
            b"/milepost.v1.JobService/SubmitJob",
            gzip.compress(bytes(100_000_000)),
            _JSON + b"Content-Encoding: gzip\r\n",
        ),
    ]


async def _send(url: str, request: bytes, until: float) -> None:
    """Send a request again and again, on a new connection each time the server has had enough."""
    parts = urlsplit(url)
    while time.monotonic() < until:
        with suppress(OSError, asyncio.TimeoutError):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    writer.write(request)
                    await writer.drain()
                    await reader.read(1)
            finally:
                writer.transport.abort()


async def _flood(url: str, seconds: float) -> AsyncGenerator[None]:
    requests = _requests()
    yield
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(_send(url, request, until) for request in islice(cycle(requests), _CONNECTIONS)),
    )
    yield


def _submit(url: str) -> bytes:
    """Submit a job with a large input; return its path."""
    body = json.dumps(
        {"kind": "large", "dispatch": "DISPATCH_EXTERNAL", "input": {"text": "x" * _INPUT_BYTES}}
    )
    request = urllib.request.Request(f"{url}/v1/jobs", body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return f"/v1/jobs/{json.load(response)['job']['jobId']}".encode()


async def _leave_unread(url: str, seconds: float) -> AsyncGenerator[None]:
    path = await asyncio.to_thread(_submit, url)
    message = json.dumps({"jobId": path.decode().rpartition("/")[2]}).encode()
    requests: Sequence[bytes] = [
        b"GET " + path + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
        b"GET " + path + b":watch HTTP/1.1\r\n" + _HOST + b"\r\n",
        b"GET /v1/jobs:watch HTTP/1.1\r\n" + _HOST + b"Accept: application/x-ndjson\r\n\r\n",
        _post(
            b"/milepost.v1.JobService/WatchJob",
            bytes((0, *len(message).to_bytes(4, "big"))) + message,
            b"Content-Type: application/connect+json\r\n",
        ),
    ]
    yield
    parts = urlsplit(url)
    opened: list[asyncio.StreamWriter] = []
    for request_bytes in islice(cycle(requests), 4 * _CONNECTIONS):
        # A small buffer, so that what is not read stays with the server.
        with suppress(OSError):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1)
            writer.write(request_bytes)
            opened.append(writer)
        await asyncio.sleep(0.8 * seconds / (4 * _CONNECTIONS))
    await asyncio.sleep(0.2 * seconds)
    yield
    for each in opened:
        each.transport.abort()


REQUESTS = Attack(_flood, http=True)
UNREAD = Attack(_leave_unread, http=True)
