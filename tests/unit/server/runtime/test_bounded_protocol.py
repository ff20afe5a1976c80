"""What a client may hold of the HTTP server before, while and after it is served: raw bytes over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from milepost.server.runtime.http_server import bounded_protocol
from milepost.server.runtime.http_server.bounded_protocol import (
    HEADER_SIZE,
    HEADERS,
    LEFTOVER_SIZE,
    BoundedProtocol,
    ConnectionCount,
)
from milepost.web.paced_bodies import PacedBodies
from tests.support import app_server
from tests.support.rotating import until


class App:
    """Responds to each request; ``/read`` reads the body before, ``/large`` has a large one itself."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.body = 0
        self.responded: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond."""
        self.requests.append((scope["method"], scope["path"]))
        more = scope["path"] == "/read"
        while more:
            message = await receive()
            self.body += len(message.get("body", b""))
            more = message.get("more_body", False)
        body = bytes(64 << 20) if scope["path"] == "/large" else b"hello"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        self.responded.append(scope["path"])


class OpenEnded:
    """Responds in two parts, without a length before them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello ", "more_body": True})
        await send({"type": "http.response.body", "body": b"world"})


@asynccontextmanager
async def serving(
    app: Any, limit: int = 100, kind: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[int]:
    """Serve the application with the protocol; yield the port."""
    http = partial(kind, connections=ConnectionCount(limit))
    async with app_server.serving(app, http=http) as url:
        yield int(url.rpartition(":")[2])


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def answer(port: int, request: bytes) -> bytes:
    """Send bytes, and read until the server closes the connection; what is lost with a reset is empty."""
    async with connected(port) as (reader, writer):
        writer.write(request)
        with contextlib.suppress(ConnectionError):
            return await reader.read()
        return b""


async def flood(port: int, beginning: bytes, more: bytes) -> int:
    """Send a beginning, and then more without an end, until the server closes; return how many bytes it took."""
    async with connected(port) as (_, writer):
        writer.write(beginning)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while not writer.transport.is_closing():
                writer.write(more)
                await writer.drain()
                sent += len(more)
        return sent


@pytest.mark.parametrize("app", [App(), OpenEnded()])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_http_1_0_has_no_chunks(app: Any, method: bytes) -> None:
    """Its clients read a body until the connection ends; lengths of chunks would be content to them."""
    async with serving(app) as port:
        head, _, body = (await answer(port, method + b" / HTTP/1.0\r\n\r\n")).partition(b"\r\n\r\n")

    expected = {"App": b"hello", "OpenEnded": b"hello world"}[type(app).__name__]
    assert head.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body == (b"" if method == b"HEAD" else expected)


CLOSE = b"Host: x\r\nConnection: close\r\n"


BEGIN = b"POST /a HTTP/1.1\r\nHost: x\r\n"
SECOND = b"GET /b HTTP/1.1\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

AMBIGUOUS = [
    BEGIN + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + SECOND,
    BEGIN + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    BEGIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhellox",
    BEGIN + b"Content-Length: 5, 5\r\n\r\nhello",
    BEGIN + b"Content-Length: +5\r\n\r\nhello",
    BEGIN + b"Content-Length: 0x5\r\n\r\nhello",
    BEGIN + b"Content-Length : 5\r\n\r\nhello",
    BEGIN + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    BEGIN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    BEGIN + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    BEGIN + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    BEGIN + CHUNKED + b"\r\n5;\n" + SECOND + b"hello\r\n0\r\n\r\n",
    BEGIN + CHUNKED + b"\r\n-5\r\nhello\r\n0\r\n\r\n",
    BEGIN + b" folded: y\r\n\r\n",
    BEGIN + b"A\x00: y\r\n\r\n",
    BEGIN + b"A: y\x00z\r\n\r\n",
    b"GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\n\n",
    b"GET /a HTTP/9.9\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


async def test_what_could_be_two_requests_is_none() -> None:
    """A server and a proxy in front of it must agree on where a request ends: what is ambiguous is refused."""
    app = App()
    async with serving(app) as port:
        for ambiguous in AMBIGUOUS:
            answered = await answer(port, ambiguous)
            assert (ambiguous, answered[:13], answered.count(b"HTTP/1.1 ")) == (
                ambiguous,
                b"HTTP/1.1 400 ",
                1,
            )

    assert ("GET", "/b") not in app.requests


async def test_headers_are_bounded() -> None:
    """Also one endless header, and an endless address."""
    app = App()
    async with serving(app) as port:
        taken = [
            await flood(port, b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 100),
            await flood(port, b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"b" * 1000),
            await flood(port, b"GET /", b"b" * 1000),
        ]
        large = await answer(port, b"GET / HTTP/1.1\r\n" + CLOSE + b"A: " + b"b" * HEADER_SIZE)
        whole = await answer(port, b"GET / HTTP/1.1\r\n" + CLOSE + b"A: " + b"b" * 20_000 + b"\r\n\r\n")

    assert [size < 32 << 20 for size in taken] == [
        True
    ] * 3  # what sockets hold; without a bound it has no end
    assert large.startswith(b"HTTP/1.1 431 ")
    assert whole.startswith(b"HTTP/1.1 200 ")
    assert app.requests == [("GET", "/")]


async def test_trailers_and_extensions_are_bounded() -> None:
    """What comes between the parts of a body that nobody gets: it ends the connection."""
    chunked = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    async with serving(App()) as port:
        await flood(port, chunked + b"0\r\n", b"A: b\r\n" * 100)
        await flood(port, chunked + b"0\r\nA: ", b"b" * 1000)
        await flood(port, chunked + b"5;", b"b" * 1000)


async def test_trailers_are_no_headers() -> None:
    """What a proxy forwards after the body says nothing of the request, such as whose it is (RFC 9110, 6.5.1)."""
    names: list[list[bytes]] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        await App()(scope, receive, send)
        names.append([name for name, _ in scope["headers"]])

    request = (
        b"POST /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    )
    async with serving(note) as port:
        await answer(port, request)
    assert names == [[b"host", b"connection", b"transfer-encoding"]]


async def test_a_long_body_is_read_whole() -> None:
    """In chunks and at once: bounds are on what is not the body."""
    app = App()
    chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
    async with serving(app) as port:
        await answer(
            port,
            b"POST /read HTTP/1.1\r\n"
            + CLOSE
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + chunk * 64
            + b"0\r\n\r\n",
        )
        await answer(
            port, b"POST /read HTTP/1.1\r\n" + CLOSE + b"Content-Length: 4194304\r\n\r\n" + bytes(1 << 22)
        )

    assert app.body == 2 << 22


async def test_a_body_that_nobody_reads() -> None:
    """The response comes at once; a little more of the body is taken, so that the client reads it, and no more."""
    app = App()
    async with serving(app) as port:
        async with connected(port) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
            answered = await reader.readuntil(b"hello")
            writer.write(bytes(600_000) + b"GET /next HTTP/1.1\r\n" + CLOSE + b"\r\n")
            following = await reader.read()
        taken = await flood(
            port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", bytes(1 << 16)
        )

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 200 " in following
    assert app.requests == [("POST", "/"), ("GET", "/next"), ("POST", "/")]
    assert taken > LEFTOVER_SIZE


async def test_who_is_silent_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a request, within its headers, before a second one, and within a body that nobody reads."""
    monkeypatch.setattr(bounded_protocol, "HEADER_TIMEOUT", 0.05)
    monkeypatch.setattr(bounded_protocol, "LEFTOVER_TIMEOUT", 0.05)
    async with serving(App()) as port:
        for beginning in (
            b"",
            b"GET / HT",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: ",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nA: ",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
        ):
            await answer(port, beginning)


async def test_pipelined_requests_end_the_connection() -> None:
    """Thousands of them fit into one packet, and each would be kept."""
    app = App()
    async with serving(app) as port:
        await answer(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)

    assert len(app.requests) <= 2


async def test_connections_are_bounded() -> None:
    """A host has at most half of them; one more is closed at once, and there is room again when one is closed."""
    async with serving(App(), limit=4) as port:
        async with connected(port), connected(port):
            assert await answer(port, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n") == b""

        async def served() -> bool:
            return (await answer(port, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")).startswith(b"HTTP/1.1 200 ")

        async with asyncio.timeout(120):
            while not await served():
                pass


async def test_a_large_response_is_held_until_the_client_has_read() -> None:
    """Whoever sends it waits, and counts it meanwhile."""
    app = App()
    async with serving(PacedBodies(app)) as port, connected(port) as (reader, writer):
        writer.write(b"GET /large HTTP/1.1\r\n" + CLOSE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(20):  # each lets the server go on as far as it can
            await answer(port, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
        responded = set(app.responded)
        rest = await reader.read()

    assert responded == {"/"}
    assert len(rest) > 64 << 20


async def test_the_number_of_headers_is_bounded() -> None:
    """Each costs a call, and a packet holds thousands: parsing ends with the first one that is too many."""
    app = App()
    async with serving(app) as port:
        begin = b"GET / HTTP/1.1\r\n" + CLOSE
        most = await answer(port, begin + b"A: b\r\n" * (HEADERS - 2) + b"\r\n")
        many = await answer(port, begin + b"A: b\r\n" * (HEADERS - 1) + b"\r\n")

    assert (most[:13], many[:13]) == (b"HTTP/1.1 200 ", b"HTTP/1.1 431 ")
    assert app.requests == [("GET", "/")]


async def test_a_request_is_freed_with_its_response() -> None:
    """Once the next one of its connection has begun, without the garbage collector."""
    requests: list[weakref.ref[Any]] = []

    async def app(scope: Scope, receive: Receive, send: Any) -> None:
        requests.append(weakref.ref(send.__self__))
        await App()(scope, receive, send)

    gc.disable()
    try:
        async with serving(app) as port, connected(port) as (reader, writer):
            for _ in range(2):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"hello\r\n0\r\n\r\n")
            await until(lambda: requests[0]() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("linger", [b"", struct.pack("ii", 1, 0)], ids=["closed", "reset"])
async def test_a_connection_is_freed_when_it_ends(linger: bytes) -> None:
    """Without the garbage collector, to which thousands are long work in one pass of the event loop."""
    loop = asyncio.get_running_loop()
    transports: list[weakref.ref[Any]] = []

    class Made(BoundedProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transports.append(weakref.ref(transport))
            super().connection_made(transport)

    gc.disable()
    try:
        async with serving(App(), kind=Made) as port:
            with socket.socket() as client:
                if linger:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                client.setblocking(False)
                await loop.sock_connect(client, ("127.0.0.1", port))
                await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await loop.sock_recv(client, 4096)
            await until(lambda: transports[0]() is None)
    finally:
        gc.enable()


async def test_a_connection_that_was_reset_is_not_kept_for_further_requests() -> None:
    """Its timer for these would keep it in memory for more than a minute."""
    loop = asyncio.get_running_loop()
    lost: list[BoundedProtocol] = []

    class Lost(BoundedProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            assert isinstance(exc, ConnectionResetError)
            super().connection_lost(exc)
            lost.append(self)

    async with serving(App(), kind=Lost) as port:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await loop.sock_recv(client, 4096)
        await until(lambda: bool(lost))

    assert [each.timeout_keep_alive_task for each in lost] == [None]
