"""Wake waiting tasks without losing a wake-up: read the version, look, and wait only if the version is unchanged."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Protocol

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.watching.pacer import Pacer

_logger = structlog.get_logger("milepost.watching")
_failures = FaultLog(_logger, "waiter not woken", logging.ERROR)

WOKEN_PER_STEP: Final = 500
"""Waiters that the end of the server wakes between two yields."""

WOKEN_PROMPTLY: Final = 8
"""Waiters that ``notify`` wakes itself. If more wait, the acknowledgements of what they wait for go out first. A live
group is one waiter: 128 readers over HTTP, or 32 over gRPC, take a millisecond."""

WOKEN_PER_PASS: Final = 5_000
"""Waiters that are woken in one pass of the event loop, which puts most of them into a queue: about a millisecond."""

TASK_TURNS: Final = 4
"""Turns that waking a stream's task takes: the task reads, sends or ends the stream, and that takes several times as
long as to write what is there."""


_NOT_SERVED: Final = -1
"""A version that no signal has."""


class Served(enum.Enum):
    """Outcome of serving a notification without the task that waits for it."""

    ALL = enum.auto()
    """The wait goes on, for notifications after the version that was served."""
    BUSY = enum.auto()
    """Something is being sent. After that, ``Waiter.wake`` or ``wake_for_news`` is called, and serves it then."""
    TASK = enum.auto()
    """It takes the task: wake it."""


class Wakeable(Protocol):
    """Something that waits for a signal."""

    def wake(self) -> None:
        """Go on: the signal was notified. It forgets whom it wakes. An error is logged, and the others are woken."""


class Signal:
    """A condition with a version number; ``version`` grows with each ``notify``."""

    __slots__ = ("_waiters", "version")

    def __init__(self) -> None:
        self.version = 0
        self._waiters: dict[Wakeable, None] = {}

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for it, and has not been woken yet."""
        return bool(self._waiters)

    def notify(self) -> None:
        """Wake all waiters, each when it has its turn; where there are many, in the next passes of the event loop."""
        self.version += 1
        if len(self._waiters) == 1:
            # A dict keeps its room when its last item is taken, and the waiter is soon back.
            _wake(self._waiters.popitem()[0])
        elif self._waiters:
            waiters, self._waiters = self._waiters, {}
            if len(waiters) > WOKEN_PROMPTLY:
                wake_soon(waiters)
                return
            for waiter in waiters:
                _wake(waiter)

    def notify_in_steps(self) -> Iterator[None]:
        """Do as ``notify``, one waiter a step: thousands may wait for one signal."""
        self.version += 1
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            _wake(waiter)
            yield

    def add(self, waiter: Wakeable) -> None:
        """Wake this waiter at the next ``notify``."""
        self._waiters[waiter] = None

    def discard(self, waiter: Wakeable) -> None:
        """Do not wake this waiter any more."""
        self._waiters.pop(waiter, None)


def wake_soon(waiters: Iterable[Wakeable]) -> None:
    """Wake these in the next passes of the event loop."""
    asyncio.get_running_loop().call_soon(_wake_some, iter(waiters))


def _wake(waiter: Wakeable) -> None:
    try:
        waiter.wake()
    except Exception as error:  # noqa: BLE001  # the signal has forgotten the others, too: nobody else would wake them
        _failures.note(repr(error), exc_info=error)


def _wake_some(waiters: Iterator[Wakeable]) -> None:
    woken = 0
    for woken, waiter in enumerate(islice(waiters, WOKEN_PER_PASS), start=1):
        _wake(waiter)
    if woken == WOKEN_PER_PASS:
        wake_soon(waiters)


class Serving(Protocol):
    """What serves the streams of several waiters together, see ``LiveGroup``.

    Attributes:
        version: That of the signal up to which it has served them.
        served_at: When they were last sent something, by the clock of the event loop.
    """

    version: int
    served_at: float


class Waiter:
    """Waits for a signal, or until it has been idle for ``interval`` seconds, and then for a turn of its caller.

    It sets its timer once an interval and not once a wait, since most waits are short.
    """

    __slots__ = (
        "_caller",
        "_future",
        "_group",
        "_idle_since",
        "_interval",
        "_is_idle",
        "_is_queued",
        "_loop",
        "_pacer",
        "_serve",
        "_signal",
        "_timer",
        "_version",
    )

    def __init__(self, signal: Signal, interval: float, pacer: Pacer, caller: str) -> None:
        self._signal = signal
        self._interval = interval
        self._pacer = pacer
        self._caller = caller
        self._loop = asyncio.get_running_loop()
        self._idle_since = self._loop.time()
        self._future: asyncio.Future[None] | None = None
        self._group: Serving | None = None
        self._is_idle = False
        self._is_queued = False
        self._timer: asyncio.TimerHandle | None = None
        self._version = 0
        self._serve: Callable[[], Served] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a wait is under way."""
        return self._future is not None and not self._future.done()

    def restart(self) -> None:
        """Count the idle interval from now."""
        self._idle_since = self._loop.time()

    async def wait(
        self, version: int, serve: Callable[[], Served] | None = None, group: Serving | None = None
    ) -> bool:
        """Wait for a notification after ``version``; False once the idle interval is over.

        ``serve`` handles a notification without waking the waiting task, if it can. A ``group`` gets notifications in
        place of this waiter, and wakes it when its task has to look; ``serve`` may have it join one.
        """
        if self._signal.version != version:
            return True
        self._version = version
        self._serve = serve
        self._group = group
        self._is_idle = False
        self._future = self._loop.create_future()
        self._go_on()
        try:
            await self._future
            # A notification may have come, or been served, between the tick and now.
            seen = self._version if self._group is None else self._group.version
            is_idle = self._is_idle and self._loop.time() >= self._due
            return not is_idle or self._signal.version != seen
        finally:
            # The latter is a method of the stream, which has this waiter: in a cycle both would outlive the stream.
            self._future = self._serve = None
            if self._group is not None:
                self._idle_since = max(self._idle_since, self._group.served_at)
                self._group = None

    def join(self, group: Serving) -> None:
        """Have the group serve what comes from now on, while the wait goes on."""
        self._group = group
        self._signal.discard(self)

    def leave_group(self, *, is_served: bool) -> None:
        """Wait without the group. If it has not served what it was woken for, ``wake`` is to be called."""
        group, self._group = self._group, None
        if group is None:
            return
        self._idle_since = max(self._idle_since, group.served_at)
        if is_served:
            self._version = group.version
            self._go_on()
            self.wake_for_news()
        else:
            self._version = _NOT_SERVED

    def wake(self) -> None:
        """End the wait when there is a turn."""
        if self._future is not None and not self._is_queued:
            self._is_queued = True
            self._pacer.put(self._caller, self)

    def wake_task(self) -> None:
        """End the wait even if the signal is notified meanwhile: to serve that would let the wait go on."""
        self._serve = None
        self.wake()

    def wake_for_news(self) -> None:
        """End the wait, or serve, if the signal was notified since what was served."""
        if self._signal.version != self._version:
            self.wake()

    def resume(self) -> int:
        """See ``Resumable``."""
        self._is_queued = False
        future, version = self._future, self._signal.version
        if future is None or future.done():
            return 0
        if self._serve is None or self._group is not None or version == self._version:
            future.set_result(None)
            return TASK_TURNS
        try:
            served = self._serve()
        except Exception:  # others wait for theirs; the task tries again, and ends with the error
            _logger.exception("live delivery failed")
            served = Served.TASK
        if future.done():  # what was sent has cancelled the stream
            return TASK_TURNS
        if served is Served.TASK:
            future.set_result(None)
            return TASK_TURNS
        if served is Served.ALL:
            self._version = version
            self._go_on()
        return served is not Served.BUSY

    def close(self) -> None:
        """Leave the signal and stop the timer."""
        self._signal.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self) -> None:
        if self._group is None:
            self._signal.add(self)
        if self._timer is None:
            self._timer = self._loop.call_at(self._idle_since + self._interval, self._tick)

    @property
    def _due(self) -> float:
        """When the idle interval is over, by the clock of the event loop."""
        idle_since = self._idle_since if self._group is None else max(self._idle_since, self._group.served_at)
        return idle_since + self._interval

    def _tick(self) -> None:
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._tick)
            return
        self._timer = None
        self._is_idle = True
        self.wake()
