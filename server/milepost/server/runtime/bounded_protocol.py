"""The protocol of an HTTP connection: uvicorn's, with bounds on what a client may hold before it is served.

uvicorn waits for the first request of a connection for ever, reads headers of any length, and once requests are
pipelined it does not notice that the client of the first one left. Browsers do not pipeline, and proxies do not either.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from milepost.server.access.client_certificates import AuthContext
from milepost.server.http import peer_certificate

HEADER_TIMEOUT: Final = 20.0
"""Seconds in which the headers of a request have to arrive, from the beginning of the connection or of the request."""

HEADER_SIZE: Final = 32 << 10
"""Bytes of the headers of a request, at most about so many; beyond it gets 431."""

CONNECTIONS: Final = 10_000
"""Open connections, of which one host has at most half. Further ones are closed at once."""

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class ConnectionCount:
    """Open connections, in all and by host. ``limit`` bounds all of them."""

    def __init__(self, limit: int = CONNECTIONS) -> None:
        self.limit = limit
        self._hosts: Counter[str] = Counter()

    def admit(self, host: str) -> bool:
        """Count one more, unless it is one too many."""
        if self._hosts.total() >= self.limit or self._hosts[host] >= self.limit // 2:
            return False
        self._hosts[host] += 1
        return True

    def release(self, host: str) -> None:
        """Count one less."""
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]


class BoundedProtocol(HttpToolsProtocol):
    """One connection. ``connections`` counts it."""

    def __init__(self, *arguments: Any, connections: ConnectionCount, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open = connections
        self._host: str | None = None
        self._header_bytes = 0
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
        self._certificate = peer_certificate.of_connection(transport.get_extra_info("ssl_object"))
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._stop_timer()
        if self._host is not None:
            self._open.release(self._host)
            self._host = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._awaits_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        # What came with the end of the headers is the beginning of a body.
        if self._awaits_headers and self._header_bytes > HEADER_SIZE and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if not self._awaits_headers:
            self._header_bytes = 0
            self._await_headers()

    def on_headers_complete(self) -> None:
        """The headers of a request are there."""
        self._stop_timer()
        self._awaits_headers = False
        if self._was_begun and not self.cycle.response_complete:
            self.transport.close()  # it is pipelined
            return
        self._was_begun = True
        if self._certificate:
            cast("Any", self.scope)["extensions"] = {peer_certificate.EXTENSION: self._certificate}
        super().on_headers_complete()

    def _await_headers(self) -> None:
        self._awaits_headers = True
        self._timer = self.loop.call_later(HEADER_TIMEOUT, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
