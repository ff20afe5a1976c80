"""Put the small objects of a surge into C's heaps, of which free pages go back to the system.

Python has small objects in arenas of 1 MiB, and gives an arena back only once nothing is left in it. A surge, such as
thousands of watches at once, fills a hundred arenas; a few objects that outlive it hold all of them, for good. C's
heaps go back by the page, but take a few percent more of the processor than Python's allocator.

So Python's allocator serves until there are many more objects than before. From then on, and until the process no
longer grows, further ones come from C's; what already is in an arena stays there. Python frees each object where it
is: its allocator leaves what is not its own to C's, since large blocks come from there in any case. Python's own count
of blocks, ``sys.getallocatedblocks``, is too low by those that were freed so.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.runtime.process import gc_tuning

_logger = structlog.get_logger("milepost.loop")

SURGE_BLOCKS: Final = 20_000
"""Small blocks of memory beyond the fewest before from which on C allocates: some 2 MB."""

FURTHER_BLOCKS: Final = 5_000
"""Further blocks from which on C allocates again, after a surge whose blocks are still there."""

CALM_TIME: Final = 3.0
"""Seconds in which the process grows by no more than ``CALM_GROWTH`` when a surge has ended."""

CALM_GROWTH: Final = 256 << 10
"""Bytes."""

LARGE_SURGE: Final = 64 << 20
"""Bytes by which the process has grown in a large surge. That its streams end belongs to it: meanwhile Python would
begin arenas that a few objects hold for good. A thousand subscribers take less, and each event has Python's speed."""

LARGE_CALM_TIMES: Final = 7
"""Times of ``CALM_TIME`` without growth after which a large surge has ended, where one is enough for others."""

_STATM: Final = Path("/proc/self/statm")

# Of PyMem_GetAllocator (Include/cpython/pymem.h): C's allocator, and those that Python has arenas for.
_RAW: Final = 0
_SMALL: Final = (1, 2)


class _Allocator(ctypes.Structure):
    """PyMemAllocatorEx."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


class SmallBlocks:
    """Which allocator Python takes small blocks from: its own, or C's."""

    def __init__(self) -> None:
        raw = _allocator(_RAW)
        self._own = {domain: _allocator(domain) for domain in _SMALL}
        # realloc and free of Python's tell its blocks from those of C.
        self._mixed = {
            domain: _Allocator(own.ctx, raw.malloc, raw.calloc, own.realloc, own.free)
            for domain, own in self._own.items()
        }

    @staticmethod
    def available() -> bool:
        """Whether Python has its own allocator, without hooks for debugging, and C's gives memory back by the page."""
        return (
            sys.implementation.name == "cpython"
            and "t" not in sys.abiflags  # which a build without the GIL has
            and "PYTHONMALLOC" not in os.environ
            and not any(_allocator(domain).ctx for domain in (_RAW, *_SMALL))
            and hasattr(ctypes.CDLL(None), "malloc_trim")
            and _STATM.exists()
        )

    def take_from_c(self) -> None:
        """Take further blocks from C's heaps."""
        self._replace(self._own, self._mixed)

    def take_from_python(self) -> None:
        """Take further blocks from Python's arenas."""
        self._replace(self._mixed, self._own)

    def _replace(self, old: dict[int, _Allocator], new: dict[int, _Allocator]) -> None:
        for domain in _SMALL:
            # Whoever has put hooks around the allocator since, such as tracemalloc, keeps them.
            if bytes(_allocator(domain)) == bytes(old[domain]):
                ctypes.pythonapi.PyMem_SetAllocator(domain, ctypes.byref(new[domain]))


def _allocator(domain: int) -> _Allocator:
    found = _Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
    return found


def _resident_memory() -> Callable[[], int]:
    """What reads the process's memory, from a file that stays open: a surge may take all files that may be open."""
    statm = os.open(_STATM, os.O_RDONLY)
    page = resource.getpagesize()
    return lambda: int(os.pread(statm, 100, 0).split()[1]) * page


class SurgeMemory:
    """Chooses where further small blocks come from. ``count`` counts them; ``resident`` is the process's memory."""

    def __init__(
        self,
        blocks: SmallBlocks,
        count: Callable[[], int] = sys.getallocatedblocks,
        resident: Callable[[], int] | None = None,
    ) -> None:
        self._blocks = blocks
        self._count = count
        self._resident = _resident_memory() if resident is None else resident
        # Of the time before a surge; after one, as if there had been most of its blocks.
        self._fewest = count()
        self._began_with = 0
        self._resident_before = 0
        self._last_resident = 0
        self._is_large = False
        self._calm_times = 0
        self._is_surge = False
        self._failures = FaultLog(_logger, "end of a surge not seen")

    async def run(self) -> None:
        """Look at the number of blocks whenever garbage is collected: for many new objects, and by the clock."""
        loop = asyncio.get_running_loop()
        surge = asyncio.Event()

        def on_collection(phase: str, _info: dict[str, int]) -> None:
            if phase == "stop" and self.begins():
                gc_tuning.scan_in_pieces(True)
                loop.call_soon_threadsafe(surge.set)

        gc.callbacks.append(on_collection)
        try:
            while True:
                await surge.wait()
                surge.clear()
                await self._end()
                gc_tuning.scan_in_pieces(False)
        finally:
            gc.callbacks.remove(on_collection)
            gc_tuning.scan_in_pieces(False)
            self._blocks.take_from_python()

    async def _end(self) -> None:
        ended = False
        while not ended:
            await asyncio.sleep(CALM_TIME)
            try:
                ended = self.ends()
            except Exception as error:  # noqa: BLE001  # it looks again: no other surge begins before this one ends
                self._failures.note(repr(error), exc_info=error)

    def begins(self) -> bool:
        """Whether a surge begins: take further blocks from C then. On any thread."""
        if self._is_surge:
            return False
        count = self._count()
        self._fewest = min(self._fewest, count)
        if count - self._fewest <= SURGE_BLOCKS:
            return False
        self._is_surge = True
        self._began_with = count
        self._resident_before = self._last_resident = self._resident()
        self._is_large = False
        self._calm_times = 0
        self._blocks.take_from_c()
        return True

    def ends(self) -> bool:
        """Whether the memory has not grown for long enough: take blocks from Python then.

        To be called every ``CALM_TIME`` seconds.
        """
        resident = self._resident()
        grown, self._last_resident = resident - self._last_resident, resident
        self._is_large |= resident - self._resident_before > LARGE_SURGE
        self._calm_times = 0 if grown > CALM_GROWTH else self._calm_times + 1
        if self._calm_times < (LARGE_CALM_TIMES if self._is_large else 1):
            return False
        self._blocks.take_from_python()
        # By the most: else a number that goes up and down by much would be a surge again and again.
        self._fewest = max(self._began_with, self._count()) + FURTHER_BLOCKS - SURGE_BLOCKS
        self._is_surge = False
        return True
