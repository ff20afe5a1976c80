"""An event loop in virtual time: when nothing is ready, the time jumps to the next timer.

There is no I/O and no thread, so the code alone determines what runs, and in which order. Each callback belongs to a
node, a process of the simulated world, which can be stopped as by SIGSTOP. A crashed node never resumes.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVarTuple, Unpack

from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import ANONYMOUS

__all__ = ["NETWORK", "Endless", "Node", "VirtualClock", "VirtualLoop"]

_Arguments = TypeVarTuple("_Arguments")

_START: Final = 1_000.0

_node: contextvars.ContextVar[Node | None] = contextvars.ContextVar("node", default=None)

NETWORK: Final = contextvars.Context()
"""Callbacks in this context belong to no node, and are never stopped."""


class Endless(AssertionError):
    """The run does not end: too many callbacks have run, or nothing will ever run again."""


class Node:
    """A process of the simulated world."""

    def __init__(self, loop: VirtualLoop, name: str) -> None:
        self.name = name
        self.is_stopped = False
        self.waiting: deque[_Handle | _Timer] = deque()
        """The callbacks that are held back while it is stopped."""
        self._loop = loop
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._context = contextvars.Context()
        self._context.run(set_principal, ANONYMOUS)
        self._context.run(_node.set, self)
        loop.nodes.append(self)

    @classmethod
    def current(cls) -> Node:
        """The current node."""
        node = _node.get()
        assert node is not None
        return node

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` on the node."""
        task = self._loop.create_task(work, context=self._context.copy())
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    def leave(self, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work`` on the node without waiting for it."""
        self._tasks[self.start(work)] = None

    def stop(self) -> None:
        """Hold back all its callbacks, as SIGSTOP does."""
        self.is_stopped = True

    def proceed(self) -> None:
        """Run the callbacks that were held back, as SIGCONT does."""
        self.is_stopped = False
        self._loop.take_up(self.waiting)


class _Handle(asyncio.Handle):
    """A callback to run soon."""

    __slots__ = ("node",)
    node: Node | None


class _Timer(asyncio.TimerHandle):
    """A callback to run at a time."""

    __slots__ = ("node",)
    node: Node | None


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop that runs at most ``most`` callbacks, and then raises Endless."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._now = _START
        self._soon: deque[_Handle | _Timer] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._count = 0
        self._left = most
        self.nodes: list[Node] = []
        self.complaints: list[str] = []
        """Unhandled exceptions."""
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._now

    def call_soon(
        self,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """See ``asyncio``."""
        handle = _Handle(callback, args, self, context)
        handle.node = _node.get() if context is None else context.get(_node)
        self._soon.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """See ``asyncio``: there is no other thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """See ``asyncio``."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Arguments]], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """See ``asyncio``. Timers for the same instant fire in the order in which they were set."""
        timer = _Timer(when, callback, args, self, context)
        timer.node = _node.get() if context is None else context.get(_node)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, timer))
        return timer

    def allow(self, most: int) -> None:
        """Allow this many more callbacks."""
        self._left = most

    def take_up(self, waiting: deque[_Handle | _Timer]) -> None:
        """Run the callbacks that a node held back."""
        self._soon.extend(waiting)
        waiting.clear()

    def _run_once(self) -> None:
        """See ``asyncio.BaseEventLoop``: run what is ready, or else the next timer."""
        soon, timers = self._soon, self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not soon:
            if not timers:
                raise Endless("nothing is left that could ever happen")
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            soon.append(heapq.heappop(timers)[2])
        self._left -= len(soon)
        if self._left < 0:
            raise Endless("it goes on and on")
        for _ in range(len(soon)):
            handle = soon.popleft()
            if handle.cancelled():
                continue
            if handle.node is not None and handle.node.is_stopped:
                handle.node.waiting.append(handle)
                continue
            handle._run()

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context['message']}: {context.get('exception')!r}")


class VirtualClock:
    """A ``Clock`` of the loop's time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """See ``Clock``."""
        return round(self._loop.time() * 1e9)

    def monotonic(self) -> float:
        """See ``Clock``."""
        return self._loop.time()
