"""Calls begin one at a time after one with too much metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import count, pairwise
from typing import Any

import pytest

from milepost.server.rpc import call_starts
from milepost.server.rpc.call_starts import CAREFUL_TIME, CallStarts, starts_of
from milepost.server.runtime.server import Server, Settings
from milepost.server.scheduling.callers import host_of
from milepost.v1 import GetJobRequest
from tests.support.refused import refused
from tests.support.rpc import connect

# Passes of the event loop in which whatever is due happens.
PASSES = 50


class Calls:
    """Calls that note when they begin."""

    def __init__(self, starts: CallStarts) -> None:
        self._starts = starts
        self.begun: list[int] = []
        self.closed: list[int] = []

    def start(self, number: int, peer: str = "") -> asyncio.Task[None]:
        """Start a call."""
        call = self._call()
        handling = _Noted(self._handle(number, call), number, self)
        return asyncio.create_task(self._starts.start(handling, call, lambda: peer))

    async def _handle(self, number: int, call: Coroutine[Any, Any, None]) -> None:
        self.begun.append(number)
        await call

    async def _call(self) -> None:
        await asyncio.sleep(0)


class _Noted(Coroutine[Any, Any, None]):
    """A coroutine that notes that it is closed."""

    def __init__(self, steps: Coroutine[Any, Any, None], number: int, calls: Calls) -> None:
        self._steps, self._number, self._calls = steps, number, calls

    def __await__(self) -> Any:
        return self._steps.__await__()

    def send(self, value: Any) -> Any:
        """See ``Coroutine``."""
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        """See ``Coroutine``."""
        return self._steps.throw(*error)

    def close(self) -> None:
        """See ``Coroutine``."""
        self._calls.closed.append(self._number)
        self._steps.close()


def clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have each reading of the processor time be so many seconds after the last one."""
    readings: Iterator[int] = count()
    monkeypatch.setattr(call_starts, "thread_time", lambda: seconds * next(readings))


async def run_passes() -> None:
    """Run what is due."""
    for _ in range(PASSES):
        await asyncio.sleep(0)


async def test_calls_begin_at_once() -> None:
    """They are run as they are, without anything in between."""
    handling, call = asyncio.sleep(0), asyncio.sleep(0)

    assert CallStarts().start(handling, call, str) is handling
    handling.close()
    call.close()


async def test_short_ones_begin_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once the one before has, in their order."""
    clock(monkeypatch, 0.0)
    starts = CallStarts()
    starts.begin_carefully()
    calls = Calls(starts)
    running = [calls.start(number) for number in range(5)]
    begun = []
    for _ in range(PASSES):
        await asyncio.sleep(0)
        begun.append(len(calls.begun))
    await asyncio.gather(*running)

    assert calls.begun == [0, 1, 2, 3, 4]
    assert max(after - before for before, after in pairwise(begun)) == 1


async def test_the_loop_rests_after_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as that took: an hour here, so that the next one does not begin. It does not if it is left."""
    clock(monkeypatch, 3_600.0)
    starts = CallStarts()
    starts.begin_carefully()
    calls = Calls(starts)
    first, second = calls.start(1), calls.start(2)
    await first
    await run_passes()
    assert calls.begun == [1]

    second.cancel()
    await second
    assert (calls.begun, calls.closed) == ([1], [2])


async def test_connections_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call waits for one of each other connection, however many these have."""
    clock(monkeypatch, 0.0)
    starts = CallStarts()
    starts.begin_carefully()
    calls = Calls(starts)
    flood = [calls.start(number, "ipv4:127.0.0.1:1") for number in range(4)]
    await asyncio.gather(*flood, calls.start(4, "ipv4:127.0.0.1:2"))

    assert calls.begun == [0, 4, 1, 2, 3]


async def test_who_waits_is_not_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by calls that come after the time in which calls begin one at a time."""
    clock(monkeypatch, 3_600.0)
    starts = CallStarts()
    starts.begin_carefully()
    calls = Calls(starts)
    await calls.start(1)
    waiting = calls.start(2)
    await run_passes()
    later = asyncio.get_running_loop().time() + CAREFUL_TIME
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: later)
    last = calls.start(3)
    await run_passes()

    assert calls.begun == [1]
    for call in (waiting, last):
        call.cancel()
        await call


async def test_calls_of_a_server_begin_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one whose metadata the server has refused."""
    clock(monkeypatch, 0.0)
    monkeypatch.setattr("milepost.server.rpc.interceptor.METADATA_SIZE", 0)
    turns = []
    take_turn = CallStarts._turn

    def turn(self: CallStarts, peer: str) -> asyncio.Future[None]:
        turns.append((self, host_of(peer)))
        return take_turn(self, peer)

    monkeypatch.setattr(CallStarts, "_turn", turn)
    server = Server(Settings("127.0.0.1:0", None))
    await server.start()
    async with connect(server.address) as rpc:
        for _ in range(3):
            answer = await refused(rpc.jobs.GetJob(GetJobRequest(job_id="j")))
            assert answer.metadata == {"limit": "metadata"}
    await server.stop()

    assert turns == 2 * [(starts_of(asyncio.get_running_loop()), "ipv4:127.0.0.1")]
