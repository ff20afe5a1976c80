"""The simulation's event loop in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.simulation.loop import Endless, Node, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """A new loop."""
    loop = VirtualLoop(1_000)
    yield loop
    loop.close()


def test_time_passes_only_where_nothing_is_ready(loop: VirtualLoop) -> None:
    """A sleep takes its virtual time, and no real time."""

    async def sleeps() -> list[float]:
        start = loop.time()
        await asyncio.gather(asyncio.sleep(1e6), asyncio.sleep(5))
        then = loop.time()
        await asyncio.sleep(0)
        return [then - start, loop.time() - then]

    assert loop.run_until_complete(sleeps()) == [1e6, 0.0]


def test_a_node_that_is_stopped_does_nothing_until_it_goes_on(loop: VirtualLoop) -> None:
    """The timers of a stopped node fire late and in order; those of others are not delayed."""
    ticks: list[tuple[str, float]] = []

    async def tick(name: str) -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            ticks.append((name, loop.time()))

    async def world() -> None:
        start = loop.time()
        nodes = {name: Node(loop, name) for name in "ab"}
        running = [node.start(tick(name)) for name, node in nodes.items()]
        await asyncio.sleep(1.5)
        nodes["a"].stop()
        await asyncio.sleep(8.5)
        nodes["a"].proceed()
        await asyncio.gather(*running)
        ticks[:] = [(name, time - start) for name, time in ticks]

    loop.run_until_complete(world())
    assert ticks == [("a", 1), ("b", 1), ("b", 2), ("b", 3), ("a", 10), ("a", 11)]


def test_a_stuck_world_is_ended(loop: VirtualLoop) -> None:
    """Whether nothing will ever run again, or too much runs."""

    async def never() -> None:
        await asyncio.Event().wait()

    async def forever() -> None:
        def again() -> None:
            loop.call_soon(again)

        again()
        await never()

    for endless in (never(), forever()):
        with pytest.raises(Endless):
            loop.run_until_complete(endless)
    loop.allow(1_000)
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)


def test_unhandled_exceptions_are_recorded(loop: VirtualLoop) -> None:
    """An exception in a callback is recorded as a complaint."""

    async def fails() -> None:
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    loop.run_until_complete(fails())
    (complaint,) = loop.complaints
    assert "ZeroDivisionError" in complaint
