"""Steps of a watch that outlive a cancelled wait for them, without a server."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine

import pytest

from milepost.client._watch.kept_step import KeptStep
from tests.support.rpc import eventually


class Steps:
    """Steps that wait until they may end; each that begins, and each that ends, is noted."""

    def __init__(self) -> None:
        self.kept = KeptStep()
        self.may_end = asyncio.Event()
        self.noted: list[str] = []

    async def step(self) -> None:
        """Wait."""
        self.noted.append("begun")
        await self.may_end.wait()
        self.noted.append("ended")

    async def fail(self) -> None:
        """Wait, and fail."""
        await self.step()
        raise ZeroDivisionError

    async def wait_resumably(self) -> None:
        """Wait as a later step would."""
        with self.kept.resumable():
            await self.step()

    async def poll(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin to wait, and give up."""
        waiting = asyncio.ensure_future(self.kept.run(step))
        for _ in range(3):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        assert waiting.cancelled()


async def test_the_next_wait_goes_on_with_the_step() -> None:
    """However often a wait is cancelled: nothing is begun anew."""
    steps = Steps()
    for _ in range(3):
        await steps.poll(steps.step)
    steps.may_end.set()
    await steps.kept.run(steps.step)

    assert steps.noted == ["begun", "ended"]
    assert not steps.kept.is_begun


async def test_the_next_wait_gets_the_error() -> None:
    """Which came while nobody waited; a further one begins another step."""
    steps = Steps()
    await steps.poll(steps.fail)
    steps.may_end.set()
    for _ in range(3):
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        await steps.kept.run(steps.step)
    await steps.kept.run(steps.step)

    assert steps.noted == ["begun", "ended"] * 2


async def test_a_resumable_wait_ends_with_the_wait_for_it() -> None:
    """And the next one begins a step that resumes it."""
    steps = Steps()
    before = asyncio.all_tasks()
    await steps.poll(steps.wait_resumably)

    async def has_ended() -> bool:
        return asyncio.all_tasks() == before

    await eventually(has_ended)
    steps.may_end.set()
    await steps.kept.run(steps.wait_resumably)  # the one that was cancelled
    await steps.kept.run(steps.wait_resumably)

    assert steps.noted == ["begun", "begun", "ended"]


async def test_cancelling_the_step_ends_the_wait() -> None:
    """As where a watch is closed while somebody iterates."""
    steps = Steps()
    waiting = asyncio.ensure_future(steps.kept.run(steps.step))
    for _ in range(3):
        await asyncio.sleep(0)
    cancelled = steps.kept.cancel()
    await waiting

    assert cancelled is not None
    assert cancelled.cancelled()
    assert not steps.kept.is_begun


async def test_an_error_that_nobody_gets_is_not_logged() -> None:
    """The watch was dropped, or closed."""
    logged: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    steps = Steps()
    await steps.poll(steps.fail)
    steps.may_end.set()
    for _ in range(3):
        await asyncio.sleep(0)
    steps.kept = KeptStep()
    gc.collect()

    assert steps.noted == ["begun", "ended"]
    assert logged == []


async def test_a_cancellation_that_a_step_raises_reaches_whoever_waits() -> None:
    """As an error does: a callback may raise one, or cancel the task that it runs in."""
    kept = KeptStep()

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def cancels() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    for step in (cancelled, cancels):
        with pytest.raises(asyncio.CancelledError):
            await kept.run(step)
        assert not kept.is_begun
