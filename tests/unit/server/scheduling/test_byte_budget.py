"""A budget of bytes: who gets how much of it, and in which order."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from milepost.server.budgets.byte_budget import SMALL_CHARGE, ByteBudget, Charge

MIB = 1 << 20


class Asking:
    """Charges that were asked for, in the order in which they are granted."""

    def __init__(self) -> None:
        self.granted: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, budget: ByteBudget, size: int) -> None:
        """Ask for so many bytes, and return once those that are granted at once are."""

        async def acquire() -> None:
            await budget.acquire(size)
            self.granted.append(name)

        self.tasks[name] = asyncio.create_task(acquire())
        await settle()

    async def release(self, budget: ByteBudget, size: int) -> None:
        """Give so many bytes back, and return once what fits then is granted."""
        budget.release(size)
        await settle()


async def settle() -> None:
    """Let all tasks go on until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_does_not_fit_waits_in_order() -> None:
    """Large ones, also where a later one of them would fit."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    await asking.ask("first", budget, 5 * MIB)
    await asking.ask("large", budget, 4 * MIB)
    await asking.ask("later", budget, MIB)
    assert (asking.granted, budget.used) == (["first"], 5 * MIB)
    await asking.release(budget, 5 * MIB)
    assert (asking.granted, budget.used) == (["first", "large", "later"], 5 * MIB)


async def test_small_charges_have_a_quarter_to_themselves() -> None:
    """However many large ones wait."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    for number in range(8):
        await asking.ask(str(number), budget, MIB)
    assert budget.used == 6 * MIB
    for _ in range(2 * MIB // SMALL_CHARGE):
        assert budget.try_acquire(SMALL_CHARGE)
    assert not budget.try_acquire(SMALL_CHARGE)
    assert budget.used == budget.limit


async def test_a_small_charge_waits_for_no_large_one() -> None:
    """Where both wait, the small one is granted as soon as it fits; and newcomers do not pass it."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    for _ in range(8 * MIB // SMALL_CHARGE):
        assert budget.try_acquire(SMALL_CHARGE)
    await asking.ask("large", budget.child("a", 8 * MIB), MIB)
    await asking.ask("small", budget.child("b", 8 * MIB), SMALL_CHARGE)
    await asking.ask("small too", budget.child("c", 8 * MIB), SMALL_CHARGE)
    await asking.release(budget, SMALL_CHARGE - 1)
    newcomer = budget.child("d", 8 * MIB)
    assert not newcomer.try_acquire(1)
    await asking.release(budget, 1)
    assert asking.granted == ["small"]
    await asking.release(budget, SMALL_CHARGE)
    assert asking.granted == ["small", "small too"]
    await asking.release(budget, 3 * MIB)
    assert asking.granted == ["small", "small too", "large"]
    assert newcomer.try_acquire(1)


def fill(budget: ByteBudget, size: int) -> None:
    """Use so many bytes of it, in small charges."""
    for _ in range(size // SMALL_CHARGE):
        assert budget.try_acquire(SMALL_CHARGE)


def pass_by(budget: ByteBudget, size: int) -> int:
    """Give back a small charge and use it again, until this is refused, or was done with so many bytes; return them."""
    for passed in range(0, size, SMALL_CHARGE):
        budget.release(SMALL_CHARGE)
        if not budget.try_acquire(SMALL_CHARGE):
            return passed
    return size


async def test_a_large_charge_is_passed_by_as_much_as_the_budget_has() -> None:
    """Then small ones leave room for it, also where others of them wait; and after it they go on as before."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    small = budget.child("small", 8 * MIB)
    fill(small, 7 * MIB + MIB // 2)
    await asking.ask("large", budget.child("a", 8 * MIB), MIB)
    await asking.ask("large too", budget.child("b", 8 * MIB), MIB)
    assert pass_by(small, 80 * MIB) == 8 * MIB
    await asking.ask("small", budget.child("c", 8 * MIB), SMALL_CHARGE)
    for _ in range(6):
        await asking.release(small, SMALL_CHARGE)
    assert asking.granted == []
    await asking.release(small, SMALL_CHARGE)
    assert asking.granted == ["large"]
    await asking.release(small, SMALL_CHARGE)
    assert (asking.granted, budget.used) == (["large", "small"], 8 * MIB)
    assert pass_by(small, 80 * MIB) == 8 * MIB - SMALL_CHARGE
    for _ in range(MIB // SMALL_CHARGE - 1):
        assert asking.granted == ["large", "small"]
        await asking.release(small, SMALL_CHARGE)
    assert asking.granted == ["large", "small", "large too"]


async def test_a_large_charge_passes_small_ones_that_wait_in_the_end() -> None:
    """Where there are always some."""
    budget, asking = ByteBudget(MIB), Asking()
    fill(budget, MIB)
    await asking.ask("large", budget.child("a", MIB), 2 * SMALL_CHARGE)
    for number in range(20):
        await asking.ask(str(number), budget.child("b", 8 * MIB), SMALL_CHARGE)
    for _ in range(20):
        await asking.release(budget, SMALL_CHARGE)
    assert asking.granted == [*map(str, range(16)), "large", "16", "17"]


async def test_one_larger_than_the_budget_passes_small_ones_that_wait_in_the_end() -> None:
    """These wait until nothing else is granted, and then for it."""
    budget, asking = ByteBudget(MIB), Asking()
    fill(budget, MIB)
    await asking.ask("huge", budget.child("a", MIB), 2 * MIB)
    for number in range(20):
        await asking.ask(str(number), budget.child("b", 8 * MIB), SMALL_CHARGE)
    for _ in range(31):
        await asking.release(budget, SMALL_CHARGE)
    assert asking.granted == [*map(str, range(16))]
    await asking.release(budget, SMALL_CHARGE)
    assert asking.granted == [*map(str, range(16)), "huge"]
    await asking.release(budget, 2 * MIB)
    assert asking.granted == [*map(str, range(16)), "huge", *map(str, range(16, 20))]


async def test_small_charges_keep_their_quarter_though_a_large_one_waits() -> None:
    """Since other large ones keep it waiting, which may be for long: these do not read, for example."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    await asking.ask("long", budget, 6 * MIB)
    await asking.ask("large", budget.child("a", 8 * MIB), MIB)
    fill(budget, 2 * MIB)
    assert pass_by(budget, 80 * MIB) == 80 * MIB
    assert asking.granted == ["long"]
    budget.release(6 * MIB)
    await settle()
    assert asking.granted == ["long", "large"]


async def test_a_large_charge_that_stops_waiting_leaves_its_room() -> None:
    """To those that wait for it, and to newcomers."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    fill(budget, 8 * MIB)
    await asking.ask("large", budget.child("a", 8 * MIB), MIB)
    assert pass_by(budget, 80 * MIB) == 8 * MIB
    await asking.ask("small", budget.child("b", 8 * MIB), SMALL_CHARGE)
    assert asking.granted == []
    asking.tasks["large"].cancel()
    await settle()
    assert (asking.granted, budget.used) == (["small"], 8 * MIB)
    budget.release(SMALL_CHARGE)
    assert budget.try_acquire(SMALL_CHARGE)
    await asking.ask("another", budget.child("a", 8 * MIB), MIB)
    assert pass_by(budget, 80 * MIB) == 8 * MIB


@pytest.mark.parametrize("seed", range(20))
async def test_all_charges_are_granted_in_the_end(seed: int) -> None:
    """Whatever is asked for at each level, and whoever stops waiting. Large ones leave a quarter free meanwhile."""
    random = Random(seed)
    top = ByteBudget(MIB)
    callers = [top.share(name) for name in "abc"]
    budgets = [top, *callers, *(ByteBudget(MIB // 4, caller, "session") for caller in callers)]
    large = dict.fromkeys(budgets, 0)

    async def use(budget: ByteBudget) -> None:
        levels = budget, *budget._above
        room = min(level.limit for level in levels) * 3 // 4
        size = random.choice([1, SMALL_CHARGE, random.randrange(SMALL_CHARGE + 1, room)])
        await budget.acquire(size)
        for level in levels:
            large[level] += size if size > SMALL_CHARGE else 0
            assert level.used <= level.limit
            assert large[level] <= level.limit * 3 // 4
        try:
            for _ in range(random.randrange(5)):
                await asyncio.sleep(0)
        finally:
            for level in levels:
                large[level] -= size if size > SMALL_CHARGE else 0
            budget.release(size)

    tasks = [asyncio.create_task(use(random.choice(budgets))) for _ in range(300)]
    for task in random.sample(tasks, 100):
        await asyncio.sleep(0)
        task.cancel()
    async with asyncio.timeout(120):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ended} <= {type(None), asyncio.CancelledError}
    assert [(budget.used, budget._used_by_large) for budget in budgets] == [(0, 0)] * len(budgets)


async def test_children_take_turns() -> None:
    """One that asks for much keeps another, who asks for little, waiting for one charge of it."""
    budget, asking = ByteBudget(8 * MIB), Asking()
    greedy, modest = budget.child("greedy", 8 * MIB), budget.child("modest", 8 * MIB)
    assert budget.child("greedy", 8 * MIB) is greedy
    for number in range(12):
        await asking.ask(f"greedy {number}", greedy, MIB)
    await asking.ask("modest", modest, MIB)
    assert len(asking.granted) == 6
    await asking.release(greedy, 2 * MIB)
    assert asking.granted[6:] == ["greedy 6", "modest"]


async def test_a_child_has_a_bound_of_its_own() -> None:
    """Beyond it, it waits for itself, and others go on; what it holds counts above."""
    budget, asking = ByteBudget(80 * MIB), Asking()
    child, other = budget.child("child", 8 * MIB), budget.child("other", 8 * MIB)
    session = child.child("session", 4 * MIB)
    await asking.ask("session", session, 3 * MIB)
    await asking.ask("session too", session, MIB)
    await asking.ask("child", child, 3 * MIB)
    await asking.ask("child too", child, MIB)
    await asking.ask("other", other, MIB)
    assert asking.granted == ["session", "child", "other"]
    assert (session.used, child.used, budget.used) == (3 * MIB, 6 * MIB, 7 * MIB)
    await asking.release(child, 3 * MIB)
    assert asking.granted[3:] == ["child too"]
    await asking.release(session, 3 * MIB)
    assert asking.granted[4:] == ["session too"]
    assert (session.used, child.used, budget.used) == (MIB, 2 * MIB, 3 * MIB)


async def test_larger_than_the_budget() -> None:
    """Is granted alone."""
    budget, asking = ByteBudget(MIB), Asking()
    assert budget.try_acquire(1)
    await asking.ask("huge", budget.child("child", MIB), 5 * MIB)
    assert not asking.granted
    await asking.release(budget, 1)
    assert (asking.granted, budget.used) == (["huge"], 5 * MIB)


async def test_who_stops_waiting_holds_nothing() -> None:
    """Wherever it waits; and those behind it go on."""
    budget, asking = ByteBudget(4 * MIB), Asking()
    child = budget.child("child", 2 * MIB)
    await asking.ask("holder", budget, 3 * MIB)
    await asking.ask("at the parent", child, MIB)
    await asking.ask("at the child", child, MIB)
    await asking.ask("behind", budget, SMALL_CHARGE + 1)
    assert (child.used, budget.used) == (MIB, 3 * MIB)
    budget.release(2 * MIB)  # which grants the first, who is cancelled before it hears of it
    for name in ("at the parent", "at the child"):
        asking.tasks[name].cancel()
    await settle()
    assert asking.granted == ["holder", "behind"]
    assert (child.used, budget.used) == (0, MIB + SMALL_CHARGE + 1)


async def test_a_charge_grows_and_shrinks() -> None:
    """It grows where there is room, and gives back what it holds once."""
    budget = ByteBudget(MIB)
    charge = Charge(budget)
    await charge.acquire(100)
    assert charge.try_resize(1_000)
    assert not charge.try_resize(2 * MIB)
    assert (charge.size, budget.used) == (1_000, 1_000)
    assert charge.try_resize(10)
    assert (charge.size, budget.used) == (10, 10)
    for _ in range(2):
        charge.release()
        assert (charge.size, budget.used) == (0, 0)


async def test_a_charge_that_grew_in_parts_gives_back_what_it_was_charged_as() -> None:
    """So that it is known how much of a budget large ones have."""
    budget = ByteBudget(8 * MIB)
    charge = Charge(budget)
    await charge.acquire(SMALL_CHARGE)
    assert charge.try_resize(3 * MIB)
    await charge.acquire(MIB)
    assert budget._used_by_large == 4 * MIB - SMALL_CHARGE
    assert charge.try_resize(MIB)
    assert budget._used_by_large == MIB - SMALL_CHARGE
    assert charge.try_resize(MIB + 1)
    charge.release()
    assert (budget.used, budget._used_by_large) == (0, 0)
