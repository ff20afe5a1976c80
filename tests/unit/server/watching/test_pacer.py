"""Turns of streams in the passes of the event loop."""

from __future__ import annotations

import asyncio
import math

import pytest

from milepost.server.watching.pacer import (
    ACCEPTING_PASSES,
    ACCEPTING_TURNS_LIMIT,
    GIVING_TIME,
    RESTING_PASSES,
    TURNS_BEFORE_LOOK,
    TURNS_LIMIT,
    TURNS_TIME,
    UNCOUNTED_TURNS,
    Pacer,
)
from milepost.server.watching.signals import TASK_TURNS
from tests.support.paced_turns import Looking, Stream, Task, Turns, counted_turns


@pytest.fixture
async def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """No turns yet."""
    return counted_turns(monkeypatch)


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


async def test_news_goes_before_looks(turns: Turns) -> None:
    """A stream that looks has its turn after those that have news by then, also if these have come later.

    Where news does not end, every so many turns one is of a stream that looks, and callers take turns in these, too.
    """
    paced = Pacer()
    looking = [Looking(turns, name) for name in ("a look", "another look", "b look")]
    for stream in looking:
        paced.put_look(stream.name[0], stream)
    for _ in range(TURNS_LIMIT + 2 * TURNS_BEFORE_LOOK + 2):
        paced.put("a", turns.stream("news"))
    await turns.per_pass(TURNS_LIMIT + 2 * TURNS_BEFORE_LOOK + 5)
    news = ["news"] * TURNS_BEFORE_LOOK
    assert turns.given == [
        *["news"] * TURNS_LIMIT,
        *news,
        "a look",
        *news,
        "b look",
        "news",
        "news",
        "another look",
    ]


async def test_looks_that_wake_tasks_use_their_turns(turns: Turns) -> None:
    """To wake a task takes several turns beside the look's own, so that a pass has fewer of them."""
    paced = Pacer()
    for _ in range(TURNS_LIMIT):
        paced.put_look("a", Looking(turns, "look", wakes=lambda: paced.put("a", Task(turns))))
    counts = await turns.per_pass(2 * TURNS_LIMIT)
    # Each look has its own turn, and that of its task directly after it.
    in_a_pass = math.ceil(TURNS_LIMIT / (1 + TASK_TURNS))
    assert counts[:2] == [2 * in_a_pass, 2 * in_a_pass]
    assert turns.given == ["look", "task"] * TURNS_LIMIT


async def test_a_look_comes_soon_where_nothing_else_waits(turns: Turns) -> None:
    """In the next pass of the event loop, not at once: what was sent before goes out first."""
    paced = Pacer()
    for number in range(3):
        paced.put_look("a", Looking(turns, f"look {number}"))
        given = list(turns.given)
        await turns.per_pass(number + 1)
        assert given == turns.given[:number]
    assert turns.given == ["look 0", "look 1", "look 2"]


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
