"""A TCP relay whose connections can be cut."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType
from typing import Self

__all__ = ["TcpRelay"]

_CHUNK = 65_536


class TcpRelay:
    """Relays connections from a free loopback port until it is cut; then it refuses them until it is restored.

    An async context manager.
    """

    def __init__(self, target: str) -> None:
        """``target`` is ``host:port``."""
        host, _, port = target.rpartition(":")
        self._target = (host.strip("[]"), int(port))
        self._port = 0
        self._server: asyncio.Server | None = None
        self._closing: asyncio.Task[None] | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._relay_tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Address of the relay; it stays the same after a cut."""
        return f"127.0.0.1:{self._port}"

    def cut(self) -> int:
        """Reset all connections and refuse new ones. Return their number."""
        if self._server is not None:
            self._closing = asyncio.create_task(_close(self._server))
            self._server = None
        connections = len(self._relay_tasks)
        for writer in self._open:
            if not writer.transport.is_closing():
                _reset(writer)
        return connections

    async def restore(self) -> None:
        """Accept connections again, on the same port."""
        if self._closing is not None:
            await self._closing
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()
        if self._closing is not None:
            await self._closing
        if self._relay_tasks:
            await asyncio.wait(self._relay_tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it was cut meanwhile
            _reset(writer)
            return
        self._open.add(writer)  # at once: a cut may come before the task begins
        task = asyncio.create_task(self._relay(reader, writer))
        self._relay_tasks.add(task)
        task.add_done_callback(self._relay_tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._open.add(far_writer)
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                self._open.discard(far_writer)
                far_writer.transport.abort()
        except OSError:
            # One side closed its connection; the other one is closed below.
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()


async def _close(server: asyncio.Server) -> None:
    """Stop to accept, then close: a server that is closed while it accepts leaves the accepted sockets open."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    # In the next pass asyncio takes over those that it has just accepted.
    await asyncio.sleep(0)
    server.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection (RST), without an orderly shutdown."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    # gRPC cannot use a half-closed connection.
    raise ConnectionResetError
