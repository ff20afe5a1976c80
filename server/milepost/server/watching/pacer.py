"""Paced turns: of all streams that could send something, only a few do so in each pass of the event loop.

When something becomes durable that thousands watch, they would otherwise keep the loop from everything else for as long
as they take together. In between, the loop serves sessions, submissions, leases and health checks; and what becomes
durable while a stream waits for its turn goes out with its next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import thread_time
from typing import Final, Protocol

from milepost.server.scheduling.callers import Turns

TURNS_LIMIT: Final = 256
"""Streams that get a turn in one pass of the event loop, at most."""

UNCOUNTED_TURNS: Final = 8
"""Turns that a pass is charged for although earlier passes had them: to count from the beginning takes a callback in
each pass, and with few streams a pass more for each event."""

TURNS_TIME: Final = 0.01
"""Seconds of processor time that the turns of one pass may take, with what the streams do after them. If they take
longer, the next passes have fewer, and at least one."""

GIVING_TIME: Final = 0.005
"""Seconds of processor time after which no more turns are given in a pass: most streams send within their turn."""

RESTING_PASSES: Final = 2
"""Passes without turns after one that had all it may have, while streams wait. In the first of them the loop learns
what has arrived, and in the second it goes on with that: otherwise, a report would wait for the turns of both."""

ACCEPTING_TURNS_LIMIT: Final = 2
"""Turns of a pass while calls arrive: grpc.aio accepts one call in a few passes, so short passes accept them sooner."""

ACCEPTING_PASSES: Final = 8
"""Passes after the last accepted call for which another one is expected."""

TURNS_BEFORE_LOOK: Final = 8
"""Turns of streams that have news before one in which a stream looks: news goes first, without keeping statuses for
ever."""


class Resumable(Protocol):
    """Something that waits for its turn."""

    def resume(self) -> int:
        """Go on now or in the next pass of the event loop; return the turns that it uses: 0 if it no longer waits."""


class Looking(Protocol):
    """A stream, or a group of them, that looks whether a status is due."""

    def look(self) -> int:
        """Look; return the turns that it uses: 0 if it has left, or something else looks for it."""


class Pacer:
    """Gives turns, at once while there are few streams, else callers in rotation. Bound to the running event loop.

    ``call_count`` returns the number of calls that the server has accepted so far.
    """

    def __init__(self, call_count: Callable[[], int] = lambda: 0) -> None:
        self._call_count = call_count
        self._accepted = call_count()
        self._accepting = 0
        self._loop = asyncio.get_running_loop()
        self._waiting: Turns[Resumable] = Turns()
        self._looking: Turns[Resumable] = Turns()
        self._turns_before_look = TURNS_BEFORE_LOOK
        self._limit = self._left = TURNS_LIMIT
        self._is_scheduled = False
        self._spending = _Stopwatch(self._loop)
        self._spent = 0.0

    def __len__(self) -> int:
        """Number of streams that have something to send, and wait for a turn."""
        return self._waiting.size

    def put(self, caller: str, stream: Resumable) -> None:
        """Give the stream a turn: now if there is one left in this pass, else when its caller's turn comes."""
        if not self._left or self._waiting.size:
            self._waiting.put(caller, stream)
        elif turns := stream.resume():
            self._spend(turns)

    def put_look(self, caller: str, stream: Looking) -> None:
        """Have the stream look in a later turn, mostly after all who have news by then."""
        self._looking.put(caller, _Look(stream))
        if not self._is_scheduled:
            self._schedule()

    def use_turn(self) -> bool:
        """Use a turn if there is one at once; False if whoever asks has to wait for ``turn``."""
        if not self._left or self._waiting.size:
            return False
        self._left -= 1
        if self._is_scheduled or self._left < TURNS_LIMIT - UNCOUNTED_TURNS:
            self._spend(0)
        return True

    async def turn(self, caller: str) -> None:
        """Return when the caller has a turn."""
        if self.use_turn():
            return
        turn = _Turn(self._loop.create_future())
        self._waiting.put(caller, turn)
        await turn.granted

    def _spend(self, turns: int) -> None:
        self._left = max(self._left - turns, 0)
        if self._is_scheduled:
            if self._spending.is_over(GIVING_TIME):
                self._left = 0
        elif self._left < TURNS_LIMIT - UNCOUNTED_TURNS:
            self._schedule()

    def _schedule(self) -> None:
        self._is_scheduled = True
        self._spent = 0.0
        self._begin()
        self._loop.call_soon(self._end_pass)

    def _begin(self) -> None:
        self._spending.start(self._spent)

    def _end_pass(self) -> None:
        """Called after the turns of a pass, in the next one: give further turns, later if it had all it may have."""
        if self._left or self._accepting:
            self._give_turns()
            return
        is_slow = self._spending.is_over(TURNS_TIME)
        self._limit = max(1, self._limit // 2) if is_slow else min(TURNS_LIMIT, 2 * self._limit)
        self._rest(RESTING_PASSES)

    def _rest(self, passes: int) -> None:
        if passes:
            self._loop.call_soon(self._rest, passes - 1)
        else:
            self._give_turns()

    def _give_turns(self) -> None:
        """Give the turns of a pass."""
        self._left = min(self._limit, ACCEPTING_TURNS_LIMIT) if self._are_calls_arriving() else self._limit
        self._is_scheduled = self._waiting.size + self._looking.size > 0
        if not self._is_scheduled:
            return
        # The streams run between these two, but for those that have sent something when `resume` returns.
        self._loop.call_soon(self._begin)
        self._spending.start()
        try:
            while self._left and (self._waiting.size or self._looking.size):
                turns = self._take().resume()
                # Not before it resumes: a look may give its stream's task turns by ``put``.
                self._left = max(self._left - turns, 0)
                if self._spending.is_over(GIVING_TIME):
                    self._left = 0
        finally:
            self._spent = self._spending.spent()
            self._loop.call_soon(self._end_pass)

    def _take(self) -> Resumable:
        if not self._looking.size:
            return self._waiting.take()
        if not self._waiting.size or not self._turns_before_look:
            self._turns_before_look = TURNS_BEFORE_LOOK
            return self._looking.take()
        self._turns_before_look -= 1
        return self._waiting.take()

    def _are_calls_arriving(self) -> bool:
        accepted = self._call_count()
        if accepted != self._accepted:
            self._accepted = accepted
            self._accepting = ACCEPTING_PASSES
        elif self._accepting:
            self._accepting -= 1
        return self._accepting > 0


class _Stopwatch:
    """Processor time of the event loop's thread. What others had the processor for is not spent by streams.

    To ask for it is a system call, so ``is_over`` does that only once so much time has passed at all.
    """

    __slots__ = ("_loop", "_started", "_time")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._started = self._time = 0.0

    def start(self, spent: float = 0.0) -> None:
        """Count from now, when this much is spent already."""
        self._started = thread_time() - spent
        self._time = self._loop.time() - spent

    def spent(self) -> float:
        """Seconds since then."""
        return thread_time() - self._started

    def is_over(self, limit: float) -> bool:
        """Whether it is more than ``limit`` seconds."""
        now = self._loop.time()
        if now - self._time <= limit:
            return False
        spent = self.spent()
        self._time = now - spent
        return spent > limit


class _Turn:
    """The turn of a stream that has just sent something, and has more."""

    __slots__ = ("granted",)

    def __init__(self, granted: asyncio.Future[None]) -> None:
        self.granted = granted

    def resume(self) -> bool:
        """See ``Resumable``."""
        if self.granted.done():  # the stream was cancelled
            return False
        self.granted.set_result(None)
        return True


class _Look:
    """The turn in which a stream looks."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Looking) -> None:
        self._stream = stream

    def resume(self) -> int:
        """See ``Resumable``."""
        return self._stream.look()
