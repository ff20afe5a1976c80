"""An unreliable network: a TCP proxy that injects one fault into each connection."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["FAULTS", "Chaos", "Fault", "Weather"]

# Bytes that a trickling connection forwards one by one.
_TRICKLE = 2_000


class Fault(Enum):
    """The fault of a connection, injected once it has forwarded enough bytes."""

    NONE = auto()
    DELAY = auto()
    """Later data is delayed by a random time."""
    CUT = auto()
    """The connection is reset in the middle of a frame."""
    HALF_OPEN = auto()
    """Nothing is forwarded in either direction, and neither end notices."""
    DEAF = auto()
    """Data from the server is lost; data from the client is not."""
    MUTE = auto()
    """Data from the client is lost; data from the server is not."""
    TRICKLE = auto()
    """Later data is forwarded byte by byte."""


FAULTS = tuple(Fault)[1:]

_DEAD = (Fault.HALF_OPEN, Fault.DEAF, Fault.MUTE)


class Weather(NamedTuple):
    """The fault of a connection, and the bytes from the server that are forwarded before it."""

    fault: Fault
    after: int


class Chaos:
    """Forwards connections to ``target`` ("host:port"), in the running event loop, as ``async with``.

    The first connections get the given weathers in order; later ones have no fault. ``struck`` counts the injected
    faults, ``carried`` all bytes from the server.
    """

    def __init__(self, target: str, weathers: Sequence[Weather], seed: int) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._weathers = list(weathers)
        self._random = random.Random(seed)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_ended = False
        self.struck: Counter[Fault] = Counter()
        self.carried = 0
        self.address = ""

    def reset_the_dead(self) -> None:
        """Reset the dead connections, as a middlebox does that restarts and does not know them."""
        for connection in self._connections:
            if connection.struck in _DEAD:
                connection.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A closed server leaves the sockets open that it has just accepted, so it first stops to accept.
        loop = asyncio.get_running_loop()
        for listening in self._server.sockets:
            loop.remove_reader(listening.fileno())
        self._has_ended = True
        await asyncio.sleep(0)
        self._server.close()
        for connection in self._connections:
            connection.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._has_ended:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(lambda _: writer.transport.abort())  # it may be cancelled before it begins
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except (OSError, asyncio.CancelledError):  # the server is down, or this ends
            writer.transport.abort()
            return
        weather = self._weathers.pop(0) if self._weathers else Weather(Fault.NONE, 0)
        connection = _Connection(self, weather, writer, far_writer, self._random)
        self._connections.add(connection)
        try:
            await asyncio.gather(connection.carry_up(reader), connection.carry_down(far_reader))
        finally:
            connection.abort()
            self._connections.discard(connection)
            # A client that gives up before the fault strikes, as on a busy machine, leaves it to the next connection.
            if connection.struck is not weather.fault:
                self._weathers.append(weather)


class _Connection:
    """One connection and its fault; ``struck`` is the fault once it was injected."""

    def __init__(
        self,
        chaos: Chaos,
        weather: Weather,
        near: asyncio.StreamWriter,
        far: asyncio.StreamWriter,
        source: random.Random,
    ) -> None:
        self._chaos = chaos
        self._weather = weather
        self._near = near
        self._far = far
        self._random = source
        self._left = _TRICKLE
        self.struck = Fault.NONE

    def abort(self) -> None:
        """Reset the connection."""
        for writer in (self._near, self._far):
            writer.transport.abort()

    async def carry_up(self, reader: asyncio.StreamReader) -> None:
        """Forward data of the client."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.struck not in (Fault.HALF_OPEN, Fault.MUTE):
                    await self._send(self._far, data)
        if self.struck not in _DEAD:
            self.abort()
        else:
            self._near.transport.abort()

    async def carry_down(self, reader: asyncio.StreamReader) -> None:
        """Forward data of the server."""
        carried = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                start = carried
                carried += len(data)
                self._chaos.carried += len(data)
                fault, after = self._weather
                if fault is not Fault.NONE and self.struck is Fault.NONE and carried > after:
                    head, data = data[: max(after - start, 0)], data[max(after - start, 0) :]
                    await self._send(self._near, head)
                    self.struck = fault
                    self._chaos.struck[fault] += 1
                    if fault is Fault.CUT:
                        self.abort()
                        return
                if self.struck not in (Fault.HALF_OPEN, Fault.DEAF):
                    await self._send(self._near, data)
        if self.struck not in _DEAD:
            self.abort()

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.struck is Fault.DELAY:
            await asyncio.sleep(self._random.uniform(0.0, 0.02))
        if self.struck is Fault.TRICKLE:
            slow, data = data[: self._left], data[self._left :]
            self._left -= len(slow)
            for at in range(len(slow)):
                writer.write(slow[at : at + 1])
                await writer.drain()
        writer.write(data)
        await writer.drain()
