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
    """Passes on what comes in on a free loopback port, until it is cut.

    An async context manager. While it is cut it refuses connections, as a machine without a server does.
    """

    def __init__(self, target: str) -> None:
        """``target`` is ``host:port``."""
        host, _, port = target.rpartition(":")
        self._target = (host.strip("[]"), int(port))
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where to connect instead of the target; it stays the same."""
        return f"127.0.0.1:{self._port}"

    def cut(self) -> int:
        """Resets all connections and refuses new ones. Returns how many there were."""
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = len(self._passing)
        for writer in self._open:
            _reset(writer)
        return connections

    async def restore(self) -> None:
        """Takes connections again, on the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()
        if self._passing:
            await asyncio.wait(self._passing)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._open.add(far_writer)
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                self._open.discard(far_writer)
                far_writer.transport.abort()
        except OSError:
            pass  # one side is gone, and so the other one goes
        finally:
            self._open.discard(writer)
            writer.transport.abort()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection as one ends that is cut: at once, and without a goodbye."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError  # half a connection is of no use to gRPC
