"""Long work in slices: what the loop does in between, whose turn it is, and what becomes of who waits."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest

from milepost.server.scheduling.reservations import Reservations
from milepost.server.scheduling.slices import BEGUN_PER_PASS, NEW_TIME, Slices, _CallerWorks, _Work
from milepost.server.scheduling.steps import Steps
from tests.support.rpc import eventually


def work(log: list[str], name: str, slices: int) -> Steps[str]:
    """Work of so many slices, each of which is noted."""
    for number in range(slices):
        log.append(f"{name}{number}")
        if number < slices - 1:
            yield
    return name


async def test_work_of_one_slice_is_done_at_once() -> None:
    """It awaits nothing."""
    log: list[str] = []

    running = Slices().run(work(log, "a", 1), "host")
    with pytest.raises(StopIteration) as done:
        running.send(None)

    assert (done.value.value, log) == ("a", ["a0"])


async def test_little_long_work_begins_at_once() -> None:
    """However many large requests are complete in the same pass, which would have a slice of each of them."""
    log: list[str] = []
    slices = Slices()
    names = [chr(ord("a") + number) for number in range(5 * BEGUN_PER_PASS)]
    works = [asyncio.create_task(slices.run(work(log, name, 2), "host")) for name in names]
    passes = [0]
    while not all(each.done() for each in works):
        await asyncio.sleep(0)
        passes.append(len(log) - sum(passes))

    assert max(passes) == BEGUN_PER_PASS
    assert sorted(log) == sorted(f"{name}{number}" for name in names for number in range(2))


async def test_others_go_first_between_slices() -> None:
    """Whatever else the loop has to do is done between two slices: here, something that goes on at each pass."""
    log: list[str] = []

    async def others() -> None:
        while "a4" not in log:
            log.append("other")
            await asyncio.sleep(0)

    slices = Slices()
    outcome, _ = await asyncio.gather(slices.run(work(log, "a", 5), "host"), others())

    places = [log.index(f"a{number}") for number in range(5)]
    assert all("other" in log[first:last] for first, last in pairwise(places))
    assert (outcome, slices.count) == ("a", 4)


async def test_callers_take_turns() -> None:
    """One with much work waits longer than one with little: each slice of one is followed by one of the other."""
    log: list[str] = []
    slices = Slices()
    of_one = [slices.run(work(log, name, 3), "one") for name in "abc"]
    await asyncio.gather(*of_one, slices.run(work(log, "z", 3), "two"))

    order = [entry for entry in log if entry not in ("a0", "b0", "c0", "z0")]  # done when they came
    assert order == ["a1", "z1", "b1", "z2", "c1", "a2", "b2", "c2"]


async def test_work_that_is_cancelled_gives_its_turn_on() -> None:
    """Whether it waits for a turn, or has just been given one."""
    log: list[str] = []
    slices = Slices()
    tasks = [asyncio.create_task(slices.run(work(log, name, 3), "host")) for name in ("a", "b", "c")]
    await asyncio.sleep(0)  # their first slices; "a" has a turn, the others wait
    tasks[0].cancel()
    tasks[1].cancel()

    assert await tasks[2] == "c"
    assert log == ["a0", "b0", "c0", "c1", "c2"]


@pytest.mark.parametrize("error", [ValueError("broken"), asyncio.CancelledError()], ids=repr)
async def test_an_error_leaves_the_work(error: BaseException) -> None:
    """It reaches who asked for the work, and the next one goes on."""
    slices = Slices()

    def broken() -> Steps[None]:
        yield
        raise error

    async with asyncio.timeout(120):
        outcomes = await asyncio.gather(
            slices.run(broken(), "host"),
            slices.run(work([], "a", 3), "host"),
            return_exceptions=True,
        )
    assert [str(outcome) for outcome in outcomes] == [str(error), "a"]


async def test_work_that_has_failed_is_no_garbage(no_collector: None) -> None:
    """It may have had a large request, which only the collector would free."""

    class Request:
        pass

    def failing(request: Request) -> Steps[None]:
        yield
        raise ValueError(type(request))

    request = Request()
    left = weakref.ref(request)
    with suppress(ValueError):
        await Slices().run(failing(request), "host")
    del request
    await asyncio.sleep(0)  # the callback that goes on with this test has the outcome
    assert left() is None


async def test_who_waits_for_a_key_goes_on_in_order() -> None:
    """Also if one of them reserves it in turn, and if somebody comes at the moment when it is free."""
    reservations = Reservations()
    order: list[str] = []

    async def visit(name: str, awaits: Callable[[], Awaitable[object]] | None = None) -> None:
        if "k" in reservations:
            await reservations.wait("k")
        order.append(name)
        if awaits is not None:
            reservations.reserve("k")
            await awaits()
            reservations.release("k")
            order.append(f"{name} done")

    free = asyncio.Event()
    tasks = [asyncio.create_task(visit("a", free.wait))]
    await asyncio.sleep(0)
    tasks += [
        asyncio.create_task(visit("b")),
        asyncio.create_task(visit("c", partial(asyncio.sleep, 0.001))),
        asyncio.create_task(visit("d")),
    ]
    await asyncio.sleep(0)
    free.set()
    tasks.append(asyncio.create_task(visit("e")))
    await asyncio.gather(*tasks)

    assert order == ["a", "a done", "b", "c", "c done", "d", "e"]
    assert "k" not in reservations


async def test_who_goes_on_finds_the_key_free() -> None:
    """One that went on before may reserve it first; then those who come to it wait again, and keep their places."""
    reservations = Reservations()
    order: list[str] = []

    async def visit(name: str) -> None:
        await reservations.wait("k")
        assert not reservations.is_reserved("k")
        order.append(name)

    reservations.reserve("k")
    visits = [asyncio.create_task(visit(name)) for name in "abc"]
    await asyncio.sleep(0)
    reservations.release("k")
    reservations.reserve("k")
    await asyncio.sleep(0)
    assert order == []

    reservations.release("k")
    await asyncio.gather(*visits)
    assert order == ["a", "b", "c"]
    await eventually(lambda: _is_free(reservations))


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    """A call that was cancelled is passed over."""
    reservations = Reservations()
    reservations.reserve("k")
    waiting = [asyncio.create_task(reservations.wait("k")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    await asyncio.sleep(0)

    reservations.release("k")
    await waiting[2]
    await eventually(lambda: _is_free(reservations))


async def _is_free(reservations: Reservations) -> bool:
    return "k" not in reservations


async def test_small_work_does_not_wait_behind_large_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one caller: what has had no slice yet goes before the further slices of others."""
    # No time passes: on a busy machine small work would use up its time, and large work be due.
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 0.0)
    log: list[str] = []
    slices = Slices()
    large = [slices.run(work(log, name, 20), "host") for name in "abcd"]
    await asyncio.gather(
        *large, *(slices.run(work(log, f"small{number}-", 1), "host") for number in range(8))
    )

    before = log[: log.index("small7-0")]
    assert len([entry for entry in before if not entry.startswith("small")]) < 2 * BEGUN_PER_PASS


async def test_small_work_is_done_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of many would wait for as many passes of the event loop."""
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 0.0)
    log: list[str] = []
    slices = Slices()
    large = [asyncio.create_task(slices.run(work(log, name, 2), "host")) for name in "abcd"]
    small = [asyncio.create_task(slices.run(work(log, "small", 1), "host")) for _ in range(40)]
    passes = [0]
    while not all(each.done() for each in (*large, *small)):
        await asyncio.sleep(0)
        passes.append(log.count("small0") - sum(passes))

    assert (max(passes), sum(passes)) == (BEGUN_PER_PASS, 40)


async def test_large_work_goes_on_beside_small_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of that comes: that has its time, and then there is a slice of large work."""
    clock = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])
    log: list[str] = []
    works = _CallerWorks()

    def small() -> Steps[None]:
        clock[0] += NEW_TIME / 2
        log.append("small")
        yield from ()

    for number in range(2):
        works.put(_Work(work(log, f"large{number}-", 3)), has_begun=True)
    for _ in range(9):
        works.put(_Work(small()), has_begun=False)
    while works:
        works.take_turn(asyncio.get_running_loop())
    assert log[:9] == [
        "small",
        "small",
        "large0-0",
        "small",
        "small",
        "large1-0",
        "small",
        "small",
        "large0-1",
    ]


@pytest.mark.parametrize("end", ["goes on", "returns", "raises"])
async def test_work_may_cancel_who_waits_for_it(end: str) -> None:
    """Such as a call that its own step ends: nobody waits any more, and the works of others go on."""
    slices = Slices()

    def ends_its_caller() -> Steps[None]:
        yield
        waiting.cancel()
        if end == "goes on":
            yield
        if end == "raises":
            raise ValueError("broken")

    waiting = asyncio.create_task(slices.run(ends_its_caller(), "host"))
    async with asyncio.timeout(120):
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await slices.run(work([], "a", 3), "other") == "a"


async def test_a_fault_in_a_turn_ends_no_others() -> None:
    """Whatever leaves a step, and is for the event loop: other works go on, and nobody waits for this one."""

    class Left(BaseException):
        pass

    def broken() -> Steps[None]:
        yield
        raise Left

    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault["exception"]))
    slices = Slices()
    left = asyncio.create_task(slices.run(broken(), "host"))
    async with asyncio.timeout(120):
        outcomes = await asyncio.gather(
            slices.run(work([], "a", 3), "host"), slices.run(work([], "b", 3), "other")
        )
    await asyncio.wait((left,), timeout=120)

    assert (list(outcomes), left.cancelled()) == (["a", "b"], True)
    assert [type(fault) for fault in faults] == [Left]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_the_loop_and_leaves_nobody_waiting(interrupt: type[BaseException]) -> None:
    """It comes out of the loop as always; who waits for the work is cancelled, and other works go on in a later run."""
    slices = Slices()

    def interrupted() -> Steps[None]:
        yield
        raise interrupt

    async def start() -> list[asyncio.Task[object]]:
        works: list[Awaitable[object]] = [
            slices.run(interrupted(), "host"),
            slices.run(work([], "a", 3), "host"),
        ]
        return [asyncio.ensure_future(each) for each in works]

    with asyncio.Runner() as runner:
        left, other = runner.run(start())
        with pytest.raises(interrupt):
            runner.get_loop().run_forever()
        runner.run(asyncio.wait([other], timeout=120))
        assert (left.cancelled(), other.result()) == (True, "a")
