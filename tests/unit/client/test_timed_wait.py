"""Waits with a limit in time."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from milepost.client._worker.timed_wait import completes

# Seconds for what does not end otherwise.
LIMIT: Final = 120.0


@pytest.mark.parametrize("timeout", [0.0, LIMIT, None])
async def test_what_is_so_already_completes(timeout: float | None) -> None:
    """Also where there is no time to wait: a worker with `flush_timeout=0` then ends its session in order."""
    event = asyncio.Event()
    event.set()

    assert await completes(event.wait(), timeout) is True


@pytest.mark.parametrize("timeout", [0.0, 0.001])
async def test_what_does_not_come_in_time(timeout: float) -> None:
    """And nobody goes on to wait for it."""
    tasks = asyncio.all_tasks()

    assert await completes(asyncio.Event().wait(), timeout) is False
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks


@pytest.mark.parametrize("passes", [0, 1, 2, 3, 4])
async def test_a_cancellation_in_the_moment_of_the_end(passes: int) -> None:
    """Is not lost, in whichever pass of the loop after the end it comes, unless the waiting task has ended by then."""
    event = asyncio.Event()
    task = asyncio.create_task(completes(event.wait(), LIMIT))
    for _ in range(2):
        await asyncio.sleep(0)
    event.set()
    for _ in range(passes):
        await asyncio.sleep(0)
    in_time = task.cancel()
    await asyncio.wait((task,))

    assert task.cancelled() == in_time
