"""A network that a test can cut: a TCP proxy between client and server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class CuttableProxy:
    """Forwards connections to ``target`` ("host:port"), in a thread of its own.

    With several targets ("ipv4:host:port,host:port") connections go to one after the other. ``address`` is where it
    listens, ``accepted`` the number of forwarded connections, ``open`` that of the open ones, ``carried`` all bytes.
    Each read is carried ``delay`` seconds later.
    """

    def __init__(self, target: str) -> None:
        self._targets = itertools.cycle(target.removeprefix("ipv4:").split(","))
        self._writers: set[asyncio.StreamWriter] = set()
        self._refusing = False
        self._cuts = 0
        self._flowing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.accepted = 0
        self.carried = 0
        self.delay = 0.0

    @property
    def open(self) -> int:
        """The number of open connections."""
        return len(self._writers) // 2

    def cut(self) -> None:
        """Reset all connections."""
        self._run(self._cut())

    def refuse(self) -> None:
        """Refuse new connections until `allow`."""
        self._refusing = True

    def allow(self) -> None:
        """Accept new connections again, and resume stalled ones."""
        self._refusing = False
        self._loop.call_soon_threadsafe(self._flowing.set)

    def stall(self) -> None:
        """Keep connections open but forward nothing until `allow`, as a network that loses every packet."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._serve())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _serve(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._connected, sock=self._socket)

    async def _stop(self) -> None:
        # A closed server leaves the sockets open that it has just accepted, so it first stops to accept.
        self._loop.remove_reader(self._socket)
        self._flowing.set()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._cut()  # also those that have just come
            await asyncio.wait(tasks, timeout=0.1)
        self._server.close()

    async def _cut(self) -> None:
        self._cuts += 1
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        cuts = self._cuts
        host, _, port = next(self._targets).rpartition(":")
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:  # the server is down
            writer.transport.abort()
            return
        if cuts < self._cuts:
            writer.transport.abort()
            far_writer.transport.abort()
            return
        # asyncio does not set TCP_NODELAY on connections of a listening socket that it did not create.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self._writers -= pair
            for end in pair:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
                self.carried += len(data)
        writer.transport.abort()
