"""The protocol of an HTTP connection: uvicorn's, with bounds on what a client may occupy before it is served.

uvicorn waits for the first request of a connection for ever, reads headers and trailers of any length, goes on reading
a body after it has responded, and once requests are pipelined it does not notice that the client of the first one left.
Browsers do not pipeline, and proxies do not either.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any, Final, cast
from weakref import ReferenceType, ref

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from milepost.server.access.credentials.client_certificates import AuthContext
from milepost.server.http import peer_certificate
from milepost.server.runtime.http_server import http10_responses, request_head
from milepost.web.stream_response import WRITE_CHUNK

HEADER_TIMEOUT: Final = 20.0
"""Seconds in which the headers of a request have to arrive, from the beginning of the connection or of the request."""

HEADER_SIZE: Final = 32 << 10
"""Bytes of the headers of a request, at most about so many; beyond it gets 431. Trailers end the connection."""

HEADERS: Final = 100
"""Headers of a request, with its trailers; a browser sends some twenty."""

LEFTOVER_SIZE: Final = 1 << 20
"""Bytes of a request's body that are read after the response: closing earlier would lose the response."""

LEFTOVER_TIMEOUT: Final = 20.0
"""Seconds for which that leftover is read."""

FINAL_RESPONSE_TIMEOUT: Final = 2.0
"""Seconds that a response may take to a client that sends nothing more, as one that has left."""

READ_SIZE: Final = 16 << 10
"""Bytes that are read of a connection in a pass of the event loop."""

WRITE_BUFFER: Final = 16 << 10
"""Bytes that wait for the client to read; beyond it, besides one write, who responds waits as well."""

CONNECTIONS: Final = 10_000
"""Open connections, of which one host has at most half. Further ones are closed at once."""

# One read buffer for all connections: each read is parsed before the next.
_BUFFER: Final = memoryview(bytearray(READ_SIZE))

# Bytes that are parsed at a time before the headers are complete.
_HEADER_CHUNK: Final = 4 << 10

_END: Final = b"content-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _END
_MALFORMED: Final = b"HTTP/1.1 400 Bad Request\r\n" + _END


class ConnectionCount:
    """Open connections, in all and by host. ``limit`` bounds their number."""

    def __init__(self, limit: int = CONNECTIONS) -> None:
        self.limit = limit
        self._hosts: Counter[str] = Counter()

    def admit(self, host: str) -> bool:
        """Count another connection; False if that exceeds a limit."""
        if self._hosts.total() >= self.limit or self._hosts[host] >= self.limit // 2:
            return False
        self._hosts[host] += 1
        return True

    def release(self, host: str) -> None:
        """Count a closed connection."""
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]


class BoundedProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """One connection. ``connections`` counts it.

    It reads into a small buffer of its own, since asyncio reads 256 KiB of each connection in a pass of the event loop:
    with a few hundred senders everybody else would wait for tenths of a second.
    """

    def __init__(self, *arguments: Any, connections: ConnectionCount, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open = connections
        self._host: str | None = None
        self._undelivered = 0
        """Bytes from which nothing has come for the application: of headers, of trailers, of chunks' extensions."""
        self._leftover = 0
        self._trailers = 0
        self._is_refused = False
        self._awaits_headers = True
        self._was_begun = False
        self._timer: asyncio.TimerHandle | None = None
        self._certificate: AuthContext = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if not self._open.admit(host):
            self.transport.abort()
            return
        self._host = host
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._certificate = peer_certificate.of_connection(transport.get_extra_info("ssl_object"))
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._stop_timer()
        if self._host is not None:
            self._open.release(self._host)
            self._host = None
        super().connection_lost(exc)
        # uvicorn keeps this timer of a connection that was reset, and with it the connection.
        self._unset_keepalive_if_required()
        # The transport refers to its own method: the cycle would leave its socket to the garbage collector.
        cast("Any", self.transport)._read_ready_cb = None

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's is annotated as returning None
        """See ``asyncio.Protocol``: the client sends no more, as also one that leaves does.

        It gets the response that it waits for, unless that takes long; return whether the connection stays open for it.
        """
        if not self._was_begun or self.cycle.more_body or not self.transport.can_write_eof():
            return False
        is_awaited = not self.cycle.response_started or self.cycle.expected_content_length > 0
        if is_awaited:
            self.cycle.keep_alive = False  # closes the connection after the response
            # The response may be a stream, which nobody reads any more.
            self._timer = self.loop.call_later(FINAL_RESPONSE_TIMEOUT, self.transport.abort)
        return is_awaited

    def get_buffer(self, sizehint: int) -> memoryview:
        """See ``asyncio.BufferedProtocol``."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        self.data_received(bytes(_BUFFER[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        # Headers come to the parser in small pieces: it calls back for each, however many there are.
        while self._awaits_headers and data and not self.transport.is_closing():
            piece, data = data[:_HEADER_CHUNK], data[_HEADER_CHUNK:]
            self._receive(piece)
        if data and not self.transport.is_closing():
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(data)
            return
        self._undelivered += len(data)
        super().data_received(data)
        if self._undelivered > HEADER_SIZE and not self.transport.is_closing():
            self._refuse(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Respond to input that the parser has refused."""
        has_many = len(self.headers or ()) >= HEADERS  # there are none before a request begins
        self._refuse(_TOO_LARGE if has_many else _MALFORMED)

    def _refuse(self, response: bytes) -> None:
        """Respond, and end the connection: at once where another response has begun, else once the client has read."""
        if self._is_refused:
            return
        self._stop_timer()
        self._is_refused = True
        if self._was_begun and not self.cycle.response_complete:
            if self.cycle.response_started:
                self.transport.abort()
                return
            # The body is malformed, and its request is being served: this is the response, and no other one follows.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(response)
        if self.transport.can_write_eof():
            # What is not read when a connection is closed makes the system reset it, and the response is lost.
            self.transport.write_eof()
            self._leftover = 0
            self._timer = self.loop.call_later(LEFTOVER_TIMEOUT, self.transport.abort)
        else:
            self.transport.close()

    def _discard(self, data: bytes) -> None:
        self._leftover += len(data)
        if self._leftover > LEFTOVER_SIZE:
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header or trailer. Raises ValueError, which the parser takes for a malformed request."""
        if len(self.headers) + self._trailers >= HEADERS:
            raise ValueError("too many headers")
        if self._awaits_headers:
            super().on_header(name, value)
        else:
            # uvicorn would add it to the headers that the application looks at.
            self._trailers += 1

    def on_message_begin(self) -> None:
        """Handle the beginning of a request."""
        super().on_message_begin()
        self._trailers = 0
        if not self._awaits_headers:
            self._await_headers()

    def on_headers_complete(self) -> None:
        """Handle complete headers of a request. Raises ValueError, as ``on_header`` does."""
        self._stop_timer()
        self._undelivered = 0
        self._awaits_headers = False
        if self._was_begun and not self.cycle.response_complete:
            self.transport.abort()
            raise ValueError("it is pipelined")  # ends the parsing of the requests that follow
        fault = request_head.fault_of(self.parser.get_http_version(), self.url, self.headers)
        if fault:
            raise ValueError(fault)
        if self._certificate:
            cast("Any", self.scope)["extensions"] = {peer_certificate.EXTENSION: self._certificate}
        super().on_headers_complete()  # raises where it cannot read the target, and then has begun nothing
        self._was_begun = True

    def on_body(self, body: bytes) -> None:
        """Handle a part of a body."""
        self._undelivered = 0
        if self.cycle.response_complete:
            self._discard(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle a complete request."""
        self._undelivered = 0
        if self.cycle.response_complete:
            self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Handle the end of the response, which may come before the end of the request."""
        super().on_response_complete()
        self._leftover = 0
        if self.cycle.more_body and not self.transport.is_closing():
            self._timer = self.loop.call_later(LEFTOVER_TIMEOUT, self.transport.abort)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["http_version"] == http10_responses.VERSION:
            app = http10_responses.without_chunks(app, cycle)
        # With itself in its scope the cycle would hold its request until garbage is collected.
        write_chunk = partial(_write_chunk, ref(cycle))
        cast("Any", cycle.scope).setdefault("extensions", {})[WRITE_CHUNK] = write_chunk
        super()._start_asgi_task(cycle, app)

    def _await_headers(self) -> None:
        self._awaits_headers = True
        self._timer = self.loop.call_later(HEADER_TIMEOUT, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _write_chunk(of: ReferenceType[RequestResponseCycle], chunk: bytes) -> bool:
    """Write a chunk of the response; see ``WriteChunk``.

    uvicorn's ``send`` is a coroutine below those of all layers of the application, and encodes a chunk for each client.
    """
    cycle = of()
    if (
        cycle is None
        or cycle.flow.write_paused
        or cycle.disconnected
        or cycle.response_complete
        or not cycle.chunked_encoding
    ):
        return False
    cycle.transport.write(chunk)
    return True
