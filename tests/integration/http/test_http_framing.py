"""Requests that a proxy in front may read in another way than the server: none of them is served."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from tests.support.server import ServerProcess

GET: Final = b"GET /v1/whoami HTTP/1.1\r\n"
POST: Final = b"POST /v1/session:clear HTTP/1.1\r\n"
HOST: Final = b"Host: 127.0.0.1\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"

SERVED: Final = {
    "one host": GET + HOST + b"\r\n",
    "an empty host": GET + b"Host:\r\n\r\n",
    "an old client": b"GET /v1/whoami HTTP/1.0\r\n\r\n",
    "an absolute target": b"GET http://127.0.0.1/v1/whoami HTTP/1.1\r\n" + HOST + b"\r\n",
    "an upgrade": GET
    + HOST
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a length": POST + HOST + b"Content-Length: 2\r\n\r\n{}",
    "chunks": POST + HOST + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n",
}

REFUSED: Final = {
    # Whose request it is.
    "no host": GET + b"\r\n",
    "two hosts": GET + HOST + b"Host: other\r\n\r\n",
    "the same host twice": GET + HOST + b"HOST: 127.0.0.1\r\n\r\n",
    "two hosts of an old client": b"GET /v1/whoami HTTP/1.0\r\n" + HOST + b"Host: other\r\n\r\n",
    "a host with a space": GET + b"Host: 127.0.0.1 other\r\n\r\n",
    "a host with a user": GET + b"Host: a@127.0.0.1\r\n\r\n",
    "a host with a path": GET + b"Host: 127.0.0.1/other\r\n\r\n",
    "a target of another host": b"GET http://other/v1/whoami HTTP/1.1\r\n" + HOST + b"\r\n",
    # Where a header begins and ends.
    "a folded line": GET + HOST + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": POST + HOST + b"Content-Length : 2\r\n\r\n{}",
    "a space before the first header": GET + b" " + HOST + b"\r\n",
    "lines that end with LF": b"GET /v1/whoami HTTP/1.1\nHost: 127.0.0.1\n\n",
    "a CR in a line": GET + HOST + b"X: a\rY: b\r\n\r\n",
    "a zero byte": GET + HOST + b"X: a\x00b\r\n\r\n",
    "no name": GET + HOST + b": a\r\n\r\n",
    # Where the body ends.
    "two lengths": POST + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same length twice": POST + HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + HOST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + HOST + b"Content-Length: +2\r\n\r\n{}",
    "a length beyond 64 bits": POST + HOST + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "a length and chunks": POST + HOST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and a length": POST + HOST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two codings": POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "codings in two headers": POST + HOST + b"Transfer-Encoding: gzip\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "another coding": POST + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding with a control character": POST + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks of an old client": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n",
    "a chunk with a sign": POST + HOST + CHUNKED + b"\r\n-1\r\n\r\n0\r\n\r\n",
    "a chunk with a prefix": POST + HOST + CHUNKED + b"\r\n0x0\r\n\r\n",
    "a chunk beyond 64 bits": POST + HOST + CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\n",
    "a chunk that ends with LF": POST + HOST + CHUNKED + b"\r\n2;a\n{}\r\n0\r\n\r\n",
    "a chunk that goes on": POST + HOST + CHUNKED + b"\r\n2\r\n{}0\r\n\r\n",
    # Of which protocol it is.
    "HTTP/0.9": b"GET /v1/whoami\r\n\r\n",
    "HTTP/2": b"GET /v1/whoami HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


async def statuses(server: ServerProcess, request: bytes) -> list[bytes]:
    """The statuses that a connection gets which begins with a request, until it is silent or ends."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    received = b""
    try:
        # Whatever is taken for a second request has a status of its own.
        writer.write(request)
        while b"HTTP/1.1 " not in received or not received.endswith((b"}\n", b"\r\n\r\n")):
            part = await reader.read(65536)
            if not part:
                break
            received += part
    finally:
        writer.close()
    return [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("request_bytes", SERVED.values(), ids=SERVED)
async def test_what_is_served(web_server: ServerProcess, request_bytes: bytes) -> None:
    """What clients send that are not hostile, once."""
    assert (await statuses(web_server, request_bytes))[0] in (b"200", b"204")


async def test_what_is_refused(web_server: ServerProcess) -> None:
    """With 400, and nothing that comes after it is read (RFC 9112, 3.2, 6.1 and 11.2)."""
    further = GET + HOST + b"\r\n"
    answers = await asyncio.gather(*(statuses(web_server, case + further) for case in REFUSED.values()))
    assert dict(zip(REFUSED, answers, strict=True)) == {name: [b"400"] for name in REFUSED}
