"""Turns of streams in the passes of the event loop, as a test sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from milepost.server.watching import pacer
from milepost.server.watching.signals import TASK_TURNS


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


class Looking:
    """A stream that looks."""

    def __init__(self, turns: Turns, name: str, wakes: Callable[[], None] | None = None) -> None:
        self.name = name
        self._turns = turns
        self._wakes = wakes

    def look(self) -> int:
        """See ``pacer.Looking``. ``wakes`` is called if it takes the stream's task."""
        self._turns.given.append(self.name)
        if self._wakes is not None:
            self._wakes()
        return 1


class Task:
    """The task of a stream."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def resume(self) -> int:
        """See ``pacer.Resumable``."""
        self._turns.given.append("task")
        return TASK_TURNS


def counted_turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """No turns yet."""
    made = Turns()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: made.time + made.others)
    monkeypatch.setattr(pacer, "thread_time", lambda: made.time)
    return made
