"""How grpc.aio waits for calls of many methods, and asks for several of each."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections import deque
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from milepost.server.runtime.grpc_server import grpc_accepting
from milepost.server.runtime.grpc_server.grpc_accepting import AHEAD_LIMIT, CallsAhead, wait
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import JobState
from tests.support.rpc import connect, eventually

METHODS = 17

# The end of ``asyncio.run`` cancels all tasks, and whoever holds the server stops it, while threads call it.
_ENDING = """
import asyncio
import threading

import grpc

from milepost.testing import MemoryServer
from milepost.v1 import GetJobRequest, job_service_pb2_grpc

answered = threading.Event()

def call(address):
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        code = None
        while code is not grpc.StatusCode.UNAVAILABLE:
            try:
                job_service_pb2_grpc.JobServiceStub(channel).GetJob(GetJobRequest(job_id="nobody"))
            except grpc.RpcError as error:
                code = error.code()
                answered.set()

async def hold(address):
    async with MemoryServer() as server:
        address.set_result(server.address)
        await asyncio.Event().wait()

async def main():
    address = asyncio.get_running_loop().create_future()
    holding.append(asyncio.create_task(hold(address)))
    server = await address
    callers.extend(threading.Thread(target=call, args=(server,), daemon=True) for _ in range(4))
    for caller in callers:
        caller.start()
    await asyncio.to_thread(answered.wait)

holding, callers = [], []
asyncio.run(main())
for caller in callers:
    caller.join()
print("all calls have ended")
"""


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


def test_what_a_closed_loop_leaves_is_freed() -> None:
    """Its servers wait for ever, and nobody else knows them."""
    gc.collect()
    before = len(grpc_accepting._waits)

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        pending: dict[asyncio.Future[int], int] = {loop.create_future(): 0}
        waiting.append(loop.create_task(accept(pending, [], 1)))
        await asyncio.sleep(0)

    waiting: list[asyncio.Task[None]] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # the task is pending as it is freed
    loop.run_until_complete(begin())
    loop.close()
    assert len(grpc_accepting._waits) == before + 1
    waiting.clear()
    gc.collect()
    assert len(grpc_accepting._waits) == before


class Waiting:
    """Calls that wait in core, by number; ``request`` takes the next one, and waits where there is none."""

    def __init__(self, calls: int) -> None:
        self.requests = 0
        self._calls = deque(range(calls))
        self._left = calls
        self._waiting: list[asyncio.Future[None]] = []
        self._is_stopped = False

    async def request(self) -> int:
        """See the class. As grpc.aio, it waits once. Raises ConnectionError after ``stop``."""
        self.requests += 1
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(self._hand_over, future)
        await future
        return self._calls.popleft()

    def stop(self) -> None:
        """End the requests that wait, and later ones."""
        self._is_stopped = True
        for future in self._waiting:
            future.set_exception(ConnectionError())

    def _hand_over(self, future: asyncio.Future[None]) -> None:
        if self._left:
            self._left -= 1
            future.set_result(None)
        elif self._is_stopped:
            future.set_exception(ConnectionError())
        else:
            self._waiting.append(future)


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
    waiting.stop()
    with pytest.raises(ConnectionError):
        await accepting


async def test_calls_that_nobody_takes_when_the_server_stops() -> None:
    """They are let go, since a server waits for its calls, and whoever waits for the next one hears of it."""
    waiting, ahead = Waiting(AHEAD_LIMIT), CallsAhead()
    assert await ahead.next(waiting.request) == 0

    async def is_ready() -> bool:
        return len(ahead) == AHEAD_LIMIT - 1

    await eventually(is_ready)
    waiting.stop()
    following = [ahead.next(waiting.request) for _ in range(AHEAD_LIMIT - 1)]
    assert [each.result() for each in following] == [*range(1, AHEAD_LIMIT)]
    with pytest.raises(ConnectionError):
        await ahead.next(waiting.request)
    assert len(ahead) == 0


class Memory:
    """Requests of memory that core writes a call to, which each frees in the end."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[None]] = []
        self.freed = 0

    async def request(self) -> str:
        """Ask for a call."""
        future = asyncio.get_running_loop().create_future()
        self.asked.append(future)
        try:
            await future
        finally:
            self.freed += 1
        return "call"


async def test_what_core_writes_to_outlives_the_cancellation_of_all_tasks() -> None:
    """As ``asyncio.run`` does at its end, while a server may still stop: core alone ends a request."""
    memory, ahead = Memory(), CallsAhead()
    following = ahead.next(memory.request)
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
    assert (len(memory.asked), memory.freed) == (AHEAD_LIMIT, 0)
    memory.asked[0].set_result(None)
    assert (await following, memory.freed) == ("call", 1)


def test_what_core_writes_to_outlives_the_loop() -> None:
    """Core keeps the futures that it resolves, and they the rest."""
    memory = Memory()

    async def ask() -> None:
        assert not CallsAhead().next(memory.request).done()
        await asyncio.sleep(0)

    asyncio.run(ask())
    gc.collect()
    assert (len(memory.asked), memory.freed) == (AHEAD_LIMIT, 0)


def test_calls_that_come_while_a_loop_ends_are_answered() -> None:
    """By a server that stops then; core wrote them to memory that was free, and the process crashed."""
    done = subprocess.run(
        [sys.executable, "-c", _ENDING],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONMALLOC": "debug"},
    )
    assert (done.returncode, done.stdout) == (0, "all calls have ended\n")


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
