"""Sets of weak references that other threads add to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from weakref import WeakSet

import pytest

from milepost.client import Client
from milepost.client._transport import fork_safety
from milepost.client._transport.closable_wait import ClosableWait
from milepost.client._transport.weak_members import members

_Member = TypeVar("_Member")


class Growing(WeakSet[_Member], Generic[_Member]):
    """A set that another thread adds a member to while somebody iterates over it for the first time."""

    def __init__(self, make: Callable[[], _Member]) -> None:
        super().__init__()
        self.members = [make()]
        self.add(self.members[0])
        self._make = make

    def __iter__(self) -> Iterator[_Member]:
        for each in super().__iter__():
            if len(self.members) == 1:
                self.members.append(self._make())
                self.add(self.members[1])
            yield each


def test_a_set_that_grows_is_read_again() -> None:
    """Python refuses to go on with an iteration, and so with a copy, in which the set has changed."""
    growing = Growing(ClosableWait)

    assert set(members(growing)) == set(growing.members)


async def test_a_client_is_closed_while_another_thread_begins_a_watch() -> None:
    """The waits of all its watches end."""
    client, growing = Client("127.0.0.1:1"), Growing(ClosableWait)
    client._channel._closable_waits = growing
    waiting = asyncio.ensure_future(anext(client.watch("j")))
    await asyncio.sleep(0)
    await client.close()
    await asyncio.wait((waiting,))

    assert str(waiting.exception()) == "The client is closed."


class Connection:
    """A connection that notes how often it is asked for its loop."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def loop(self) -> None:
        """None: there is nothing to release."""
        self.asked += 1

    def release_if_idle(self) -> None:
        """Not called."""
        raise AssertionError


def test_a_process_forks_while_another_thread_makes_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections are released, and the lock is held during the fork."""
    growing, is_running = Growing(Connection), iter([True])
    monkeypatch.setattr(fork_safety, "_owner_pid", 0)
    monkeypatch.setattr(fork_safety, "_connections", growing)
    monkeypatch.setattr(fork_safety, "_poller_is_running", lambda: next(is_running, False))
    fork_safety._before_fork()
    fork_safety._after_fork_in_parent()

    assert [connection.asked for connection in growing.members] == [1, 1]
