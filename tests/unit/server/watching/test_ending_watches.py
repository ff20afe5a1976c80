"""The end of a server wakes all watches, some of them in each pass of the event loop."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from milepost.server.access.narrowing import narrow
from milepost.server.access.principal import ANONYMOUS
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps
from milepost.server.watching.feeds import Feeds
from milepost.server.watching.job_criteria import JobCriteria
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.signals import WOKEN_PER_STEP, Signal, Waiter
from milepost.server.watching.tails import Tails
from milepost.v1 import JobFilter

_WATCHES = 4 * WOKEN_PER_STEP + 1


async def _end(signals: list[Signal], closing: Steps[None]) -> tuple[int, list[bool]]:
    """The slices that were left for later passes, and whether each watch has been woken."""
    pacer = Pacer()
    waiters = [Waiter(signal, 3600.0, pacer, "a") for signal in signals]
    waits = [
        asyncio.create_task(waiter.wait(signal.version))
        for waiter, signal in zip(waiters, signals, strict=True)
    ]
    await asyncio.sleep(0)
    slices = Slices()
    await slices.run(closing, SERVER)
    woken = await asyncio.gather(*waits)
    for waiter in waiters:
        waiter.close()
    return slices.count, woken


async def test_watches_of_one_job_end_in_slices() -> None:
    """Also where all of them wait for the same signal."""
    tails = Tails(MemoryBudget(1 << 20))
    with tails.watching("j") as tail:
        assert await _end([tail.signal] * _WATCHES, tails.close()) == (4, [True] * _WATCHES)
    assert tails.closed


async def test_watches_of_many_filters_end_in_slices() -> None:
    """Each has a signal of its own."""
    feeds = Feeds(MemoryEventLog(MemoryDisk.new()), MemoryBudget(1 << 20))
    with ExitStack() as stack:
        filters = [
            JobCriteria.of(wanted, narrow(ANONYMOUS, wanted, with_parent=True))
            for wanted in map(_of_kind, range(_WATCHES))
        ]
        signals = [stack.enter_context(feeds.watching(criteria)).signal for criteria in filters]
        assert await _end(signals, feeds.close()) == (4, [True] * _WATCHES)
    assert feeds.closed


def _of_kind(number: int) -> JobFilter:
    return JobFilter(kinds=[f"k{number}"])
