"""The event loop is watched: how long its passes took, and what held it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from milepost.server.base.loop_lag import HELD_LIMIT, LoopLag
from milepost.server.base.steps import Steps, finish
from milepost.server.runtime.loop_watchdog import LoopWatchdog

PATIENCE = 30.0


def test_passes_are_counted_by_how_long_they_took() -> None:
    """The longest by the clock and by the processor, and those over the limit."""
    lag = LoopLag()
    for _ in range(97):
        lag.count_short()
    for milliseconds, cpu_milliseconds in ((4, 4), (19, 3), (700, 5)):
        lag.count(milliseconds / 1e3, cpu_milliseconds / 1e3)

    assert (lag.passes, lag.held, lag.longest, lag.longest_cpu) == (100, 1, 0.7, 0.005)


@pytest.mark.parametrize(
    ("times", "p99"),
    [
        ([], 0.0),
        ([0.0] * 100, 0.001),
        ([0.0] * 99 + [0.003], 0.001),
        ([0.0] * 98 + [0.003] * 2, 0.005),
        ([0.0] * 50 + [0.15] * 50, 0.2),
        ([33.0], 33.0),
    ],
)
def test_the_99th_percentile_is_the_bound_of_a_bucket(times: list[float], p99: float) -> None:
    """At most one in a hundred passes took longer than this."""
    lag = LoopLag()
    for seconds in times:
        lag.count(seconds, seconds)

    assert lag.p99 == p99


def watch(
    watchdog: LoopWatchdog, *holds: Callable[[], None], wait: float = 0.0
) -> list[MutableMapping[str, Any]]:
    """Run an event loop that is held so often, each time in a pass of its own; what the log says of it."""

    async def run() -> None:
        watchdog.start()
        for hold in holds:
            await asyncio.sleep(wait)
            hold()
        await asyncio.sleep(0)
        watchdog.stop()

    with capture_logs() as log, asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        runner.run(run())
    return log


def hold() -> None:
    """Hold the loop beyond the limit."""
    time.sleep(2 * HELD_LIMIT)


def test_what_holds_the_loop_is_counted_and_said() -> None:
    """With how long that was, and how much of it the processor worked."""
    lag = LoopLag()
    (line,) = watch(LoopWatchdog(lag), hold)

    assert (line["event"], lag.held) == ("event loop held", 1)
    assert line["milliseconds"] > 1e3 * HELD_LIMIT
    assert line["milliseconds"] == round(1e3 * lag.longest, 1)
    assert line["cpu_milliseconds"] == round(1e3 * lag.longest_cpu, 1)


def test_the_log_is_not_flooded() -> None:
    """All passes are counted; within a second only the first has a line, and the next line says how many had none."""
    lag = LoopLag()
    log = watch(LoopWatchdog(lag), *[hold] * 4)

    assert lag.held == 4
    assert len(log) + sum(line.get("not_logged", 0) for line in log) <= 4
    assert len(log) < 4


def test_what_runs_in_a_long_pass_is_named() -> None:
    """The server's own functions, seen by a look at the stack while they run."""
    watchdog = LoopWatchdog(LoopLag())

    def until_seen() -> Steps[None]:
        end = time.monotonic() + PATIENCE
        while not watchdog.has_sampled and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(2 * HELD_LIMIT)  # where the machine was so slow to begin that it was seen at once
        yield

    (line,) = watch(watchdog, lambda: finish(until_seen()))

    assert line["by"] == "finish"


def test_nothing_is_counted_before_it_is_asked_for() -> None:
    """A server that starts holds its loop for long, and nobody waits for it then."""
    lag = LoopLag()
    watchdog = LoopWatchdog(lag)

    async def run() -> None:
        hold()
        await asyncio.sleep(0)

    with capture_logs() as log, asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        runner.run(run())

    assert (lag.passes, log) == (0, [])
