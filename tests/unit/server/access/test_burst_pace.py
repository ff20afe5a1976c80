"""A pace for bursts: which calls begin at once, in which order the others do, and what the loop has to have rested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from milepost.server.access.limits import burst_pace
from milepost.server.access.limits.burst_pace import UNDELAYED_CALLS_LIMIT, BurstPace
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason
from tests.support.rpc import eventually

Begin = Callable[..., list[asyncio.Task[None]]]


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> BurstPace:
    """A pace whose first span lasts, in a loop that does nothing but rest."""
    monkeypatch.setattr(burst_pace, "SPAN", 3600.0)
    work(monkeypatch, 0.0)
    return BurstPace()


@pytest.fixture
def order() -> list[str]:
    """The callers of the calls that have begun."""
    return []


@pytest.fixture
async def begin(pace: BurstPace, order: list[str]) -> AsyncIterator[Begin]:
    """Makes calls; those that wait are cancelled at the end."""
    calls: list[asyncio.Task[None]] = []

    async def call(caller: str) -> None:
        await pace.begin(caller)
        order.append(caller)

    def make(*callers: str) -> list[asyncio.Task[None]]:
        made = [asyncio.create_task(call(caller)) for caller in callers]
        calls.extend(made)
        return made

    yield make
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


def work(monkeypatch: pytest.MonkeyPatch, part: float) -> None:
    """Have the loop's thread work for this part of the time."""
    monkeypatch.setattr(time, "thread_time", lambda: part * time.monotonic())


async def test_a_caller_that_is_alone(begin: Begin, order: list[str]) -> None:
    """It waits for nothing: thousands of watches reconnect together."""
    begin(*["a"] * 10 * UNDELAYED_CALLS_LIMIT)
    await asyncio.sleep(0)
    assert order == ["a"] * 10 * UNDELAYED_CALLS_LIMIT


async def test_a_burst_beside_others(monkeypatch: pytest.MonkeyPatch, begin: Begin, order: list[str]) -> None:
    """A few of its calls begin at once, and calls of others before the further ones."""
    work(monkeypatch, 1.0)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    begin("b", *["a"] * 3 * UNDELAYED_CALLS_LIMIT, "b", "c")
    await asyncio.sleep(0)
    assert order == ["b", *["a"] * UNDELAYED_CALLS_LIMIT, "b", "c"]


async def test_a_burst_beside_somebody_who_makes_no_calls(
    monkeypatch: pytest.MonkeyPatch, pace: BurstPace, begin: Begin, order: list[str]
) -> None:
    """Such as a worker that reports."""
    work(monkeypatch, 1.0)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    pace.note("worker")
    begin(*["a"] * 3 * UNDELAYED_CALLS_LIMIT)
    await asyncio.sleep(0)
    assert order == ["a"] * UNDELAYED_CALLS_LIMIT


async def test_what_takes_as_long_as_several_calls(monkeypatch: pytest.MonkeyPatch, pace: BurstPace) -> None:
    """It counts for as many, such as a report of a thousand updates: eight of these take as long as eighty calls."""
    work(monkeypatch, 1.0)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    pace.note("b")
    turns = [pace.turn("a", calls) for calls in (UNDELAYED_CALLS_LIMIT - 1, 1, 1, UNDELAYED_CALLS_LIMIT + 1)]
    assert [turn is None for turn in turns] == [True, True, False, False]
    assert pace.turn("b", UNDELAYED_CALLS_LIMIT + 1) is not None
    assert pace.turn("c", 1) is None


async def test_bursts_take_turns(begin: Begin, order: list[str]) -> None:
    """Of each that waits one begins after the other; all do in the end."""
    begin(*["a"] * UNDELAYED_CALLS_LIMIT, *["b"] * UNDELAYED_CALLS_LIMIT)
    await asyncio.sleep(0)
    further = begin(*["a"] * 6, *["b"] * 3)
    await asyncio.gather(*further)
    assert "".join(order[2 * UNDELAYED_CALLS_LIMIT :]) == "abababaaa"


async def test_calls_wait_until_the_loop_has_rested(
    monkeypatch: pytest.MonkeyPatch, begin: Begin, order: list[str]
) -> None:
    """For as long as it has worked since the last one began."""
    work(monkeypatch, 0.6)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    checks: list[None] = []
    admit = BurstPace._admit_rested

    def note_and_admit(self: BurstPace) -> None:
        checks.append(None)
        admit(self)

    monkeypatch.setattr(BurstPace, "_admit_rested", note_and_admit)
    begin("b", *["a"] * (UNDELAYED_CALLS_LIMIT + 1))

    async def has_checked() -> bool:
        return len(checks) >= 3

    await eventually(has_checked)
    assert order == ["b", *["a"] * UNDELAYED_CALLS_LIMIT]
    work(monkeypatch, 0.0)

    async def has_begun() -> bool:
        return order == ["b", *["a"] * (UNDELAYED_CALLS_LIMIT + 1)]

    await eventually(has_begun)


async def test_a_loop_that_never_rests(
    monkeypatch: pytest.MonkeyPatch, begin: Begin, order: list[str]
) -> None:
    """Calls begin all the same, one after the other."""
    work(monkeypatch, 1.0)
    begin("b", *["a"] * UNDELAYED_CALLS_LIMIT)
    await asyncio.gather(*begin(*["a"] * 3))
    assert order == ["b", *["a"] * (UNDELAYED_CALLS_LIMIT + 3)]


async def test_a_call_that_is_given_up(begin: Begin, order: list[str]) -> None:
    """It takes no turn from the others."""
    begin("b", *["a"] * UNDELAYED_CALLS_LIMIT)
    await asyncio.sleep(0)
    given_up, *further = begin(*["a"] * 3)
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(*further)
    assert order == ["b", *["a"] * (UNDELAYED_CALLS_LIMIT + 2)]


async def test_others_that_have_left(monkeypatch: pytest.MonkeyPatch, pace: BurstPace, begin: Begin) -> None:
    """After two spans without them a caller is alone; after a quiet one nothing is counted any more."""
    monkeypatch.setattr(burst_pace, "SPAN", 0.001)
    work(monkeypatch, 1.0)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    await asyncio.gather(*begin("b"))
    assert not pace.is_idle

    async def is_idle() -> bool:
        return pace.is_idle

    await eventually(is_idle)
    await asyncio.gather(*begin(*["a"] * 3 * UNDELAYED_CALLS_LIMIT))


async def test_a_call_waits_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch, pace: BurstPace, begin: Begin
) -> None:
    """Then it is refused, though its client gives it no deadline; the others go on waiting for theirs."""
    work(monkeypatch, 1.0)
    monkeypatch.setattr(burst_pace, "LONGEST_WAIT", 3600.0)
    pace.note("b")
    begin(*["a"] * UNDELAYED_CALLS_LIMIT)
    waiting = begin("a", "a")
    await asyncio.sleep(0)
    monkeypatch.setattr(burst_pace, "TURN_TIMEOUT", 0.0)
    with pytest.raises(Refusal) as refused:
        await pace.begin("a")
    assert (refused.value.reason, refused.value.metadata) == (
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        {"limit": "burst"},
    )
    assert [call.done() for call in waiting] == [False, False]
