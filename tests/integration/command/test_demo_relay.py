"""The relay of the demo cuts connections."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from milepost.client._cli.demo.tcp_relay import TcpRelay


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """The address of an echo server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # a cut may reset it
            while data := await reader.read(1024):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the relay."""
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_relay_passes_on_until_it_is_cut(echo: str) -> None:
    """Open connections are reset and new ones refused until it is restored on the same port."""
    async with TcpRelay(echo) as relay:
        address = relay.address
        reader, writer = await connect(address)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"

        assert relay.cut() == 1
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await connect(address)
        writer.close()

        await relay.restore()
        reader, writer = await connect(address)
        writer.write(b"again")

        assert (address, b"again") == (relay.address, await reader.readexactly(5))
        writer.close()


async def test_a_connection_that_was_just_accepted_is_cut(echo: str) -> None:
    """Also before anything was relayed over it: else it would go on, and keep the relay from ending."""

    class CutAtOnce(TcpRelay):
        def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            super()._accept(reader, writer)
            self.cut()

    async with CutAtOnce(echo) as relay:
        reader, writer = await connect(relay.address)
        writer.write(b"hello")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(5)
        writer.close()


async def test_a_relay_whose_target_is_gone_closes(echo: str) -> None:
    """It closes connections as the target would."""
    async with TcpRelay("127.0.0.1:1") as relay:
        reader, writer = await connect(relay.address)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


@pytest.mark.parametrize("first", ["client", "target"])
async def test_when_one_side_ends_the_other_one_does(first: str) -> None:
    """Both read the end: gRPC cannot use a connection that is half closed."""
    at_the_target: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    target = await asyncio.start_server(lambda *streams: at_the_target.put_nowait(streams), "127.0.0.1", 0)
    async with target, TcpRelay(f"127.0.0.1:{target.sockets[0].getsockname()[1]}") as relay:
        client = await connect(relay.address)
        sides = {"client": client, "target": await at_the_target.get()}
        sides[first][1].write_eof()

        assert [await reader.read() for reader, _ in sides.values()] == [b"", b""]
        for _, writer in sides.values():
            writer.close()


@pytest.mark.parametrize("passes", range(4))
async def test_a_cut_while_connections_are_accepted(echo: str, passes: int) -> None:
    """None of them is left open, whichever step of being accepted it has come to; nothing is an error in the log."""
    loop = asyncio.get_running_loop()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    async with TcpRelay(echo) as relay:
        host, _, port = relay.address.rpartition(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(20)]
        for _ in range(passes):
            await asyncio.sleep(0)
        relay.cut()
        for client in clients:
            client.setblocking(False)
            with contextlib.suppress(ConnectionResetError):
                assert await loop.sock_recv(client, 1) == b""
            client.close()
        await relay.restore()
        _, writer = await connect(relay.address)
        writer.close()

    gc.collect()
    assert errors == []
