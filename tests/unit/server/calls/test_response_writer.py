"""Responses that are written without the task of their call, by a real server of grpc.aio."""

from __future__ import annotations

import asyncio
import socket
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import grpc.aio
import pytest

from milepost.server.calls.call_turns import ENDS_PER_PASS
from milepost.server.calls.paced_ends import PacedEnds
from milepost.server.dispatch.worker_session import ResponseQueue
from milepost.server.rpc.response_writer import ResponseWriter, Sent
from milepost.server.runtime.grpc_server.grpc_wakeups import RUN_PER_PASS, Wakeups
from milepost.server.runtime.server import Server, Settings
from milepost.server.watching.signals import Waiter
from milepost.v1 import Claim, Dispatch, WorkResponse
from tests.support.rpc import connect, eventually, log_line

Handle: TypeAlias = Callable[[ResponseWriter], Awaitable[None]]

# More than a stream takes that nobody reads.
LARGE = b"x" * (256 << 10)


@asynccontextmanager
async def calling(handle: Handle) -> AsyncIterator[Any]:
    """A call that is served by this function."""

    async def serve(_: object, context: Any) -> None:
        async with ResponseWriter(context) as writer:
            await handle(writer)

    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Method": grpc.stream_stream_rpc_method_handler(serve)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("service", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 << 10)]
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            call: Any = channel.stream_stream("/service/Method")
            yield call()
    finally:
        await server.stop(0)


async def test_responses_keep_their_order() -> None:
    """One is offered at a time, what is written waits for it, and the status comes last."""
    taken: list[bool] = []

    async def handle(writer: ResponseWriter) -> None:
        taken.extend([writer.offer(b"1"), writer.offer(b"refused")])
        await writer(b"2")
        taken.append(writer.offer(b"3"))
        await writer.sent()
        taken.append(writer.offer(b"4"))

    async with calling(handle) as call:
        assert [response async for response in call] == [b"1", b"2", b"3", b"4"]
        assert await call.code() == grpc.StatusCode.OK
    assert taken == [True, False, True, True]


async def test_an_offer_needs_no_task() -> None:
    """A callback makes it, while the task of the call waits for something else."""
    goes_on = asyncio.Event()
    writers: list[ResponseWriter] = []

    async def handle(writer: ResponseWriter) -> None:
        writers.append(writer)
        await writer(b"begun")
        await goes_on.wait()

    async with calling(handle) as call:
        assert await call.read() == b"begun"
        asyncio.get_running_loop().call_soon(writers[0].offer, b"offered")
        assert await call.read() == b"offered"
        assert not goes_on.is_set()
        goes_on.set()
        assert await call.read() is grpc.aio.EOF


async def test_a_client_that_does_not_read() -> None:
    """What was offered is sent once the client reads; until then no other offer is taken. Who asks learns of it."""
    steps: list[str] = []
    begun = asyncio.Event()

    async def handle(writer: ResponseWriter) -> None:
        assert not writer.call_when_sent(lambda: steps.append("nothing to send"))
        assert writer.offer(LARGE)
        begun.set()
        steps.append(f"free {writer.is_free}")
        assert writer.call_when_sent(lambda: steps.append("replaced"))
        assert writer.call_when_sent(lambda: steps.append(f"sent, free {writer.is_free}"))
        await writer.sent()
        steps.append(f"free {writer.is_free}")
        await writer(b"last")

    async with calling(handle) as call:
        await begun.wait()
        assert steps == ["free False"]
        assert [len(response) async for response in call] == [len(LARGE), 4]
    assert steps == ["free False", "sent, free True", "free True"]


async def test_a_status_after_an_error_waits_for_an_offer() -> None:
    """The client gets what was offered, and then the error."""

    async def handle(writer: ResponseWriter) -> None:
        writer.offer(b"1")
        raise LookupError("no more")

    async with calling(handle) as call:
        assert await call.read() == b"1"
        with pytest.raises(grpc.RpcError, match="no more"):
            await call.read()


async def test_a_client_that_has_left() -> None:
    """Whatever was being sent ends; after that nothing is taken, and a write raises."""
    outcome: asyncio.Future[tuple[bool, type[BaseException]]] = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()

    async def handle(writer: ResponseWriter) -> None:
        assert writer.offer(LARGE)
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await writer.sent()
            taken = writer.offer(b"more")
            with pytest.raises(Exception) as raised:  # noqa: PT011  # grpc.aio has no public type for it
                await writer(b"more")
            outcome.set_result((taken, raised.type))
            raise

    async with calling(handle) as call:
        await begun.wait()
        call.cancel()
        taken, error = await outcome
    assert (taken, issubclass(error, Exception)) == (False, True)


class _Context:
    """Of a grpc.aio that waits otherwise: once more after a message is handed over, and in another way."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_waiting = asyncio.Event()
        self.waits: list[asyncio.Future[None]] = [
            asyncio.get_running_loop().create_future() for _ in range(2)
        ]

    async def write(self, response: bytes) -> None:
        """See ``grpc.aio.ServicerContext``."""
        await asyncio.sleep(0)
        self.is_waiting.set()
        for wait in self.waits:
            await wait
        self.written.append(response)


async def test_a_write_that_waits_several_times() -> None:
    """It is followed to its end, and nothing else is offered before."""
    context: Any = _Context()
    async with ResponseWriter(context) as writer:
        taken = [writer.offer(b"1")]
        for wait in context.waits:
            taken.append(writer.offer(b"refused"))
            wait.set_result(None)
            for _ in range(3):
                await asyncio.sleep(0)
        taken.append(writer.is_free)
    assert (taken, context.written) == ([True, False, False, True], [b"1"])


async def test_a_write_whose_wait_is_cancelled() -> None:
    """The next write raises it, as the first would have done."""
    context: Any = _Context()
    writer = ResponseWriter(context)
    assert writer.offer(b"1")
    context.waits[0].cancel()
    await writer.sent()
    with pytest.raises(asyncio.CancelledError):
        await writer(b"2")
    assert context.written == []


async def test_calls_whose_writes_fail_at_once_end_in_turns() -> None:
    """As where a crowd leaves that was being written to. Others who wait for the end of such a write go on."""
    ends = PacedEnds()
    contexts: list[Any] = [_Context() for _ in range(3 * ENDS_PER_PASS)]
    writers = [ResponseWriter(context) for context in contexts]
    ended: list[ResponseWriter] = []

    async def write(writer: ResponseWriter) -> None:
        try:
            await writer(b"1")
        finally:
            ended.append(writer)

    calls = [asyncio.create_task(ends.run(write(writer))) for writer in writers]
    waiting = [asyncio.create_task(writer.sent()) for writer in writers]
    for context in contexts:
        await context.is_waiting.wait()
    for context in contexts:
        context.waits[0].set_exception(ConnectionError("the client has left"))
    passes = []
    while not all(call.done() for call in calls):
        before = len(ended)
        await asyncio.sleep(0)
        passes.append(len(ended) - before)
    await asyncio.gather(*waiting)
    assert max(passes) == ENDS_PER_PASS
    assert {repr(call.exception()) for call in calls} == {"ConnectionError('the client has left')"}
    assert not any(writer.is_free for writer in writers)


@pytest.mark.parametrize("is_raised", [True, False])
async def test_a_writer_that_has_failed_is_no_garbage(no_collector: None, *, is_raised: bool) -> None:
    """Its call has a request and a stream, which only the collector would free: whether or not it got the error."""
    context: Any = _Context()
    writer = ResponseWriter(context)
    assert writer.offer(b"1")
    context.waits[0].cancel()
    await writer.sent()
    assert not writer.is_free
    if is_raised:
        with suppress(asyncio.CancelledError):
            await writer(b"2")
    left = weakref.ref(writer)
    del writer
    assert left() is None


async def test_who_waits_for_an_offer_wakes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where other responses are followed up first, for some passes of the event loop."""
    wakeups = Wakeups(asyncio.get_running_loop())
    context: Any = _Context()
    _, last = context.waits
    last.set_result(None)
    writer = ResponseWriter(context)
    others = asyncio.get_running_loop().create_future()
    for _ in range(10 * RUN_PER_PASS):
        others.add_done_callback(Sent(_ignore))
    assert writer.offer(b"1")
    await asyncio.sleep(0)
    waiting = asyncio.create_task(writer.sent())
    waits: list[object] = []
    end_of_write = ResponseWriter._end_of_write

    def noted_end(writer: ResponseWriter) -> asyncio.Future[None]:
        waits.append(writer)
        return end_of_write(writer)

    monkeypatch.setattr(ResponseWriter, "_end_of_write", noted_end)
    await asyncio.sleep(0)

    def resolve() -> None:
        reading.recv(1)
        others.set_result(None)
        context.waits[0].set_result(None)

    reading, writing = socket.socketpair()
    with reading, writing:
        writing.send(b"1")
        wakeups.drain_and_call(reading, writing, resolve)
    await waiting
    assert (len(waits), writer.is_free) == (1, True)


def _ignore(_: object) -> None:
    """Do nothing."""


def users(monkeypatch: pytest.MonkeyPatch, kind: type[Any], method: str) -> set[Any]:
    """The objects of a class whose method is called from now on."""
    found: set[Any] = set()
    call = getattr(kind, method)

    def note(user: object, *arguments: object) -> object:
        found.add(user)
        return call(user, *arguments)

    monkeypatch.setattr(kind, method, note)
    return found


async def test_what_is_live_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that comes alone is acknowledged, and shown to who watches, without waking the task of either call."""
    offered: list[object] = []
    offer = ResponseWriter.offer

    def note(writer: ResponseWriter, response: object) -> bool:
        taken = offer(writer, response)
        if taken:
            offered.append(type(response))
        return taken

    monkeypatch.setattr(ResponseWriter, "offer", note)
    writers = users(monkeypatch, ResponseWriter, "__aenter__")
    queues = users(monkeypatch, ResponseQueue, "get")
    waiters = users(monkeypatch, Waiter, "wait")

    async def nothing_is_written() -> bool:
        """Whether both calls wait: a client may have read a response before the server hears that it is sent."""
        return (
            len(waiters) == 1
            and all(writer.is_free for writer in writers)
            and all(queue.is_awaited for queue in queues)
            and all(waiter.is_waiting for waiter in waiters)
        )

    server = Server(Settings("127.0.0.1:0", tmp_path / "data"))
    await server.start()
    try:
        async with connect(server.address) as rpc, rpc.session(kinds=[]) as session:
            job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
            await session.send(claim=Claim(job_id=job.job_id))
            _, token = await session.take()
            watch = rpc.watch(job.job_id, from_latest=True)
            frames = aiter(watch)
            while not (await anext(frames)).HasField("caught_up"):
                pass
            offered.clear()
            for number in range(1, 4):
                await eventually(nothing_is_written)
                await session.report(job.job_id, token, number, log_line(str(number)))
                await session.acknowledged(number)
                assert [event.log_written.text for event in (await anext(frames)).events.events] == [
                    str(number)
                ]
            watch.cancel()
    finally:
        await server.stop()
    assert sorted(map(str, offered)) == sorted(map(str, [WorkResponse, bytes] * 3))
