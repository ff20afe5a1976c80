"""The watchdog of a worker's event loop."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time

import pytest

from milepost.client import JobContext
from milepost.client._worker.elapsed_text import elapsed_text
from milepost.client._worker.handlers import Outcome
from milepost.client._worker.in_process_runner import start_handler
from milepost.client._worker.loop_watchdog import LoopWatchdog
from milepost.client._worker.reporter import Reporter

BLOCKED = 0.05
"""Seconds."""


def hold(caplog: pytest.LogCaptureFixture) -> None:
    """Block the caller until the watchdog has logged."""
    deadline = time.monotonic() + 120
    while not of_hold(caplog) and time.monotonic() < deadline:
        time.sleep(0.005)


def of_hold(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log lines about ``hold``; on a busy machine there may be others."""
    return [message for message in caplog.messages if f"in hold ({__file__}, line " in message]


async def quiet() -> None:
    """Let the loop run a few heartbeats of the watchdog."""
    for _ in range(5):
        await asyncio.sleep(BLOCKED / 2)


async def test_a_blocked_loop_is_noticed_while_it_is(
    job: JobContext, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    """With the job whose handler blocks it and the location; and with the duration, once it is over."""

    async def blocks(job: JobContext) -> None:
        hold(caplog)

    with caplog.at_level(logging.WARNING, "milepost.client"), LoopWatchdog(blocked=BLOCKED):
        outcome = await start_handler(blocks, job, reporter).outcome
        await quiet()

    assert outcome == Outcome()
    during, after = of_hold(caplog)
    assert during.startswith("the event loop has been blocked for ")
    assert after.startswith("the event loop was blocked for ")
    assert all(f" s by job {job.id}, in hold (" in message for message in (during, after))


async def test_a_task_of_a_handler_is_known_by_its_job(
    job: JobContext, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    """If Python has it: before 3.12 the task's own name is logged."""

    async def inner() -> None:
        hold(caplog)

    async def blocks(job: JobContext) -> None:
        await asyncio.create_task(inner(), name="inner")

    with caplog.at_level(logging.WARNING, "milepost.client"), LoopWatchdog(blocked=BLOCKED):
        await start_handler(blocks, job, reporter).outcome
        await quiet()

    whose = f"by job {job.id}, " if sys.version_info >= (3, 12) else "by the task 'inner', "
    assert [whose in message for message in of_hold(caplog)] == [True, True]


async def test_a_responsive_loop_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    """However long tasks wait in it."""
    with caplog.at_level(logging.WARNING, "milepost.client"), LoopWatchdog(blocked=30.0):
        await quiet()

    assert caplog.messages == []


async def test_the_watchdog_leaves_no_thread_or_timer() -> None:
    """No thread and no timer."""
    with LoopWatchdog() as watchdog:
        assert "milepost watchdog" in [thread.name for thread in threading.enumerate()]
    timer = watchdog.__dict__["_timer"]

    assert "milepost watchdog" not in [thread.name for thread in threading.enumerate()]
    assert timer.cancelled()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (245.2, "4 min 5 s"),
        (3599.9, "1 h 0 min"),
        (11_545.0, "3 h 12 min"),
    ],
)
def test_how_long_something_lasted(seconds: float, words: str) -> None:
    """In a readable unit."""
    assert elapsed_text(seconds) == words
