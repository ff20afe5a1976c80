"""Garbage collector tuning.

By default CPython collects the young generation every 700 allocations, and now and then all objects: with a thousand
open streams that takes a quarter of the time of sending an event to all of them (docs/performance.md). Almost all
objects of the server are freed by reference counting, except for some five that gRPC leaves behind of each call, so the
collector may run less often. Objects that exist once the server has started live until it ends, and are never scanned
again.

Young objects are also looked through by the clock (``scan_young``), so that there are never too many at a time.

But what is left behind, such as the metadata of calls, adds up. A server that became idle allocates too little to make
the collector run, and would keep that for hours. So garbage is also collected from time to time, as long as there are
few objects; and once where there are more, when a server that was busy is idle.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Final

# The arguments of `gc.set_threshold`: allocations per young collection, young collections per middle one (CPython makes
# it one more than the number), and middle ones per full one. Most objects die young; a middle collection scans those
# that did not, once: the fewer at a time, the shorter it blocks the event loop. Those of ``scan_young`` count as middle
# ones, so a full one, which may block the loop for hundreds of milliseconds, comes after 400 s of them at least.
_THRESHOLDS: Final = 10_000, 0, 20_000

# The same during a surge. A collection blocks the event loop for half a microsecond for each object that was allocated
# since, if all of them live, as while thousands of watches open. At other times so many collections cost a tenth.
_SURGE_THRESHOLDS: Final = 5_000, 0, 20_000

FEW_OBJECTS: Final = 30_000
"""Objects in the old generation up to which all are scanned from time to time: some milliseconds."""

MANY_OBJECTS: Final = 150_000
"""Objects up to which all are scanned once when the server becomes idle: some tens of milliseconds."""

COUNTED_OBJECTS: Final = 400_000
"""Objects of which more are not counted, since that takes long, too. Small blocks of memory, of which a server that has
just started has 200,000, say how many more there are than at the last count, at most."""

IDLE_CPU: Final = 0.4
"""Seconds of processor time between two collections up to which the server was idle: 2 % of a processor."""

YOUNG_SCAN: Final = 0.004
"""Seconds of processor time that a scan of the young objects may take, about."""

YOUNG_INTERVALS: Final = 0.02, 0.25
"""Seconds between two scans of the young objects: at least, and at most."""

_MIDDLE_GENERATION: Final = 1
_OLD_GENERATION: Final = 2


def apply() -> None:
    """Tune the collector. Call it once, after the server has started."""
    gc.collect()
    gc.freeze()
    scan_in_pieces(False)


def scan_in_pieces(is_surge: bool) -> None:
    """Look through young objects in smaller pieces, since most of them live; or again as ``apply`` sets it."""
    gc.set_threshold(*(_SURGE_THRESHOLDS if is_surge else _THRESHOLDS))


async def scan_young() -> None:
    """Look through young objects at intervals, until cancelled; see ``next_interval``.

    Python itself does so after so many allocations less those freed, of whatever age. A server that sends makes as many
    objects as it frees, so that all of its objects may be young before it looks: 90,000 of 3,000 replays, whose scan
    blocked the event loop for 57 ms.
    """
    interval = YOUNG_INTERVALS[1]
    while True:
        await asyncio.sleep(interval)
        began = time.thread_time()
        gc.collect(_MIDDLE_GENERATION)
        interval = next_interval(interval, time.thread_time() - began)


def next_interval(interval: float, took: float) -> float:
    """The next interval in seconds, after one whose scan took so many seconds of processor time.

    It is such that a scan takes ``YOUNG_SCAN``. What is young comes in surges, so it becomes shorter at once, down to a
    quarter, and twice as long at most.
    """
    shortest, longest = YOUNG_INTERVALS
    change = 2.0 if 2 * took <= YOUNG_SCAN else max(YOUNG_SCAN / took, 0.25)
    return min(max(interval * change, shortest), longest)


class IdleCollector:
    """Collects garbage that nothing else would; to be called at intervals.

    ``cpu`` is the clock of processor time. ``blocks`` counts small blocks of memory: it is too low by millions once
    many have come from C's heaps (see ``surge_memory``), so that only its changes count.
    """

    def __init__(
        self, cpu: Callable[[], float] = time.process_time, blocks: Callable[[], int] = sys.getallocatedblocks
    ) -> None:
        self._blocks = blocks
        # Blocks up to which the objects are counted.
        self._most_blocks = blocks() + COUNTED_OBJECTS
        self._cpu = cpu
        self._last_cpu = cpu()
        self._was_busy = False

    def collect(self) -> bool:
        """Collect garbage, unless there are so many objects that their scan would hold up those who are busy.

        Returns whether the server was busy before and is idle now.
        """
        cpu = self._cpu()
        is_busy = cpu - self._last_cpu > IDLE_CPU
        became_idle = self._was_busy and not is_busy
        self._last_cpu, self._was_busy = cpu, is_busy
        if is_busy and gc.get_threshold() == _SURGE_THRESHOLDS:
            return False  # there are many, and to count them alone would block the event loop
        if self._has_at_most(MANY_OBJECTS if became_idle else FEW_OBJECTS):
            gc.collect()
        return became_idle

    def _has_at_most(self, limit: int) -> bool:
        blocks = self._blocks()
        if blocks > self._most_blocks:
            return False
        count = len(gc.get_objects(_OLD_GENERATION))
        self._most_blocks = blocks + COUNTED_OBJECTS - count
        return count <= limit
