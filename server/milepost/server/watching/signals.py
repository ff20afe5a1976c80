"""Waking up those who wait, and missing nothing: take a ticket, look, and wait only if the ticket is still good."""

from __future__ import annotations

import asyncio


class Signal:
    """Says that there is something new. ``ticket`` changes each time that it does."""

    __slots__ = ("_waiting", "ticket")

    def __init__(self) -> None:
        self.ticket = 0
        self._waiting: dict[Waiter, None] = {}

    def send(self) -> None:
        """Wakes up everybody who waits."""
        self.ticket += 1
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for waiter in waiting:
                waiter.wake()

    def add(self, waiter: Waiter) -> None:
        """The waiter is woken next time."""
        self._waiting[waiter] = None

    def discard(self, waiter: Waiter) -> None:
        """The waiter is not woken any more."""
        self._waiting.pop(waiter, None)


class Waiter:
    """One who waits, but no longer than until it has been idle for ``interval`` seconds.

    Its timer is set once an interval and not once a wait, since most waits are short.
    """

    __slots__ = ("_future", "_idle_since", "_interval", "_loop", "_signal", "_timer")

    def __init__(self, signal: Signal, interval: float) -> None:
        self._signal = signal
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._idle_since = self._loop.time()
        self._future: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def busy(self) -> None:
        """Something was sent just now."""
        self._idle_since = self._loop.time()

    async def wait(self, ticket: int) -> bool:
        """Whether there is something new since the ticket; False after an interval without."""
        if self._signal.ticket != ticket:
            return True
        self._future = self._loop.create_future()
        self._signal.add(self)
        if self._timer is None:
            self._timer = self._loop.call_at(self._idle_since + self._interval, self._tick)
        try:
            # Something may have come between the tick and now.
            return await self._future or self._signal.ticket != ticket
        finally:
            self._future = None

    def wake(self) -> None:
        """Ends the wait."""
        if self._future is not None and not self._future.done():
            self._future.set_result(True)

    def close(self) -> None:
        """Waits no more."""
        self._signal.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        due = self._idle_since + self._interval
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._tick)
            return
        self._timer = None
        if self._future is not None and not self._future.done():
            self._future.set_result(False)
