"""Notify listeners of durable entries in slices: some entries in each pass of the event loop.

A transaction may have a thousand commits, and each has a dozen listeners, some of which decode the job or its events.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from milepost.server.log.event_log import DurableCommit, Entry
from milepost.server.scheduling.steps import SLICE_STEPS

_Item = TypeVar("_Item")

DELIVERED_STEPS: Final = 2 * SLICE_STEPS
"""Steps of a microsecond, about, after which the rest is left to the next pass."""

ENTRY_STEPS: Final = 25
"""Steps that an entry takes, with its acknowledgement."""

_BYTES_A_STEP: Final = 256
"""Bytes of a message that are decoded in a step."""


def entry_steps(entry: Entry | None) -> int:
    """Steps that it takes to notify all listeners of an entry, about; of None there are none to notify."""
    if not isinstance(entry, DurableCommit):
        return ENTRY_STEPS
    commit = entry.commit
    decoded = len(commit.chunk.frames) + (len(commit.job) if commit.is_transition else 0)
    return ENTRY_STEPS + decoded // _BYTES_A_STEP


class Deliveries(Generic[_Item]):
    """Calls ``deliver`` with the items of a log, in their order, as many at a time as take ``DELIVERED_STEPS``.

    ``steps_of`` returns what an item takes; ``is_part`` whether it belongs to the next one, so that both are delivered
    at once. Bound to the running event loop.

    Attributes:
        count: The slices so far that had to wait for a later pass.
    """

    def __init__(
        self,
        steps_of: Callable[[_Item], int],
        deliver: Callable[[Sequence[_Item]], None],
        is_part: Callable[[_Item], bool] = lambda _: False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._steps_of = steps_of
        self._deliver = deliver
        self._is_part = is_part
        self._waiting: deque[_Item] = deque()
        self._is_scheduled = False
        self.count = 0

    def put(self, items: Sequence[_Item]) -> None:
        """Deliver items: what fits into a slice now, unless earlier ones wait, and the rest in later passes."""
        if len(items) == 1 and not self._waiting:  # the common case while the store keeps up
            self._deliver(items)
            return
        self._waiting.extend(items)
        if not self._is_scheduled:
            self._next_slice()

    def flush(self) -> None:
        """Deliver all that wait."""
        while self._waiting:
            self._deliver(self._take())

    def _next_slice(self) -> None:
        if not self._waiting:  # all were flushed meanwhile
            self._is_scheduled = False
            return
        items = self._take()
        # Before a listener may raise an error.
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            self.count += 1
            self._loop.call_soon(self._next_slice)
        self._deliver(items)

    def _take(self) -> Sequence[_Item]:
        items: list[_Item] = []
        steps = 0
        while self._waiting and (steps < DELIVERED_STEPS or self._is_part(items[-1])):
            items.append(self._waiting.popleft())
            steps += self._steps_of(items[-1])
        return items
