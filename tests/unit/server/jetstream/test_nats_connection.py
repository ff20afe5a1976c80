"""Closing the connection to NATS while it is broken."""

from __future__ import annotations

import asyncio
from typing import Any

import nats.errors
import pytest
from nats.aio.client import Client

from milepost.server.log.jetstream import nats_connection
from milepost.server.log.jetstream.nats_access import NatsAccess
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.runtime.process.bounded_selector import BoundedEventLoop, BoundedSelector
from tests.support.nats import NatsServer
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually

# More passes of the event loop than a reconnection over loopback takes.
_PASSES = 24


async def broken(proxy: CuttableProxy) -> NatsConnection:
    """A connection that has just noticed that the proxy has cut it."""
    gone = asyncio.Event()

    def on_state(up: bool) -> None:
        if not up:
            gone.set()

    connection = NatsConnection(NatsAccess((f"nats://{proxy.address}",)), on_state)
    await connection.open()
    await asyncio.to_thread(proxy.cut)
    await gone.wait()
    return connection


async def nothing_is_left(proxy: CuttableProxy, before: set[asyncio.Task[Any]]) -> None:
    """Wait until the proxy has no connection, and this event loop no more tasks than before."""

    async def is_closed() -> bool:
        return proxy.open == 0 and asyncio.all_tasks() <= before

    await eventually(is_closed)


async def test_a_closed_connection_stays_closed(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be closed at any step of a reconnection: no task and no socket of it is left."""
    monkeypatch.setattr(nats_connection, "_RECONNECT_WAIT", 0.001)
    before = asyncio.all_tasks()
    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
        for passes in range(_PASSES):
            connection = await broken(proxy)
            for _ in range(passes):
                await asyncio.sleep(0)
            await connection.close()
            await nothing_is_left(proxy, before)


async def test_what_a_broken_connection_has_left_to_send_does_not_keep_it_from_closing(
    nats_server: NatsServer,
) -> None:
    """Nothing can be sent any more; all of it is closed nevertheless."""
    before = asyncio.all_tasks()
    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
        connection = await broken(proxy)
        await connection.client.subscribe("later")
        await connection.close()
        await nothing_is_left(proxy, before)


async def test_a_reconnection_that_fails_after_its_handshake(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempts after it begin anew: no task and no socket of it is left, neither beside the one that succeeds."""
    monkeypatch.setattr(nats_connection, "_RECONNECT_WAIT", 0.001)
    failures, flush = iter([True] * 3), Client.flush

    async def unanswered(client: Client, timeout: int = 10) -> None:
        if next(failures, False):
            raise nats.errors.TimeoutError
        await flush(client, timeout)

    before = asyncio.all_tasks()
    with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
        whole = NatsConnection(NatsAccess((f"nats://{proxy.address}",)), lambda up: None)
        await whole.open()
        running = len(asyncio.all_tasks())
        await whole.close()
        await nothing_is_left(proxy, before)

        monkeypatch.setattr(Client, "flush", unanswered)
        connection = await broken(proxy)
        await connection.wait_up()

        async def is_alone() -> bool:
            return proxy.open == 1 and len(asyncio.all_tasks()) == running

        await eventually(is_alone)
        assert next(failures, None) is None
        await connection.close()
        await nothing_is_left(proxy, before)


class NotingSelector(BoundedSelector):
    """Notes which files are the server's own."""

    def __init__(self) -> None:
        super().__init__()
        self.owned: list[int] = []

    def own(self, fd: int) -> None:
        """See ``BoundedSelector``."""
        self.owned.append(fd)
        super().own(fd)


def test_the_event_loop_looks_at_a_new_connection_in_every_pass(nats_server: NatsServer) -> None:
    """As at the first one: acknowledgements of reports would wait behind thousands of clients of HTTP."""
    selector = NotingSelector()

    async def reconnect() -> list[int]:
        sockets: list[int] = []
        with CuttableProxy(f"127.0.0.1:{nats_server.port}") as proxy:
            connection = await broken(proxy)
            sockets.append(selector.owned[-1])
            await connection.wait_up()
            transport: Any = connection.client._transport
            sockets.append(transport._io_writer.get_extra_info("socket").fileno())
            await connection.close()
        return sockets

    with asyncio.Runner(loop_factory=lambda: BoundedEventLoop(selector)) as runner:
        assert runner.run(reconnect()) == selector.owned
