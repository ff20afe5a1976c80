"""Heavy calls of a caller: how many go on at a time, and when the next one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from milepost.server.scheduling.caller_pace import PAUSE_LIMIT, CallerPace


class Calls:
    """Heavy calls that go on until they are told to end; ``begun`` are those that have begun, in their order."""

    def __init__(self, pace: CallerPace) -> None:
        self._pace = pace
        self._ending: dict[str, asyncio.Event] = {}
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def make(self, *names: str) -> None:
        """Make calls whose caller is the first letter of their name."""
        for name in names:
            self._ending[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._call(name))
        await self.settle()

    async def end(self, name: str) -> None:
        """End a call."""
        self._ending[name].set()
        await self.settle()

    async def settle(self) -> None:
        """Let all calls go on that can."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def _call(self, name: str) -> None:
        async with self._pace.turn(name[0]):
            self.begun.append(name)
            await self._ending[name].wait()


async def test_a_caller_has_so_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further calls of it wait in their order, one that is given up does not; those of others do not wait for them."""
    pauses: list[Callable[[], None]] = []
    calls = Calls(CallerPace(2))
    await calls.make("a1", "a2", "a3", "a4", "a5", "b1")
    assert calls.begun == ["a1", "a2", "b1"]
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda delay, free: pauses.append(free))
    calls.tasks["a3"].cancel()
    await calls.end("a1")
    assert calls.begun == ["a1", "a2", "b1"]  # the place is empty for as long as the call took
    pauses.pop()()
    await calls.settle()
    assert calls.begun == ["a1", "a2", "b1", "a4"]
    for name in ("a2", "a4", "b1"):
        await calls.end(name)
    for free in pauses:
        free()
    await calls.end("a5")
    assert calls.begun == ["a1", "a2", "b1", "a4", "a5"]
    await asyncio.gather(*calls.tasks.values(), return_exceptions=True)


@pytest.mark.parametrize(("took", "pause"), [(0.01, 0.01), (3600.0, PAUSE_LIMIT)])
async def test_a_pause_is_as_long_as_the_call(
    monkeypatch: pytest.MonkeyPatch, took: float, pause: float
) -> None:
    """So that a caller that makes one after the other leaves half of the time to others."""
    pauses: list[float] = []
    times = iter((10.0, 10.0 + took))
    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: next(times))
        patched.setattr(loop, "call_later", lambda delay, free: pauses.append(delay))
        async with CallerPace(1).turn("a"):
            pass
    assert pauses == [pytest.approx(pause)]


async def test_a_call_keeps_its_place_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it goes on: then its end frees no further place."""
    frees: list[Callable[[], None]] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay, free: frees.append(free))
    calls = Calls(CallerPace(1, longest=0.0))
    await calls.make("a1", "a2", "a3")
    assert calls.begun == ["a1"]
    frees.pop()()
    await calls.settle()
    assert calls.begun == ["a1", "a2"]
    await calls.end("a1")
    assert (calls.begun, len(frees)) == (["a1", "a2"], 1)
    frees.pop()()
    for name in ("a2", "a3"):
        await calls.end(name)
    assert (calls.begun, len(frees)) == (["a1", "a2", "a3"], 1)
    await asyncio.gather(*calls.tasks.values())
