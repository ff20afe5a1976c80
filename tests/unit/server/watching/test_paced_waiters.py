"""Waiters that are notified: they go on in their turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from milepost.server.watching.pacer import (
    TURNS_LIMIT,
    UNCOUNTED_TURNS,
    Pacer,
    Resumable,
)
from milepost.server.watching.signals import (
    TASK_TURNS,
    WOKEN_PER_PASS,
    WOKEN_PROMPTLY,
    Served,
    Signal,
    Waiter,
)
from tests.support.paced_turns import Stream, Turns, counted_turns


@pytest.fixture
async def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """No turns yet."""
    return counted_turns(monkeypatch)


@pytest.mark.parametrize("count", [1, WOKEN_PROMPTLY])
async def test_a_notification_wakes_few_waiters_at_once(count: int) -> None:
    """So that an event goes out in the pass in which it became durable."""
    signal = Signal()
    woken = wait_for(signal, count)
    await asyncio.sleep(0)
    signal.notify()
    assert woken() == count


async def test_a_notification_wakes_many_waiters_after_what_follows_it() -> None:
    """The acknowledgement of the event goes out first, and no pass of the event loop wakes more than some."""
    signal = Signal()
    woken = wait_for(signal, 2 * WOKEN_PER_PASS + 1)
    await asyncio.sleep(0)
    signal.notify()
    counts = [woken()]
    for _ in range(4):
        await asyncio.sleep(0)
        counts.append(woken())
    assert counts == [0, WOKEN_PER_PASS, 2 * WOKEN_PER_PASS, 2 * WOKEN_PER_PASS + 1, 2 * WOKEN_PER_PASS + 1]


def wait_for(signal: Signal, count: int) -> Callable[[], int]:
    """Have so many wait for the signal; return what counts those that were woken."""

    class CountingPacer(Pacer):
        woken = 0

        def put(self, caller: str, stream: Resumable) -> None:
            self.woken += 1

    paced = CountingPacer()
    waits = [asyncio.create_task(Waiter(signal, 60.0, paced, "a").wait(signal.version)) for _ in range(count)]
    return lambda: paced.woken if waits else 0


async def test_what_comes_while_a_stream_waits_is_one_wake_up(turns: Turns) -> None:
    """Notifications before a stream has its turn wake it once: what has come by then goes out together."""
    paced = Pacer()
    for _ in range(2 * TURNS_LIMIT):
        paced.put("a", turns.stream("a"))
    signal = Signal()
    waiter = Waiter(signal, 60.0, paced, "a")
    waiting = asyncio.create_task(waiter.wait(signal.version))
    await asyncio.sleep(0)
    queued = len(paced)
    for _ in range(3):
        signal.notify()
    assert len(paced) == queued + 1
    assert await waiting
    assert signal.version == 3
    waiter.close()


async def test_news_for_a_busy_subscriber(turns: Turns) -> None:
    """It uses no turn, wakes no task, and is served once the subscriber is free."""
    outcomes = [Served.BUSY, Served.BUSY, Served.ALL, Served.TASK]
    paced, signal = Pacer(), Signal()
    waiter = Waiter(signal, 60.0, paced, "a")
    waiting = asyncio.create_task(waiter.wait(signal.version, lambda: outcomes.pop(0)))
    left = []
    await asyncio.sleep(0)
    signal.notify()
    left.append((len(outcomes), signal.is_awaited))
    signal.notify()
    left.append((len(outcomes), signal.is_awaited))
    waiter.wake()
    waiter.wake()
    left.append((len(outcomes), signal.is_awaited))
    await asyncio.sleep(0)
    assert (left, waiting.done()) == ([(3, False), (3, False), (1, True)], False)
    signal.notify()
    assert await waiting
    waiter.close()


async def test_waking_a_task_takes_several_turns() -> None:
    """What a task does, such as to end its stream, takes longer than to write an event that is there."""
    signal, paced = Signal(), Pacer()
    waiters = [Waiter(signal, 60.0, paced, "a") for _ in range(2 * TURNS_LIMIT)]
    waits = [asyncio.create_task(waiter.wait(signal.version, lambda: Served.TASK)) for waiter in waiters]
    await asyncio.sleep(0)
    signal.notify()
    passes = [0]
    while sum(passes) < len(waits):
        await asyncio.sleep(0)
        passes.append(sum(wait.done() for wait in waits) - sum(passes))
    for waiter in waiters:
        waiter.close()

    # A pass is charged only for what is beyond ``UNCOUNTED_TURNS``.
    assert max(passes) <= (TURNS_LIMIT + UNCOUNTED_TURNS) // TASK_TURNS


@pytest.mark.parametrize("shares", [True, False])
async def test_news_that_is_served_after_an_idle_interval(turns: Turns, shares: bool) -> None:
    """It begins another one, although the turn that the end of the first one takes has yet to come.

    So a task that is woken after that has no idle interval to tell of.
    """

    class Group:
        version, served_at = 0, 0.0

    class Late(Pacer):
        def put(self, caller: str, stream: Resumable) -> None:
            asked.put_nowait(stream)

    def serve() -> Served:
        waiter.restart()
        return Served.ALL

    asked: asyncio.Queue[Resumable] = asyncio.Queue()
    signal, group = Signal(), Group()
    waiter = Waiter(signal, 60.0, Late(), "a")
    waiting = asyncio.create_task(waiter.wait(0, serve, group if shares else None))
    await asyncio.sleep(0)
    turns.time = 60.0
    turn = await asked.get()
    signal.notify()
    if shares:
        group.version, group.served_at = signal.version, turns.time
    else:
        turn.resume()
        waiter.wake_task()
        turn = asked.get_nowait()
    turn.resume()

    assert await waiting
    waiter.close()


async def test_news_in_the_moment_of_the_timeout() -> None:
    """Rule 5: what comes after the interval has passed, and before the stream has noticed that, is not slept over.

    A stream of many jobs would say in its status that there was nothing up to the head, and go on after it.
    """
    signal = Signal()
    loop = asyncio.get_running_loop()
    waiter = Waiter(signal, 0.001, Pacer(), "a")
    waiting = asyncio.create_task(waiter.wait(signal.version))
    await asyncio.sleep(0)
    due = loop.time() + 0.001
    loop.call_at(due, signal.notify)
    while loop.time() <= due:
        pass  # both are due in one turn of the loop, the timeout first
    assert await waiting
    waiter.close()


async def test_news_does_not_keep_a_stream_from_what_takes_its_task() -> None:
    """What comes before the turn is left to the task: served, it would put off a status for as long as events come."""
    signal, paced = Signal(), Pacer()
    served: list[int] = []

    def serve() -> Served:
        served.append(signal.version)
        return Served.TASK

    waiter = Waiter(signal, 60, paced, "a")
    waiting = asyncio.create_task(waiter.wait(signal.version, serve))
    await asyncio.sleep(0)
    for _ in range(TURNS_LIMIT + 1):  # all turns of this pass: the next one is in a later pass
        paced.put("b", Stream(Turns(), "b", 0.0, 0.0))
    waiter.wake_task()
    signal.notify()

    assert (await waiting, served) == (True, [])
    waiter.close()
