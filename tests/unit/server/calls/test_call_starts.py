"""Calls begin one at a time after one with too much metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain, count, repeat
from typing import Any, TypeAlias

import pytest

from milepost.server.rpc import call_starts
from milepost.server.rpc.call_starts import AFTERWARDS, LARGE_METADATA, CallStarts, starts_of_server
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import GetJobRequest
from tests.support.refused import refused
from tests.support.rpc import connect, eventually

# Passes of the event loop in which whatever is due happens.
PASSES = 50


class Calls:
    """Calls that note when they begin."""

    def __init__(self, starts: CallStarts) -> None:
        self.starts = starts
        self.begun: list[int] = []
        self.closed: list[int] = []

    def start(self, number: int, peer: str = "") -> asyncio.Task[None]:
        """Start a call."""
        call = self._call()
        handling = _Noted(self._handle(number, call), number, self)
        return asyncio.create_task(self.starts.start(handling, call, lambda: peer, tuple))

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


@pytest.fixture(autouse=True)
def _careful_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So much that it is not over before a test says so, though the process stands still for seconds."""
    monkeypatch.setattr(call_starts, "CAREFUL_TIME", 3_600.0)


def clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have each reading of the processor time be so many seconds after the last one."""
    readings: Iterator[int] = count()
    monkeypatch.setattr(call_starts, "thread_time", lambda: seconds * next(readings))


Left: TypeAlias = list[tuple[str, float]]


def left_by(left: Left) -> Callable[[str, float, object], None]:
    """What is called with the peers of calls that are left, and how long they have waited."""
    return lambda peer, seconds, metadata: left.append((peer, seconds))


def careful(left: Left | None = None) -> CallStarts:
    """Starts after a call with large metadata; who leaves its call comes into the list."""
    starts = CallStarts()
    starts.note_metadata(LARGE_METADATA, left_by([] if left is None else left))
    return starts


async def run_passes() -> None:
    """Run what is due."""
    for _ in range(PASSES):
        await asyncio.sleep(0)


async def test_calls_begin_at_once() -> None:
    """They are run as they are, without anything in between."""
    handling, call = asyncio.sleep(0), asyncio.sleep(0)

    assert CallStarts().start(handling, call, str, tuple) is handling
    handling.close()
    call.close()


async def test_large_metadata_alone_changes_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call with a little less has others begin at once, as does one whose time is over."""
    starts = CallStarts()
    starts.note_metadata(LARGE_METADATA - 1, left_by([]))
    handling, call = asyncio.sleep(0), asyncio.sleep(0)
    assert starts.start(handling, call, str, tuple) is handling

    starts.note_metadata(LARGE_METADATA, left_by([]))
    end_careful_time(monkeypatch)
    assert starts.start(handling, call, str, tuple) is handling
    handling.close()
    call.close()


async def test_a_short_one_begins_in_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order."""
    clock(monkeypatch, 0.0)
    calls = Calls(careful())
    running = [calls.start(number) for number in range(5)]
    begun = []
    while len(calls.begun) < 5:
        await asyncio.sleep(0)
        begun.append(len(calls.begun))
    await asyncio.gather(*running)

    assert calls.begun == [0, 1, 2, 3, 4]
    assert begun[-5:] == [1, 2, 3, 4, 5]


async def test_the_loop_rests_after_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as that took: an hour here, so that the next one does not begin. It never does if it is left."""
    clock(monkeypatch, 3_600.0)
    monkeypatch.setattr(call_starts, "LONGEST_REST", 3_600.0)
    left: Left = []
    loop = asyncio.get_running_loop()
    calls = Calls(careful(left))
    came = loop.time()
    first, second = calls.start(1), calls.start(2, "ipv4:127.0.0.1:2")
    await first
    waiting = loop.time()
    await run_passes()
    assert calls.begun == [1]

    leaving = loop.time()
    second.cancel()
    await second
    assert (calls.begun, calls.closed) == ([1], [2])
    ((peer, seconds),) = left
    assert peer == "ipv4:127.0.0.1:2"
    assert leaving - waiting <= seconds <= loop.time() - came


async def test_a_rest_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as after one during which garbage was collected, for an hour here."""
    clock(monkeypatch, 3_600.0)
    calls = Calls(careful())
    await asyncio.gather(calls.start(1), calls.start(2))

    assert calls.begun == [1, 2]


async def test_one_that_is_left_as_its_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not begin, and the next one does."""
    clock(monkeypatch, 0.0)
    calls = Calls(careful())
    first, second = calls.start(1), calls.start(2)
    begin_next = calls.starts._begin_next

    def leave() -> None:
        begin_next()
        first.cancel()

    monkeypatch.setattr(calls.starts, "_begin_next", leave)
    await asyncio.gather(first, second)

    assert (calls.begun, calls.closed) == ([2], [1])


async def test_one_that_is_left_needs_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long ago the one before it has begun."""
    readings = chain([0.0, 0.0], repeat(3_600.0))
    monkeypatch.setattr(call_starts, "thread_time", lambda: next(readings))
    monkeypatch.setattr(call_starts, "LONGEST_REST", 3_600.0)
    calls = Calls(careful())
    first, second, third = (calls.start(number) for number in range(3))
    begin_next = calls.starts._begin_next

    def leave_second() -> None:
        begin_next()
        if calls.begun == [0]:
            second.cancel()

    monkeypatch.setattr(calls.starts, "_begin_next", leave_second)
    await asyncio.wait_for(asyncio.gather(first, second, third), 120)

    assert (calls.begun, calls.closed) == ([0, 2], [1])


async def test_hosts_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call waits for one of each other host, however many calls and connections these have."""
    clock(monkeypatch, 0.0)
    calls = Calls(careful())
    flood = [calls.start(number, f"ipv4:127.0.0.2:{number}") for number in range(4)]
    await asyncio.gather(*flood, calls.start(4, "ipv4:127.0.0.1:1"))

    assert calls.begun == [0, 4, 1, 2, 3]


async def test_who_waits_begins_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few in each pass, without a rest, so that thousands do not hold everybody up."""
    clock(monkeypatch, 3_600.0)
    calls = Calls(careful())
    running = [calls.start(number) for number in range(500)]
    await running[0]
    end_careful_time(monkeypatch)
    begun = await begun_in_each_pass(calls, running)

    assert calls.begun == list(range(500))
    assert max(begun) == AFTERWARDS


async def test_who_comes_while_others_wait_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the time is over. However many come, those that wait become fewer, and then calls begin at once."""
    clock(monkeypatch, 0.0)
    starts = careful()
    calls = Calls(starts)
    running = [calls.start(number, "ipv4:127.0.0.2:1") for number in range(10 * AFTERWARDS)]
    await running[0]
    end_careful_time(monkeypatch)
    other = calls.start(-1, "ipv4:127.0.0.1:1")
    for _ in range(PASSES):
        for _ in range(2 * AFTERWARDS):
            running.append(calls.start(len(running), "ipv4:127.0.0.2:2"))
        await asyncio.sleep(0)
    assert starts._waiting.size == 0
    await asyncio.gather(other, *running)

    assert calls.begun.index(-1) < 5 * AFTERWARDS
    who_waited = range(10 * AFTERWARDS)
    assert [number for number in calls.begun if number >= 0][: len(who_waited)] == list(who_waited)
    handling, call = asyncio.sleep(0), asyncio.sleep(0)
    assert starts.start(handling, call, str, tuple) is handling
    handling.close()
    call.close()


async def test_one_with_large_metadata_has_those_that_wait_begin_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Again, where others of its kind have waited until the time was over."""
    clock(monkeypatch, 0.0)
    starts = careful()
    calls = Calls(starts)
    running = [calls.start(number) for number in range(50)]
    await running[0]
    later = end_careful_time(monkeypatch)
    await running[1]
    starts.note_metadata(LARGE_METADATA, left_by([]))
    assert starts._careful_until == later + call_starts.CAREFUL_TIME
    begun = await begun_in_each_pass(calls, running)

    assert max(begun[1:]) == 1


def end_careful_time(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let the time be over; return when it is."""
    loop = asyncio.get_running_loop()
    later = loop.time() + call_starts.CAREFUL_TIME
    monkeypatch.setattr(loop, "time", lambda: later)
    return later


async def begun_in_each_pass(calls: Calls, running: Sequence[asyncio.Task[None]]) -> list[int]:
    """Run passes until all have ended; how many have begun in each."""
    begun = []
    while not all(call.done() for call in running):
        before = len(calls.begun)
        await asyncio.sleep(0)
        begun.append(len(calls.begun) - before)
    return begun


async def test_calls_of_a_server_begin_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one whose metadata the server has refused, if there is much of it."""
    clock(monkeypatch, 0.0)
    monkeypatch.setattr("milepost.server.rpc.interceptor.METADATA_SIZE", 0)
    monkeypatch.setattr(call_starts, "LARGE_METADATA", 1)
    turns = noted_turns(monkeypatch)
    starts = starts_of_server()
    server = Server(Settings("127.0.0.1:0", None))
    await server.start()
    async with connect(server.address) as rpc:
        for _ in range(3):
            answer = await refused(rpc.jobs.GetJob(GetJobRequest(job_id="j")))
            assert answer.metadata == {"limit": "metadata"}
    await server.stop()

    assert turns == 2 * [(starts, "ipv4:127.0.0.1")]


async def test_calls_of_a_server_that_are_left_do_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the client cancels one, where its deadline passes, and where the server stops, which waits for none."""
    clock(monkeypatch, 3_600.0)
    monkeypatch.setattr(call_starts, "LONGEST_REST", 3_600.0)
    monkeypatch.setattr("milepost.server.runtime.server._STOP_GRACE", 0.1)
    turns = noted_turns(monkeypatch)
    left: Left = []
    starts = starts_of_server()
    server = Server(Settings("127.0.0.1:0", None))
    await server.start()
    async with connect(server.address) as rpc:
        request = GetJobRequest(job_id="j")
        starts.note_metadata(LARGE_METADATA, left_by(left))
        assert (await refused(rpc.jobs.GetJob(request))).code == "NOT_FOUND"
        begun = server.call_count
        cancelled, stopped = rpc.jobs.GetJob(request), rpc.jobs.GetJob(request)

        async def wait() -> bool:
            return len(turns) == 3

        await eventually(wait)
        cancelled.cancel()
        late = []
        while len(turns) == 3:  # again, where the process stood still, so that the call never came
            late.append(await rpc.jobs.GetJob(request, timeout=1.0).code())

        async def are_left() -> bool:
            return len(left) == len(turns) - 2  # all but the one that has begun, and the last one

        await eventually(are_left)
        await server.stop()
        codes = [await cancelled.code(), *set(late), await stopped.code()]

    assert [code.name for code in codes] == ["CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE"]
    assert (len(left), server.call_count) == (len(turns) - 1, begun)


def noted_turns(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CallStarts, str]]:
    """The turns that calls wait for: at which starts, and of which host."""
    turns = []
    take_turn = CallStarts._turn

    def turn(self: CallStarts, host: str) -> asyncio.Future[None]:
        turns.append((self, host))
        return take_turn(self, host)

    monkeypatch.setattr(CallStarts, "_turn", turn)
    return turns
