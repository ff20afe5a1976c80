"""Reads of a call end as gRPC's core ends them, and whoever waits for one can be cancelled."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server.calls.uncancelled_reads import see_to_end


class _Read:
    """A read as grpc.aio has it: its coroutine waits for a future of core."""

    def __init__(self) -> None:
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.freed = asyncio.Event()

    async def run(self) -> str:
        try:
            received = await self.future
        except ConnectionError:
            received = "failed"
        self.freed.set()
        return received


async def _begun(read: _Read) -> asyncio.Task[str]:
    task: asyncio.Task[str] = asyncio.create_task(_wait_for(read))
    await asyncio.sleep(0)
    return task


async def _wait_for(read: _Read) -> str:
    return await see_to_end(read.run())


async def test_a_read_returns_what_it_receives() -> None:
    """In the pass in which its task wakes. An error is the coroutine's to handle."""
    received, failing = _Read(), _Read()
    tasks = [await _begun(received), await _begun(failing)]
    received.future.set_result("a")
    failing.future.set_exception(ConnectionError())
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, True]
    assert [await task for task in tasks] == ["a", "failed"]


async def test_a_read_that_waits_for_nothing() -> None:
    """As of a call that has ended."""

    async def read() -> str:
        return "end"

    assert await see_to_end(read()) == "end"


async def test_a_cancelled_read_goes_on() -> None:
    """Its task ends at once, and core's operation when core ends it: before, grpc.aio frees nothing."""
    read = _Read()
    task = await _begun(read)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (read.future.done(), read.freed.is_set()) == (False, False)

    read.future.set_result("")
    await read.freed.wait()


async def test_a_read_is_cancelled_in_the_pass_in_which_it_ends() -> None:
    """Either way round."""
    first_cancelled, first_ended = _Read(), _Read()
    tasks = [await _begun(first_cancelled), await _begun(first_ended)]
    tasks[0].cancel()
    first_cancelled.future.set_result("")
    first_ended.future.set_result("")
    tasks[1].cancel()
    assert [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
    await first_cancelled.freed.wait()
    await first_ended.freed.wait()


async def test_a_read_has_a_time_limit() -> None:
    """Which cancels it."""
    read = _Read()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await see_to_end(read.run())
    read.future.set_result("")
    await read.freed.wait()
