"""Calls that are cancelled at once: how many end in a pass of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

from milepost.server.calls.call_turns import ENDS_PER_PASS
from milepost.server.calls.paced_ends import PacedEnds
from milepost.server.scheduling.callers import set_served_caller


class Calls:
    """Calls that wait until they are cancelled."""

    def __init__(self) -> None:
        self._ends = PacedEnds()
        self.ended: list[str] = []

    async def begin(self, callers: list[str]) -> list[asyncio.Task[None]]:
        """Begin a call of each caller."""
        tasks = [asyncio.create_task(self._serve(caller)) for caller in callers]
        await asyncio.sleep(0)
        return tasks

    async def _serve(self, caller: str) -> None:
        set_served_caller(caller)
        await self._ends.run(self._wait(caller))

    async def _wait(self, caller: str) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended.append(caller)


async def test_some_end_in_a_pass() -> None:
    """However many are left at once; callers take turns."""
    calls = Calls()
    tasks = await calls.begin(["crowd"] * 5 * ENDS_PER_PASS + ["user"])
    for task in tasks:
        task.cancel()
    passes = []
    while not all(task.done() for task in tasks):
        before = len(calls.ended)
        await asyncio.sleep(0)
        passes.append(len(calls.ended) - before)

    assert max(passes) == ENDS_PER_PASS
    assert all(task.cancelled() for task in tasks)
    assert calls.ended.index("user") < 2 * ENDS_PER_PASS


async def test_who_is_cancelled_again_waits_no_longer() -> None:
    """As where the server stops."""
    calls = Calls()
    tasks = await calls.begin(["crowd"] * 3 * ENDS_PER_PASS)
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    assert len(calls.ended) == ENDS_PER_PASS

    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    assert len(calls.ended) == len(tasks)


async def test_a_cancellation_is_noted_before_the_call_has_its_turn() -> None:
    """So who leaves calls in a flood is known while they end; an error is none."""
    ends, noted = PacedEnds(), list[str]()

    async def call(answer: asyncio.Future[None]) -> None:
        await ends.run(_wait_for(answer), lambda: noted.append("left"))

    answers = [asyncio.get_running_loop().create_future() for _ in range(3 * ENDS_PER_PASS + 1)]
    tasks = [asyncio.create_task(call(answer)) for answer in answers]
    await asyncio.sleep(0)
    answers.pop().set_exception(_NoSuchJob())
    for task in tasks[:-1]:
        task.cancel()
    await asyncio.sleep(0)
    assert (len(noted), sum(task.done() for task in tasks)) == (3 * ENDS_PER_PASS, ENDS_PER_PASS)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(noted) == 3 * ENDS_PER_PASS


async def _wait_for(answer: asyncio.Future[None]) -> None:
    await answer


async def test_what_a_call_awaits_is_as_without_it() -> None:
    """Timeouts and results."""
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def call() -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)
        return await answer

    asyncio.get_running_loop().call_soon(answer.set_result, "answered")
    assert await PacedEnds().run(call()) == "answered"


class _NoSuchJob(LookupError):
    """An error that takes weak references."""


async def test_an_error_that_a_call_awaits_leaves_no_garbage() -> None:
    """It is freed with the call, which may hold megabytes, and not only by the collector."""
    errors: list[weakref.ref[_NoSuchJob]] = []

    def failing() -> asyncio.Future[None]:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        error = _NoSuchJob()
        errors.append(weakref.ref(error))
        asyncio.get_running_loop().call_soon(answer.set_exception, error)
        return answer

    async def call() -> None:
        await failing()

    gc.disable()
    try:
        with contextlib.suppress(_NoSuchJob):
            await PacedEnds().run(call())
        await asyncio.sleep(0)
        assert [error() for error in errors] == [None]
    finally:
        gc.enable()


async def test_a_call_that_is_closed_is_cleaned_up() -> None:
    """As where the event loop ends before its task does."""
    cleaned_up = False

    async def call() -> None:
        nonlocal cleaned_up
        try:
            await asyncio.sleep(0)
        finally:
            cleaned_up = True

    async def serve() -> None:
        await PacedEnds().run(call())

    serving = serve()
    serving.send(None)
    serving.close()
    assert cleaned_up
