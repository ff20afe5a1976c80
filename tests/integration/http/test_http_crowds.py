"""Many connections to the port of HTTP at once: how many a pass of the event loop accepts, and closes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from milepost.server.http.http_settings import HttpSettings
from milepost.server.runtime.http_server.bounded_protocol import BoundedProtocol
from milepost.server.runtime.http_server.http_port import ACCEPTED_PER_PASS, CLOSED_PER_PASS
from milepost.server.runtime.server import Server, Settings

REQUEST = b"GET /v1/whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def crowd(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many connections at once, which the server has not looked at yet."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(count)]


async def per_pass(count: Callable[[], int], total: int) -> list[int]:
    """How much a count grows in each pass of the event loop until it has come to the total."""
    passes = [count()]
    while sum(passes) < total:
        await asyncio.sleep(0)
        passes.append(count() - sum(passes))
    return passes


async def test_connections_are_accepted_some_at_a_time(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait: to accept one takes some tens of microseconds."""
    made: list[asyncio.BaseTransport] = []
    monkeypatch.setattr(BoundedProtocol, "connection_made", lambda self, transport: made.append(transport))
    with crowd(memory_server.http, 5 * ACCEPTED_PER_PASS):
        passes = await per_pass(lambda: len(made), 5 * ACCEPTED_PER_PASS)
        assert max(passes) == ACCEPTED_PER_PASS
        for transport in made:
            assert isinstance(transport, asyncio.Transport)
            transport.abort()


async def test_connections_are_closed_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server stops, which has others to serve until then."""
    count = 3 * CLOSED_PER_PASS
    server = Server(Settings("127.0.0.1:0", None, http=HttpSettings("127.0.0.1:0")))
    lost = 0
    connection_lost = BoundedProtocol.connection_lost

    def count_lost(protocol: BoundedProtocol, error: Exception | None) -> None:
        nonlocal lost
        lost += 1
        connection_lost(protocol, error)

    monkeypatch.setattr(BoundedProtocol, "connection_lost", count_lost)
    await server.start()
    loop = asyncio.get_running_loop()
    with crowd(server.http, count) as clients:
        for client in clients:
            client.setblocking(False)
            await loop.sock_sendall(client, REQUEST)
        for client in clients:
            await loop.sock_recv(client, 4096)
        stopping = asyncio.create_task(server.stop())
        passes = await per_pass(lambda: lost, count)
        await stopping
    assert max(passes) <= CLOSED_PER_PASS
