"""The bytes with which grpc.aio wakes the event loop."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from milepost.server.rpc.response_writer import WRITES, Sent
from milepost.server.runtime.grpc_server.grpc_wakeups import RUN_PER_PASS, SENT_AT_LEAST, Wakeups

# In a process of its own, since grpc.aio is initialised once in a process.
_REGISTERED = """
import asyncio
import sys
from milepost.server.runtime.server import Server, Settings

class Loop(asyncio.SelectorEventLoop):
    def add_reader(self, fd, callback, *args):
        print(getattr(callback, "__name__", callback), *(type(argument).__name__ for argument in args))
        super().add_reader(fd, callback, *args)

async def main():
    server = Server(Settings("127.0.0.1:0", None, health_address=sys.argv[1]))
    await server.start()
    await server.stop()

with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(main())
"""

# Fifty calls of a loop that is closed before their events come; then a server in the next loop.
_LOOPS = """
import asyncio
import socket

import grpc.aio

from milepost.client import Client
from milepost.server.runtime.server import Server, Settings

async def begin(address):
    channel = grpc.aio.insecure_channel(address)
    calls = [channel.stream_stream("/service/method")() for _ in range(50)]
    for _ in range(10):
        await asyncio.sleep(0)
    return calls

async def serve():
    server = Server(Settings("127.0.0.1:0", None))
    await server.start()
    async with Client(server.address) as client:
        print((await client.submit("work")).kind)
    await server.stop()

with socket.create_server(("127.0.0.1", 0)) as silent:
    loop = asyncio.new_event_loop()
    calls = loop.run_until_complete(begin("127.0.0.1:%d" % silent.getsockname()[1]))
    for call in calls:
        call.cancel()
    loop.close()
asyncio.run(serve())
"""


async def test_all_bytes_are_read_in_one_pass() -> None:
    """However many bytes wait, one call reads all of them, of which the callback reads one."""
    reading, writing = socket.socketpair()
    left: list[int] = []

    def read_one() -> None:
        reading.recv(1)
        writing.send(b"-")  # so that the next line does not wait where nothing is left
        left.append(len(reading.recv(1000)) - 1)

    with reading, writing:
        for count in (1, 2, 200):
            writing.send(b"1" * count)
            Wakeups(asyncio.get_running_loop()).drain_and_call(reading, writing, read_one)
    assert left == [0, 0, 0]


async def test_bytes_are_counted_only_where_there_may_be_more() -> None:
    """After a pass with one event its byte is read by grpc.aio; after any other pass, whatever is left is read, too.

    An event counts, whether it causes a call or ends a write for which nobody waits.
    """
    wakeups = Wakeups(asyncio.get_running_loop())
    reading, writing = socket.socketpair()
    left: list[int] = []

    def resolve(events: int, ends: int) -> None:
        reading.recv(1)
        WRITES.silent_ends += ends
        for _ in range(events):
            asyncio.get_running_loop().call_soon(lambda: None)

    with reading, writing:
        for events, ends in [(1, 0), (0, 1), (1, 2), (1, 0), (0, 0), (1, 0)]:
            writing.send(b"-" * 2)
            wakeups.drain_and_call(reading, writing, partial(resolve, events, ends))
            writing.send(b"-")
            left.append(len(reading.recv(1000, socket.MSG_PEEK)) - 1)
            reading.recv(1)
    # The first pass counts. So does each one after a pass that had three, or none.
    assert left == [0, 1, 2, 0, 1, 0]


@pytest.mark.parametrize("failure", [RuntimeError("Event loop is closed"), BlockingIOError()])
async def test_bytes_of_events_that_are_left_are_written_back(failure: Exception) -> None:
    """grpc.aio stops at an event of a closed loop; and another thread's loop may read the last byte, of earlier events.

    The second is no error: that loop takes the events.
    """
    reading, writing = socket.socketpair()
    wakeups = Wakeups(asyncio.get_running_loop())

    def fail() -> None:
        reading.recv(1)
        raise failure

    def drain() -> None:
        with nullcontext() if isinstance(failure, BlockingIOError) else pytest.raises(RuntimeError):
            wakeups.drain_and_call(reading, writing, fail)

    with reading, writing:
        writing.send(b"1" * 5)
        drain()
        drain()
        assert len(reading.recv(1000, socket.MSG_DONTWAIT)) == 3


def fail_where_the_socket_fills(wakeups: Wakeups, reading: socket.socket, writing: socket.socket) -> int:
    """Four events are left, and their bytes find no room; return the bytes that another thread has written meanwhile.

    grpc.aio's thread waits for room, and takes it as soon as bytes are read.
    """
    written = 0

    def fail() -> None:
        nonlocal written
        reading.recv(1)
        with suppress(BlockingIOError):
            while True:
                written += writing.send(b"1", socket.MSG_DONTWAIT)
        raise RuntimeError("Event loop is closed")

    writing.send(b"1" * 5)
    with pytest.raises(RuntimeError):
        wakeups.drain_and_call(reading, writing, fail)
    return written


async def test_bytes_that_find_no_room_are_written_back_in_the_next_pass() -> None:
    """Before it calls back, so that they are there whatever ends that pass; an event without a byte would wait."""
    reading, writing = socket.socketpair()
    wakeups = Wakeups(asyncio.get_running_loop())
    left: list[int] = []
    with reading, writing:
        fail_where_the_socket_fills(wakeups, reading, writing)
        for _ in range(2):
            wakeups.drain_and_call(reading, writing, lambda: left.append(len(reading.recv(1 << 16))))
            writing.send(b"1")  # wakes the next pass
    assert left == [1 + 4, 1]


async def test_bytes_that_find_no_room_are_written_back_where_no_pass_comes() -> None:
    """The loop of another thread may have read all that woke this one."""
    reading, writing = socket.socketpair()
    wakeups = Wakeups(asyncio.get_running_loop())
    with reading, writing:
        written = fail_where_the_socket_fills(wakeups, reading, writing)
        assert len(reading.recv(1 << 20)) == written
        reading.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(reading, 1 << 16) == bytes(4)


async def test_another_loop_may_have_read_all() -> None:
    """Then it takes the events."""
    reading, writing = socket.socketpair()
    with reading, writing:
        Wakeups(asyncio.get_running_loop()).drain_and_call(reading, writing, pytest.fail)


async def test_tasks_go_on_in_the_same_pass() -> None:
    """A task that waits for a future has gone on when the call returns, in its own context; other waits are as ever."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[str] = loop.create_future()
    second: asyncio.Future[str] = loop.create_future()
    name: ContextVar[str] = ContextVar("name", default="the loop's")
    steps: list[str] = []

    async def wait() -> None:
        name.set("the task's")
        steps.append(f"{await first} in {name.get()}")
        steps.append(f"{await second} in {name.get()}")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await call(lambda: first.set_result("first"), lambda: steps.append("returned"))
    assert steps == ["first in the task's", "returned"]
    assert name.get() == "the loop's"

    second.set_result("second")
    assert len(steps) == 2
    await waiting
    assert steps[2:] == ["second in the task's"]


async def test_what_was_scheduled_before_goes_first() -> None:
    """A task that was made in the pass has begun before what it waits for, or its cancellation, goes on."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    steps: list[str] = []

    async def begin() -> None:
        steps.append("begun")

    future.add_done_callback(lambda _: steps.append("gone on"))
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.send(b"1")
        task = asyncio.create_task(begin())
        Wakeups(loop).drain_and_call(reading, writing, lambda: future.set_result(None))
        await task
        await asyncio.sleep(0)

    assert steps == ["begun", "gone on"]


async def test_what_happens_at_once_goes_on_in_several_passes() -> None:
    """Some of it in each, in order: thousands of streams may be left at once. Also where others wait for the pass."""
    loop = asyncio.get_running_loop()
    wakeups = Wakeups(loop)
    done: list[asyncio.Future[None]] = []
    passes = []
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(8 * RUN_PER_PASS + 2)]
    for future in futures:
        future.add_done_callback(done.append)
    reading, writing = socket.socketpair()

    def happen(events: list[asyncio.Future[None]]) -> None:
        def resolve() -> None:
            for event in events:
                event.set_result(None)

        writing.send(b"1")
        wakeups.drain_and_call(reading, writing, resolve)

    with reading, writing:
        happen(futures[: len(futures) // 2])
        happen(futures[len(futures) // 2 :])
        while len(done) < len(futures):
            before = len(done)
            await asyncio.sleep(0)
            passes.append(len(done) - before)

    assert done == futures
    assert max(passes) == RUN_PER_PASS


async def test_what_is_sent_goes_on_last() -> None:
    """A report that has come does not wait for thousands of finished writes; of these some go on in each pass."""
    loop = asyncio.get_running_loop()
    wakeups = Wakeups(loop)
    steps: list[str] = []
    passes: list[list[str]] = []
    reading, writing = socket.socketpair()

    def resolve() -> None:
        for _ in range(2 * RUN_PER_PASS):
            loop.call_soon(Sent(steps.append, "sent"))
        for _ in range(RUN_PER_PASS):
            loop.call_soon(steps.append, "come")

    with reading, writing:
        writing.send(b"1")
        loop.call_soon(lambda: None)  # something else waits for the loop
        wakeups.drain_and_call(reading, writing, resolve)
        while len(steps) < 3 * RUN_PER_PASS:
            await asyncio.sleep(0)
            passes.append(steps[sum(map(len, passes)) :])

    first = RUN_PER_PASS * ["come"] + SENT_AT_LEAST * ["sent"]
    rest = 2 * RUN_PER_PASS - SENT_AT_LEAST
    assert [done for done in passes if done] == [
        first,
        RUN_PER_PASS * ["sent"],
        (rest - RUN_PER_PASS) * ["sent"],
    ]


async def test_what_yields_to_others_does() -> None:
    """A task that goes on in the pass takes its next step in the next one: so work is bounded in each pass."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    steps: list[str] = []

    async def work() -> None:
        await future
        for number in range(3):
            steps.append(f"step {number}")
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    await call(lambda: future.set_result(None), lambda: steps.append("returned"))
    await working
    assert steps == ["step 0", "returned", "step 1", "step 2"]


@pytest.mark.parametrize("failure", [LookupError("no such"), asyncio.CancelledError()])
async def test_an_error_is_reported_and_the_others_go_on(failure: BaseException) -> None:
    """To the event loop's handler, as the loop itself does it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    called: list[str] = []
    errors: list[Any] = []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))

    def fail(_: object) -> None:
        raise failure

    future.add_done_callback(fail)
    future.add_done_callback(lambda _: called.append("after"))
    await call(lambda: future.set_result(None), lambda: called.append("returned"))

    assert (called, errors) == (["after", "returned"], [failure])


async def test_what_ends_the_process_ends_the_pass() -> None:
    """The others go on in the next one: tasks that nobody wakes would hold up the end of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    called: list[str] = []

    def leave(_: object) -> None:
        raise SystemExit

    future.add_done_callback(leave)
    future.add_done_callback(lambda _: called.append("after"))
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.send(b"1")
        with pytest.raises(SystemExit):
            Wakeups(loop).drain_and_call(reading, writing, lambda: future.set_result(None))
    assert called == []
    await asyncio.sleep(0)
    assert called == ["after"]


async def call(callback: Callable[[], None], then: Callable[[], None]) -> None:
    """Have the event loop call back for a byte that waits, and ``then`` as soon as that has returned."""
    loop = asyncio.get_running_loop()
    reading, writing = socket.socketpair()
    done = asyncio.Event()

    def on_byte() -> None:
        Wakeups(loop).drain_and_call(reading, writing, callback)
        loop.remove_reader(reading)
        then()
        done.set()

    with reading, writing:
        loop.add_reader(reading, on_byte)
        writing.send(b"1")
        await done.wait()


@pytest.mark.parametrize("health_address", ["", "127.0.0.1:0"])
def test_the_server_reads_all_wakeups_of_grpc_at_once(health_address: str) -> None:
    """It wraps the reader that grpc.aio adds to the event loop, also where health checks have a port of their own."""
    command = [sys.executable, "-c", _REGISTERED, health_address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("drain_and_call socket socket ")]


def test_events_of_a_closed_loop_hold_up_no_others() -> None:
    """Such as of calls that a test left behind; grpc.aio has one queue for all loops, and stops at each of these."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOPS], capture_output=True, text=True, timeout=120, check=True
    )
    assert "work" in done.stdout.splitlines()
    assert done.stderr.count("RuntimeError: Event loop is closed") > 1
