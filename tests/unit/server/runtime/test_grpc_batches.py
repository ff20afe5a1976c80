"""Batches of gRPC's core are freed, however they end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.runtime.grpc_server import grpc_batches
from tests.support.rpc import eventually

CALLS = 400

# More than a stream takes that nobody reads.
UNREAD = b"x" * (256 << 10)


class Core:
    """Starts batches as grpc.aio does, and frees those that it goes on with once they are done."""

    def __init__(self) -> None:
        self.started: dict[str, asyncio.Future[None]] = {}
        self.freed: list[str] = []

    async def execute(self, call: Any, operations: tuple[Any, ...], loop: asyncio.AbstractEventLoop) -> None:
        """See ``execute_batch`` of grpc.aio."""
        (name,) = operations
        if name == "refused":
            raise RuntimeError(name)
        self.started[name] = loop.create_future()
        await self.started[name]
        self.freed.append(name)

    def done(self, name: str, error: Exception | None = None) -> None:
        """End a batch, as the callback of core does."""
        future = self.started[name]
        if not future.cancelled():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


async def test_who_waits_for_a_batch() -> None:
    """Gets its end, or its error, and the batch is freed by then in both cases; what core refuses raises at once."""
    core, loop = Core(), asyncio.get_running_loop()
    execute_batch = grpc_batches.freeing(core.execute)
    sent, failed = (asyncio.ensure_future(execute_batch(None, (name,), loop)) for name in ("sent", "failed"))
    assert (sent.done(), core.freed) == (False, [])
    core.done("sent")
    core.done("failed", ConnectionError("the client has left"))
    assert core.freed == ["sent", "failed"]
    await sent
    with pytest.raises(ConnectionError, match="the client has left"):
        await failed
    with pytest.raises(RuntimeError, match="refused"):
        await execute_batch(None, ("refused",), loop)
    assert isinstance(loop.create_future(), asyncio.Future)


@pytest.mark.parametrize("error", [None, ConnectionError()])
async def test_a_batch_that_nobody_waits_for_any_more(error: Exception | None) -> None:
    """Its task ends at once, and the batch is freed when core is done with it, whether it fails or not."""
    core = Core()
    execute_batch = grpc_batches.freeing(core.execute)

    async def read() -> None:
        await execute_batch(None, ("read",), asyncio.get_running_loop())

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert core.freed == []
    core.done("read", error)
    assert core.freed == ["read"]


@pytest.mark.parametrize("lost", [None, ConnectionError("the client has left")])
@pytest.mark.parametrize("waits_again", [False, True])
async def test_a_batch_that_cannot_be_freed(lost: ConnectionError | None, *, waits_again: bool) -> None:
    """Whoever waits for it gets the error, first of all that of core, whose callback could not pass it on."""
    loop = asyncio.get_running_loop()
    started: list[asyncio.Future[None]] = []

    async def execute(_call: object, _operations: object, loop: asyncio.AbstractEventLoop) -> None:
        started.append(loop.create_future())
        await started[0]
        if waits_again:
            await asyncio.sleep(0)
        raise MemoryError("no room for the message")

    read = asyncio.ensure_future(grpc_batches.freeing(execute)(None, (), loop))
    if lost is None:
        started[0].set_result(None)
    else:
        started[0].set_exception(lost)
    assert read.done()
    with pytest.raises(ConnectionError if lost else RuntimeError if waits_again else MemoryError):
        await read


class _Heap(ctypes.Structure):
    """mallinfo2 of glibc."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


def _bytes_in_use() -> int:
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = _Heap
    in_use: int = mallinfo().uordblks
    return in_use


Serve = Callable[[AsyncIterator[bytes], "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[None]]


async def test_refusals_of_calls_that_were_left_take_no_memory() -> None:
    """A client may leave calls without end, each while the server reads from it or refuses it.

    grpc.aio by itself loses some 850 bytes for each such call.
    """

    async def refuse(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the client has left
            await context.read()
        await context.abort(grpc.StatusCode.ABORTED, "x" * 100, (("details-bin", b"x" * 300),))

    await check_memory_of_left_calls(refuse, least=300)


@pytest.mark.parametrize("is_offered", [True, False])
async def test_unread_responses_of_calls_that_were_left_take_no_memory(*, is_offered: bool) -> None:
    """So it is with responses that are still being sent; grpc.aio by itself loses some 450 bytes for each call."""

    async def write(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        async with ResponseWriter(context) as writer:
            if is_offered:
                assert writer.offer(UNREAD)
                await asyncio.Event().wait()
            await writer(UNREAD)

    await check_memory_of_left_calls(write, least=250)


async def check_memory_of_left_calls(serve: Serve, least: int) -> None:
    """Have a client leave calls that are served by this: none keeps ``least`` bytes."""
    grpc_batches.install()
    served = 0

    async def count(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        nonlocal served
        try:
            await serve(requests, context)
        finally:
            served += 1

    server = grpc.aio.server()
    handler: Any = grpc.stream_stream_rpc_method_handler(count)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("calls", {"Leave": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 << 10)]
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:

            async def leave_calls() -> None:
                served_by_then = served + CALLS
                for _ in range(CALLS // 50):
                    calls: list[Any] = [channel.stream_stream("/calls/Leave")() for _ in range(50)]
                    for call in calls:
                        await call.wait_for_connection()
                    for call in calls:
                        call.cancel()
                await eventually(lambda: _is(served == served_by_then))

            await leave_calls()
            gc.collect()
            before = _bytes_in_use()
            rounds = 0

            async def keep_less() -> bool:
                # What else takes memory in this process does so once; what calls keep grows with them.
                nonlocal rounds
                await leave_calls()
                rounds += 1
                gc.collect()
                return _bytes_in_use() - before < least * CALLS * rounds

            await eventually(keep_less)
    finally:
        await server.stop(None)


async def _is(condition: bool) -> bool:
    return condition
