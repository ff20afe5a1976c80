"""Turns of streams in the passes of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from milepost.server.watching import pacer
from milepost.server.watching.pacer import (
    ACCEPTING_PASSES,
    ACCEPTING_TURNS_LIMIT,
    GIVING_TIME,
    RESTING_PASSES,
    TURNS_LIMIT,
    TURNS_TIME,
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


class Turns:
    """The turns that were given, by streams. Time passes only in turns, and for others' processes."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.time = 0.0
        self.others = 0.0

    def stream(self, name: str, takes: float = 0.0, *, sends: float = 0.0) -> Stream:
        """A stream that takes so many seconds after its turn, and ``sends`` for so many within it."""
        return Stream(self, name, takes, sends)

    async def per_pass(self, total: int, *, resting: bool = False) -> list[int]:
        """How many each pass of the event loop has given until there were so many, without those that rest."""
        counts = [len(self.given)]
        while len(self.given) < total:
            await asyncio.sleep(0)
            counts.append(len(self.given) - sum(counts))
        return [count for count in counts if count or resting]


class Stream:
    """See ``Turns.stream``."""

    def __init__(self, turns: Turns, name: str, takes: float, sends: float) -> None:
        self._turns = turns
        self._name = name
        self._takes = takes
        self._sends = sends

    def resume(self) -> bool:
        """See ``Resumable``."""
        self._turns.given.append(self._name)
        self._turns.time += self._sends
        asyncio.get_running_loop().call_soon(self._run)
        return True

    def _run(self) -> None:
        self._turns.time += self._takes


@pytest.fixture
async def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """No turns yet."""
    made = Turns()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: made.time + made.others)
    monkeypatch.setattr(pacer, "thread_time", lambda: made.time)
    return made


async def test_a_pass_of_the_loop_has_a_bounded_number_of_turns(turns: Turns) -> None:
    """The first streams go on at once; of the others no more than the limit in each pass, in their order."""
    names = [str(number) for number in range(5 * TURNS_LIMIT + 1)]
    paced = Pacer()
    for name in names:
        paced.put("a", turns.stream(name))
    counts = await turns.per_pass(len(names))
    assert (counts, turns.given) == ([TURNS_LIMIT] * 5 + [1], names)


async def test_others_run_between_the_turns(turns: Turns) -> None:
    """What takes several passes of the loop is done after so many passes, however many streams wait."""
    paced = Pacer()
    for _ in range(100 * TURNS_LIMIT):
        paced.put("a", turns.stream("a"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert TURNS_LIMIT <= len(turns.given) <= 6 * TURNS_LIMIT
    await turns.per_pass(100 * TURNS_LIMIT)


async def test_passes_between_those_with_turns_have_none(turns: Turns) -> None:
    """A report that arrives during the turns of a pass is accepted before those of another one."""
    total = 3 * TURNS_LIMIT
    paced = Pacer()
    for _ in range(total):
        paced.put("a", turns.stream("a"))
    counts = await turns.per_pass(total, resting=True)
    assert counts == [TURNS_LIMIT, *(RESTING_PASSES * [0] + [TURNS_LIMIT]) * 2]


async def test_streams_that_send_within_their_turns_end_a_pass(turns: Turns) -> None:
    """No further turn is given once they have taken their time; the next passes have as many again."""
    total = 30
    paced = Pacer()
    for number in range(TURNS_LIMIT + total):
        paced.put("a", turns.stream("a", sends=GIVING_TIME / 10.5 if number >= TURNS_LIMIT else 0.0))
    counts = await turns.per_pass(TURNS_LIMIT + total)
    assert counts == [TURNS_LIMIT, 11, 11, 8]


async def test_the_time_of_other_processes_ends_no_pass(turns: Turns) -> None:
    """Beside them streams have as many turns as on an idle machine: fewer would take more passes, and as long."""

    class Beside(Stream):
        def resume(self) -> bool:
            turns.others += GIVING_TIME
            return super().resume()

    paced = Pacer()
    for _ in range(2 * TURNS_LIMIT):
        paced.put("a", Beside(turns, "a", TURNS_TIME / (2 * TURNS_LIMIT), 0.0))
    assert await turns.per_pass(2 * TURNS_LIMIT) == [TURNS_LIMIT] * 2


async def test_callers_take_turns_in_being_paced(turns: Turns) -> None:
    """A caller with thousands of streams keeps another one's stream waiting for one turn, not for all of its own."""
    paced = Pacer()
    for _ in range(10 * TURNS_LIMIT):
        paced.put("a", turns.stream("a"))
    paced.put("b", turns.stream("b"))
    await turns.per_pass(10 * TURNS_LIMIT + 1)
    assert turns.given.index("b") == TURNS_LIMIT + 1


async def test_long_turns_make_passes_short(turns: Turns) -> None:
    """Where turns take long, the passes have fewer of them, at least one; where they no longer do, more again."""
    total = 8 * TURNS_LIMIT
    paced = Pacer()
    for number in range(total):
        paced.put("a", turns.stream("a", TURNS_TIME if number < 4 * TURNS_LIMIT else 0.0))
    counts = await turns.per_pass(total)
    smallest = counts.index(1)
    assert counts[:smallest] == sorted(counts[:smallest], reverse=True)
    assert max(counts[smallest:]) == TURNS_LIMIT


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


async def test_a_cancelled_stream_uses_no_turn(turns: Turns) -> None:
    """A waiter that was cancelled makes room for the next in the same pass."""
    paced = Pacer()
    for _ in range(TURNS_LIMIT):
        paced.put("a", turns.stream("a"))
    leaving = [asyncio.create_task(paced.turn("a")) for _ in range(TURNS_LIMIT)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    paced.put("a", turns.stream("last"))
    await asyncio.gather(*leaving, return_exceptions=True)
    await asyncio.sleep(0)
    assert turns.given[TURNS_LIMIT:] == ["last"]
    assert len(paced) == 0


async def test_passes_are_short_while_calls_arrive(turns: Turns) -> None:
    """So that new calls, of which a few passes accept one, do not wait for all streams; afterwards passes are full."""
    calls = [0]
    paced = Pacer(lambda: calls[0])
    total = 10 * TURNS_LIMIT
    for _ in range(total):
        paced.put("a", turns.stream("a"))
    for _ in range(RESTING_PASSES):
        await asyncio.sleep(0)
    counts = []
    for accepted in (1, 1, 0):
        calls[0] += accepted
        before = len(turns.given)
        await asyncio.sleep(0)
        counts.append(len(turns.given) - before)
    assert counts == [ACCEPTING_TURNS_LIMIT] * 3
    _, *counts = await turns.per_pass(total, resting=True)
    assert counts[:ACCEPTING_PASSES] == [*(ACCEPTING_PASSES - 2) * [ACCEPTING_TURNS_LIMIT], TURNS_LIMIT, 0]


async def test_a_turn_that_fails(turns: Turns) -> None:
    """The other streams have theirs."""

    class Failing:
        def resume(self) -> int:
            raise LookupError

    paced = Pacer()
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    for _ in range(TURNS_LIMIT):
        paced.put("a", turns.stream("a"))
    paced.put("a", Failing())
    paced.put("a", turns.stream("last"))
    for _ in range(4 * (1 + RESTING_PASSES)):
        await asyncio.sleep(0)
    assert (turns.given[TURNS_LIMIT:], [type(error) for error in errors]) == (["last"], [LookupError])


async def test_few_turns_take_no_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few streams that would be a further pass of the loop for each event."""
    loop, paced = asyncio.get_running_loop(), Pacer()
    callbacks: list[object] = []
    monkeypatch.setattr(loop, "call_soon", callbacks.append)

    for _ in range(UNCOUNTED_TURNS):
        await paced.turn("a")
    before = len(callbacks)
    await paced.turn("a")
    monkeypatch.undo()

    assert (before, len(callbacks)) == (0, 1)


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
