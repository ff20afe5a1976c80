"""``GET /metrics`` on a port of its own: Prometheus needs no credential there, and reaches nothing else."""

from __future__ import annotations

import asyncio
from typing import Final

from prometheus_client.registry import Collector

from milepost.server.runtime.listen_address import check_free
from milepost.server.runtime.metrics.exposition import CONTENT_TYPE, Exposition

# Bytes of the head of a request; a scraper's is a few hundred.
_HEAD_SIZE: Final = 8192

# Seconds for a request to arrive and its response to be read.
_TIMEOUT: Final = 10.0

# Open connections. Beyond them the oldest is closed, so that silent ones keep nobody out.
_CONNECTIONS_LIMIT: Final = 16


class MetricsPort:
    """Serves a collector's metrics at ``host:port``. One request a connection."""

    def __init__(self, address: str, metrics: Collector) -> None:
        self._address = address
        self._exposition = Exposition(metrics)
        self._open: dict[asyncio.StreamWriter, None] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Serve; return the URL. Raises OSError if the address cannot be bound."""
        check_free(self._address, "--metrics")
        host, _, port = self._address.rpartition(":")
        self._server = await asyncio.start_server(
            self._connected, host.strip("[]"), int(port), limit=_HEAD_SIZE
        )
        return f"http://{host}:{self._server.sockets[0].getsockname()[1]}/metrics"

    async def stop(self) -> None:
        """Accept no more connections."""
        if self._server is not None:
            self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        if len(self._open) > _CONNECTIONS_LIMIT:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.transport.abort()
        try:
            async with asyncio.timeout(_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        verb, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _response("404 Not Found", b"There is /metrics here, and nothing else.\n")
        if verb not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", b"GET it.\n", "Allow: GET, HEAD\r\n")
        return _response("200 OK", await self._exposition.read(), with_body=verb == b"GET")


def _response(status: str, body: bytes, headers: str = "", *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        f"{headers}Connection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
