"""A budget of bytes: who gets how much of it, and in which order."""

from __future__ import annotations

import asyncio

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
    """Also where something later would fit: else large charges might wait for ever."""
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
