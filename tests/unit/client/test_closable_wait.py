"""Waits that end where another task closes what they wait for."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from milepost.client._transport.closable_wait import ClosableWait
from tests.support.rpc import eventually


@pytest.mark.parametrize("error", [None, RuntimeError("The client is closed.")])
@pytest.mark.parametrize("was_cancelled", [False, True])
async def test_a_task_whose_wait_is_closed(error: Exception | None, *, was_cancelled: bool) -> None:
    """It goes on after the block, or gets the error; also one that was cancelled before, and went on all the same."""
    wait = ClosableWait()
    waiting = asyncio.Event()
    steps: list[object] = []

    async def work() -> None:
        if was_cancelled:
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        try:
            async with wait.until_closed():
                waiting.set()
                await asyncio.Event().wait()
            steps.append("left")
        except RuntimeError as raised:
            steps.append(raised)

    task = asyncio.create_task(work())
    await waiting.wait()
    wait.close(error)

    async def has_ended() -> bool:
        return task.done()

    await eventually(has_ended)
    assert (task.cancelled(), steps) == (False, ["left" if error is None else error])


async def test_a_cancellation_of_somebody_else() -> None:
    """It goes first, also where the wait is closed in the same pass."""
    wait = ClosableWait()
    waiting = asyncio.Event()

    async def work() -> None:
        async with wait.until_closed():
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await waiting.wait()
    wait.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_wait_of_another_loop() -> None:
    """Is left alone: only its own loop can leave it."""
    wait = ClosableWait()
    loop = asyncio.new_event_loop()

    async def wait_until_closed() -> None:
        async with wait.until_closed():
            await asyncio.Event().wait()

    async def close() -> None:
        wait.close()

    async def steps() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    waiting = loop.create_task(wait_until_closed())
    loop.run_until_complete(steps())
    asyncio.run(close())
    loop.run_until_complete(steps())
    still_waits = not waiting.done()
    loop.run_until_complete(close())
    loop.run_until_complete(asyncio.wait_for(waiting, 120))
    loop.close()

    assert still_waits
