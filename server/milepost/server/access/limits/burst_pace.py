"""Pace the bursts of one caller, so that other callers have half of the event loop's time.

All calls of a method come through one queue of gRPC's core, and each takes a few passes of the event loop to come out
of it. So while the loop is busy with what one caller has sent, calls of others wait there for tens of its calls, before
anybody knows whose they are. If the loop rests half of the time the queue is empty: the further calls of a burst wait
here instead, where callers take turns.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from milepost.server.base.refusal import Refusal
from milepost.server.scheduling.callers import Turns
from milepost.v1 import ErrorReason

SPAN: Final = 0.1
"""Seconds in which the calls of each caller are counted."""

UNDELAYED_CALLS_LIMIT: Final = 8
"""Calls of a caller that begin at once in a span; all of them if no other caller was active in it or the one before."""

LONGEST_WAIT: Final = 0.02
"""Seconds after which one of the calls that wait begins, however busy the loop is."""

TURN_TIMEOUT: Final = 60.0
"""Seconds for which a call waits for its turn, at most, also where its client gives it no deadline."""

_RETRY_DELAY: Final = 5.0
"""Seconds after which a call that was refused for that is worth repeating."""

_TOGETHER: Final = 4
"""Calls that begin together, at most, while the loop has hardly anything to do."""

_SHORTEST_WAIT: Final = 0.001
"""Seconds between two checks of the loop's load: the resolution of its timers."""


class BurstPace:
    """Delays the calls of a burst while the loop is busy. Bound to one event loop, whose processor time it measures."""

    def __init__(self) -> None:
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        # The calls of each caller in this span, and the callers of the previous one.
        self._counts: Counter[str] = Counter()
        self._earlier: Counter[str] = Counter()
        self._span: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        # The time when waiting calls last began, and the processor time of the loop's thread by then.
        self._began = self._had_worked = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no caller has been active recently."""
        return self._span is None

    def note(self, caller: str) -> None:
        """Count a caller as active although it makes no calls, such as a worker that reports."""
        if caller not in self._counts:
            self._count(caller, 0)

    async def begin(self, caller: str) -> None:
        """Return when a call of this caller may begin: at once, unless it makes many beside others.

        Raises LIMIT_REACHED after ``TURN_TIMEOUT``.
        """
        turn = self.turn(caller)
        if turn is None:
            return
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                await turn
        except TimeoutError:
            raise _too_many() from None

    def turn(self, caller: str, calls: int = 1) -> asyncio.Future[None] | None:
        """Return what a call of this caller waits for; None if it may begin at once. Cancel it to give up the turn.

        ``calls`` is how many it counts for.
        """
        self._count(caller, calls)
        if self._counts[caller] <= UNDELAYED_CALLS_LIMIT or not self._has_others(caller):
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, turn)
        if self._timer is None:
            self._wait()
        return turn

    def _count(self, caller: str, calls: int) -> None:
        self._counts[caller] += calls
        if self._span is None:
            self._span = asyncio.get_running_loop().call_later(SPAN, self._end_span)

    def _has_others(self, caller: str) -> bool:
        return any(len(counts) > (caller in counts) for counts in (self._counts, self._earlier))

    def _end_span(self) -> None:
        self._earlier, self._counts = self._counts, Counter()
        is_quiet = not self._earlier
        self._span = None if is_quiet else asyncio.get_running_loop().call_later(SPAN, self._end_span)

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._had_worked = loop.time(), time.thread_time()
        self._timer = loop.call_later(_SHORTEST_WAIT, self._admit_rested)

    def _admit_rested(self) -> None:
        """Let calls begin if the loop has rested for as long as it has worked since the last ones began."""
        loop = asyncio.get_running_loop()
        passed = loop.time() - self._began
        worked = time.thread_time() - self._had_worked
        rested = passed - worked
        if rested < worked and passed < LONGEST_WAIT:
            wait = max(_SHORTEST_WAIT, min(worked - rested, LONGEST_WAIT - passed))
            self._timer = loop.call_later(wait, self._admit_rested)
            return
        room = _TOGETHER if rested > _TOGETHER * worked else 1
        while self._waiting and room:
            turn = self._waiting.take()
            if not turn.done():  # done if the call was cancelled
                turn.set_result(None)
                room -= 1
        self._timer = None
        if self._waiting:
            self._wait()


def _too_many() -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The call has waited for {TURN_TIMEOUT:g} s behind others of its caller. Make fewer at a time.",
        metadata={"limit": "burst"},
        retry_delay=_RETRY_DELAY,
    )
