"""Calls that arrive at once: how many begin in a pass of the event loop, and whose."""

from __future__ import annotations

import asyncio
from collections import Counter

from milepost.server.calls.call_turns import BYTES_PER_PASS, CALLS_PER_PASS, MESSAGE_SIZE, CallTurns


async def begun_by_pass(turns: CallTurns, callers: list[str], size: int | None = None) -> list[list[str]]:
    """Let a call of each caller begin at once, or a message; return whose began, by pass of the event loop."""
    begun: list[str] = []

    async def call(caller: str) -> None:
        await (turns.begin(caller) if size is None else turns.begin_message(caller, size))
        begun.append(caller)

    calls = [asyncio.create_task(call(caller)) for caller in callers]
    passes = []
    while not all(each.done() for each in calls):
        before = len(begun)
        await asyncio.sleep(0)
        passes.append(begun[before:])
    return passes


async def test_few_begin_in_a_pass() -> None:
    """However many arrive; those of one caller in their order."""
    callers = [f"caller {number}" for number in range(3)] + ["flood"] * 100

    passes = await begun_by_pass(CallTurns(), callers)

    assert Counter(caller for each in passes for caller in each) == Counter(callers)
    assert max(len(each) for each in passes) <= CALLS_PER_PASS


async def test_callers_take_turns() -> None:
    """Who has one call waits for one of each other caller, and not for all that one of them has sent."""
    passes = await begun_by_pass(CallTurns(), ["flood"] * 100 + ["user"])

    assert [caller for each in passes for caller in each].index("user") <= CALLS_PER_PASS + 1


async def test_a_call_that_was_given_up() -> None:
    """It takes nobody's turn."""
    turns = CallTurns()
    waiting = [asyncio.create_task(turns.begin("ci")) for _ in range(3 * CALLS_PER_PASS)]
    await asyncio.sleep(0)
    for each in waiting[CALLS_PER_PASS:-1]:
        each.cancel()

    await waiting[-1]

    assert [each.cancelled() for each in waiting] == [
        CALLS_PER_PASS <= number < 3 * CALLS_PER_PASS - 1 for number in range(3 * CALLS_PER_PASS)
    ]


async def test_large_messages_of_many_streams() -> None:
    """Some bytes of them are handled in a pass, or one message; callers take turns, however many sessions they have."""
    callers = ["flood"] * 100 + ["user"]

    large = await begun_by_pass(CallTurns(), callers, 3 * BYTES_PER_PASS)
    medium = await begun_by_pass(CallTurns(), callers, BYTES_PER_PASS // 4)

    assert (max(map(len, large)), max(map(len, medium))) == (1, 4)
    assert [caller for each in large for caller in each].index("user") <= 2
    assert Counter(caller for each in medium for caller in each) == Counter(callers)


async def test_small_messages() -> None:
    """They wait for nothing, and nothing waits for them: most reports are small."""
    turns = CallTurns()

    passes = await begun_by_pass(turns, ["ci"] * 1000, MESSAGE_SIZE - 1)

    assert [len(each) for each in passes] == [1000]
