"""Ready files that an event loop gets at a time, however many there are."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from milepost.server.runtime.process.bounded_selector import READY_LIMIT, BoundedSelector


class Sockets:
    """Sockets that a selector waits for, each with something to read."""

    def __init__(self, stack: ExitStack) -> None:
        self.selector = BoundedSelector()
        stack.callback(self.selector.close)
        self._stack = stack

    def add(self, count: int) -> list[socket.socket]:
        """Register so many."""
        added = []
        for _ in range(count):
            here, there = (self._stack.enter_context(end) for end in socket.socketpair())
            there.send(b"x")
            self.selector.register(here, selectors.EVENT_READ)
            added.append(here)
        return added

    def ready(self) -> list[socket.socket]:
        """Those that the selector returns."""
        found = self.selector.select(0)
        assert {events for _, events in found} <= {selectors.EVENT_READ}
        return [key.fileobj for key, _ in found if isinstance(key.fileobj, socket.socket)]


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """None yet."""
    with ExitStack() as stack:
        yield Sockets(stack)


def test_ready_files_come_in_rotation(sockets: Sockets) -> None:
    """None is read of here, and each comes in its turn all the same."""
    added = sockets.add(3 * READY_LIMIT)
    passes = [sockets.ready() for _ in range(3)]

    assert [len(ready) for ready in passes] == [READY_LIMIT] * 3
    assert {each for ready in passes for each in ready} == set(added)


def test_the_servers_own_files_come_in_every_pass(sockets: Sockets) -> None:
    """Workers wait for what gRPC has to say, whatever clients of HTTP do; those that are closed are forgotten."""
    (closed, own) = sockets.add(2)
    sockets.selector.own_registered()
    sockets.add(3 * READY_LIMIT)
    sockets.selector.unregister(closed)
    closed.close()
    (later,) = sockets.add(1)  # it gets the number of the one that is closed

    passes = [sockets.ready() for _ in range(4)]
    assert [own in ready for ready in passes] == [True] * 4
    assert [later in ready for ready in passes].count(True) == 1
    assert max(len(ready) for ready in passes) <= READY_LIMIT + 1


class Lost(asyncio.Protocol):
    """Counts connections that end."""

    count = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Count one."""
        Lost.count += 1


def test_connections_that_end_at_once() -> None:
    """So many end in a pass of the event loop."""

    async def main() -> tuple[int, list[int]]:
        loop = asyncio.get_running_loop()
        Lost.count = 0
        pairs = [socket.socketpair() for _ in range(5 * READY_LIMIT)]
        for here, _ in pairs:
            await loop.create_connection(Lost, sock=here)
        for _, there in pairs:
            there.close()
        passes = [0]
        while sum(passes) < len(pairs):
            await asyncio.sleep(0)
            passes.append(Lost.count - sum(passes))
        return len(pairs), passes

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(BoundedSelector())) as runner:
        count, passes = runner.run(main())

    assert (sum(passes), max(passes)) == (count, READY_LIMIT)


def test_a_listener_that_is_left_for_a_while_stays_the_servers_own(sockets: Sockets) -> None:
    """As asyncio leaves it while the process has no file for a connection; so does a connection that reads too much."""
    (own,) = sockets.add(1)
    sockets.selector.own_registered()
    sockets.selector.unregister(own)
    sockets.add(3 * READY_LIMIT)
    sockets.selector.register(own, selectors.EVENT_READ)

    assert [own in sockets.ready() for _ in range(4)] == [True] * 4


def test_a_file_that_becomes_the_servers_own_later(sockets: Sockets) -> None:
    """As the connection to NATS does that replaces a broken one, also where nothing is read of it at the moment."""
    sockets.add(3 * READY_LIMIT)
    first, second = sockets.add(2)
    sockets.selector.own(first.fileno())
    sockets.selector.unregister(second)
    sockets.selector.own(second.fileno())
    sockets.selector.register(second, selectors.EVENT_READ)

    passes = [sockets.ready() for _ in range(4)]
    assert [(first in ready, second in ready) for ready in passes] == [(True, True)] * 4
