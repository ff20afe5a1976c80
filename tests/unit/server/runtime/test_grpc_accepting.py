"""How grpc.aio waits for calls of many methods, and asks for several of each."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from milepost.server.runtime.grpc_server.grpc_accepting import AHEAD_LIMIT, CallsAhead, wait
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import JobState
from tests.support.rpc import connect, eventually

METHODS = 17


class Counted(asyncio.Future[int]):
    """A future that counts the callbacks that are added to any."""

    added = 0

    def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
        """See ``asyncio.Future``."""
        Counted.added += 1
        super().add_done_callback(fn, context=context)


async def accept(pending: dict[asyncio.Future[int], int], accepted: list[int], calls: int) -> None:
    """The loop of a server: take what has come, and wait for the next one of that method."""
    while len(accepted) < calls:
        done, _ = await wait(pending.keys(), return_when=asyncio.FIRST_COMPLETED)
        for completed in done:
            method = pending.pop(completed)
            accepted.append(completed.result())
            pending[Counted()] = method


async def test_a_call_adds_one_callback() -> None:
    """However many methods there are; and none is lost, of two servers in a process either."""
    Counted.added = 0
    servers = []
    for _ in range(2):
        pending: dict[asyncio.Future[int], int] = {Counted(): method for method in range(METHODS)}
        accepted: list[int] = []
        servers.append((pending, accepted, asyncio.create_task(accept(pending, accepted, 100))))
    await asyncio.sleep(0)
    for number in range(100):
        for pending, _, _ in servers:
            next(each for each, method in pending.items() if method == number % METHODS).set_result(number)
        # Else several come before the loop goes on.
        if number % 3 == 0:
            for _ in range(3):
                await asyncio.sleep(0)
    for _, accepted, accepting in servers:
        await accepting
        assert sorted(accepted) == [*range(100)]
    assert 2 * METHODS < Counted.added <= 2 * (METHODS + 100)


async def test_other_waits_are_those_of_asyncio() -> None:
    """With a timeout, for all, and of other collections."""
    loop = asyncio.get_running_loop()
    first, never = loop.create_future(), loop.create_future()
    first.set_result(None)
    assert await wait([first, never], return_when=asyncio.FIRST_COMPLETED) == ({first}, {never})
    assert await wait({first: 1, never: 2}.keys(), timeout=0.0) == ({first}, {never})
    assert await wait([first]) == ({first}, set())


class Waiting:
    """Calls that wait in core, by number; ``request`` takes the next one, and waits where there is none."""

    def __init__(self, calls: int) -> None:
        self.calls = asyncio.Queue[int]()
        self.requests = 0
        self.stopped = asyncio.Event()
        for number in range(calls):
            self.calls.put_nowait(number)

    async def request(self) -> int:
        """See the class. Raises ConnectionError once ``stopped`` is set."""
        self.requests += 1
        call, stop = asyncio.create_task(self.calls.get()), asyncio.create_task(self.stopped.wait())
        await asyncio.wait((call, stop), return_when=asyncio.FIRST_COMPLETED)
        if not call.done():
            call.cancel()
            raise ConnectionError
        stop.cancel()
        return call.result()


async def passes_until(accepted: list[int], calls: int) -> int:
    """Wait until so many calls are accepted; return the passes of the event loop that this took."""
    passes = 0
    while len(accepted) < calls:
        await asyncio.sleep(0)
        passes += 1
    return passes


async def accept_ahead(waiting: Waiting, accepted: list[int]) -> None:
    """The loop of a server that asks for calls of one method ahead."""
    ahead = CallsAhead()
    pending = {ahead.next(waiting.request): None}
    while True:
        done, _ = await wait(pending.keys(), return_when=asyncio.FIRST_COMPLETED)
        for completed in done:
            del pending[completed]
            accepted.append(completed.result())
            pending[ahead.next(waiting.request)] = None


async def test_calls_that_wait_are_accepted_together() -> None:
    """So a call behind many of another caller waits for a fraction of the passes; each is accepted once, in order."""
    waiting, accepted = Waiting(40), list[int]()
    accepting = asyncio.create_task(accept_ahead(waiting, accepted))
    passes = await passes_until(accepted, 40)
    assert accepted == [*range(40)]
    assert passes <= 2 * 40  # a single call takes six
    assert waiting.requests <= 40 + AHEAD_LIMIT
    waiting.stopped.set()
    with pytest.raises(ConnectionError):
        await accepting


async def test_calls_that_nobody_takes_when_the_server_stops() -> None:
    """They are let go, since a server waits for its calls, and whoever waits for the next one hears of it."""
    waiting, ahead = Waiting(AHEAD_LIMIT), CallsAhead()
    assert await ahead.next(waiting.request) == 0

    async def is_ready() -> bool:
        return len(ahead) == AHEAD_LIMIT - 1

    await eventually(is_ready)
    waiting.stopped.set()
    following = [ahead.next(waiting.request) for _ in range(AHEAD_LIMIT - 1)]
    assert [each.result() for each in following] == [*range(1, AHEAD_LIMIT)]
    with pytest.raises(ConnectionError):
        await ahead.next(waiting.request)
    assert len(ahead) == 0


async def test_a_server_waits_like_this(tmp_path: Path) -> None:
    """The module of grpc.aio is of the known form, so that it is changed where a server runs; asyncio itself is not."""
    cygrpc = import_module("grpc._cython.cygrpc")
    server = Server(Settings(address="127.0.0.1:0", data=tmp_path))
    await server.start()
    try:
        async with connect(server.address) as rpc:
            job = await rpc.submit()
        assert (job.state, cygrpc.asyncio.wait is wait) == (JobState.JOB_STATE_QUEUED, True)
        assert isinstance(vars(cygrpc.AioServer)["_make_request_call_future"], FunctionType)
        assert (asyncio.wait is wait, cygrpc.asyncio.Lock is asyncio.Lock) == (False, True)
    finally:
        await server.stop()
