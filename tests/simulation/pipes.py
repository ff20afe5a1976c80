"""One direction of a stream between two nodes, and the queue at its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

from tests.simulation.loop import NETWORK, VirtualLoop

__all__ = ["Inbox", "Pipe", "delay"]

_Message = TypeVar("_Message")


def delay(source: Random) -> float:
    """The delay of a message in seconds: mostly short, sometimes long."""
    return source.uniform(0.001, 0.03) if source.random() < 0.97 else source.uniform(0.1, 3.0)


class Pipe:
    """One direction. While ``deaf`` it loses all messages, also those in flight."""

    def __init__(self, loop: VirtualLoop, source: Random) -> None:
        self.deaf = False
        self._loop = loop
        self._source = source
        self._arrival = 0.0

    def send(self, deliver: Callable[..., None], *args: object) -> None:
        """Deliver a message after a delay, in order."""
        self._arrival = max(self._arrival, self._loop.time() + delay(self._source))
        self._loop.call_at(self._arrival, self._deliver, deliver, args, context=NETWORK)

    def _deliver(self, deliver: Callable[..., None], args: tuple[object, ...]) -> None:
        if not self.deaf:
            deliver(*args)


class Inbox(Generic[_Message]):
    """The messages that arrived at one end, and its end: with ``error``, or without."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._messages: deque[_Message] = deque()
        self._ended = False
        self._arrived = asyncio.Event()

    def put(self, message: _Message) -> None:
        """Add a message."""
        if not self._ended:
            self._messages.append(message)
            self._arrived.set()

    def end(self, error: Exception | None) -> None:
        """End the queue."""
        if not self._ended:
            self._ended = True
            self.error = error
            self._arrived.set()

    async def get(self) -> _Message | None:
        """The next message; None at the end. Raises ``error`` if it ended with one."""
        while not self._messages:
            if self._ended:
                if self.error is not None:
                    raise self.error
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()
