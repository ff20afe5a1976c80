"""The event loop is watched: how long its passes took, and what held it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from milepost.server.runtime.process import loop_watchdog
from milepost.server.runtime.process.loop_watchdog import LoopWatchdog
from milepost.server.scheduling.loop_lag import LONG_PASS_TIME, LoopLag
from milepost.server.scheduling.steps import Steps, finish

LIMIT = 0.5
"""Seconds. Longer than a busy machine holds a loop of which nothing is asked."""
TOLD_LIMIT = 60.0
"""Seconds, where passes are told rather than made."""
PATIENCE = 120.0


def test_passes_are_counted_by_how_long_they_took() -> None:
    """The longest by the clock and by the processor, and those over the limit."""
    lag = LoopLag()
    lag.short += 97
    for milliseconds, cpu_milliseconds in ((4, 4), (19, 3), (700, 5)):
        lag.count(milliseconds / 1e3, cpu_milliseconds / 1e3)

    assert (lag.passes, lag.long_passes, lag.longest, lag.longest_cpu) == (100, 1, 0.7, 0.005)


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


def run(watchdog: LoopWatchdog, work: Callable[[], object]) -> None:
    """Run an event loop that is held by some work, in a pass of its own."""

    async def main() -> None:
        watchdog.start()
        await asyncio.sleep(0)
        work()
        await asyncio.sleep(0)
        watchdog.stop()

    with asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        runner.run(main())


def end_pass(watchdog: LoopWatchdog, seconds: float) -> None:
    """Tell a watchdog of a pass that took so long, and during which the processor did nothing."""
    watchdog.on_pass(time.perf_counter() - seconds, time.thread_time())


@pytest.fixture
def watchdog() -> Iterator[LoopWatchdog]:
    """One that watches no loop."""
    made = LoopWatchdog(LoopLag(), TOLD_LIMIT)
    made.start()
    yield made
    made.stop()


def test_what_holds_the_loop_is_logged(watchdog: LoopWatchdog) -> None:
    """With how long that was, and how much of it the processor worked; what is within the limit is not."""
    with capture_logs() as log:
        end_pass(watchdog, TOLD_LIMIT / 2)
        end_pass(watchdog, 2 * TOLD_LIMIT)

    (line,) = log
    assert line["event"] == "event loop blocked"
    assert line["milliseconds"] >= 2e3 * TOLD_LIMIT
    assert line["cpu_milliseconds"] < line["milliseconds"]


def test_the_log_is_not_flooded(watchdog: LoopWatchdog) -> None:
    """Within a second only the first pass has a line; the next line says how many had none."""
    with capture_logs() as log:
        for _ in range(100):
            end_pass(watchdog, 2 * TOLD_LIMIT)

    assert "not_logged" not in log[0]
    assert len(log) < 100
    assert len(log) + sum(line.get("not_logged", 0) for line in log) <= 100


def test_a_loop_that_is_held_again_and_again_has_ever_fewer_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to one in 64 s; after a pause the next line comes at once, and those after it as often as at first."""
    now = 1000.0
    monkeypatch.setattr("milepost.server.runtime.process.loop_watchdog.time.perf_counter", lambda: now)
    watchdog, times = LoopWatchdog(LoopLag(), TOLD_LIMIT), []
    with capture_logs() as log:
        for paused, passes in [(0.0, 600), (1000.0, 20)]:
            now += paused
            for _ in range(passes):
                now += 0.5
                before = len(log)
                watchdog.on_pass(now - 2 * TOLD_LIMIT, 0.0)
                times += [now] * (len(log) - before)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 64, 64]
    assert waits[-3:] == [1, 2, 4]


def test_the_log_has_the_longest_of_the_passes_without_a_line(
    watchdog: LoopWatchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are often what somebody looks for: the first of several long passes is seldom the longest."""
    with capture_logs() as log:
        end_pass(watchdog, 2 * TOLD_LIMIT)
        monkeypatch.setattr(loop_watchdog, "_LOG_INTERVAL", 60.0)
        end_pass(watchdog, 4 * TOLD_LIMIT)
        end_pass(watchdog, 3 * TOLD_LIMIT)
        monkeypatch.setattr(loop_watchdog, "_LOG_INTERVAL", 0.0)
        end_pass(watchdog, 2 * TOLD_LIMIT)
        end_pass(watchdog, 2 * TOLD_LIMIT)

    assert [line.get("not_logged") for line in log] == [None, 2, None]
    assert 4e3 * TOLD_LIMIT <= log[1]["longest_not_logged"] < 8e3 * TOLD_LIMIT
    assert "longest_not_logged" not in log[2]


def test_the_passes_of_a_loop_are_measured() -> None:
    """From what it was given to do until it waits again."""
    lag = LoopLag()
    run(LoopWatchdog(lag, LIMIT), lambda: time.sleep(3 * LONG_PASS_TIME))

    assert lag.passes >= 2
    assert lag.long_passes >= 1
    assert lag.longest >= 3 * LONG_PASS_TIME
    assert lag.longest_cpu > 0


def test_what_runs_in_a_long_pass_is_named() -> None:
    """The server's own functions, seen by a look at the stack while they run."""
    watchdog = LoopWatchdog(LoopLag(), LIMIT)

    def until_seen() -> Steps[None]:
        end = time.monotonic() + PATIENCE
        while not watchdog.has_sampled and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(LIMIT)
        yield

    with capture_logs() as log:
        run(watchdog, lambda: finish(until_seen()))

    assert "finish" in [line.get("by") for line in log]


def test_a_pass_is_measured_from_the_start_on() -> None:
    """Of the pass in which the server has started, what comes before is not counted."""
    lag = LoopLag()
    watchdog = LoopWatchdog(lag, LIMIT)

    def hold() -> None:
        time.sleep(LIMIT)

    async def main() -> float:
        hold()
        began = time.perf_counter()
        watchdog.start()
        await asyncio.sleep(0)
        watchdog.stop()
        return time.perf_counter() - began

    with asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        watched = runner.run(main())

    assert lag.passes >= 1
    assert lag.longest <= watched


def test_nothing_is_counted_before_it_is_asked_for() -> None:
    """A server that starts holds its loop for long, and nobody waits for it then."""
    lag = LoopLag()
    watchdog = LoopWatchdog(lag, LIMIT)

    def hold() -> None:
        time.sleep(LIMIT)

    async def main() -> None:
        hold()
        await asyncio.sleep(0)

    with capture_logs() as log, asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        runner.run(main())

    assert (lag.passes, log) == (0, [])


async def _busy(passes: int) -> None:
    for _ in range(passes):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("interval", "asked"), [(0.0, 100), (3600.0, 0)])
def test_a_busy_loop_asks_what_has_arrived_only_after_an_interval(
    monkeypatch: pytest.MonkeyPatch, interval: float, asked: int
) -> None:
    """While it has callbacks to run; its passes count all the same."""
    lag = LoopLag()
    watchdog = LoopWatchdog(lag)
    loop = watchdog.new_event_loop()
    loop.run_until_complete(_busy(1))
    monkeypatch.setattr(loop_watchdog, "_POLL_INTERVAL", interval)
    polls = 0
    wait = watchdog._selector._wait

    def count(timeout: float | None = None) -> Any:
        nonlocal polls
        polls += 1
        return wait(timeout)

    monkeypatch.setattr(watchdog._selector, "_wait", count)
    watchdog.start()
    passes = lag.passes
    loop.run_until_complete(_busy(100))
    watchdog.stop()
    loop.close()

    assert (polls >= asked, polls <= asked + 2) == (True, True)
    assert lag.passes - passes >= 100


def test_a_busy_loop_reads_what_arrives() -> None:
    """However many callbacks it has to run."""
    loop = LoopWatchdog(LoopLag()).new_event_loop()
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        received: list[bytes] = []
        loop.add_reader(here, lambda: received.append(here.recv(1)))

        def keep_busy() -> None:
            if received:
                loop.stop()
            else:
                loop.call_soon(keep_busy)

        loop.call_soon(there.send, b"x")
        loop.call_soon(keep_busy)
        loop.run_forever()
        assert received == [b"x"]
        loop.remove_reader(here)
    loop.close()
