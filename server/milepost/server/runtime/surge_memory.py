"""Put the small objects of a surge into C's heaps, of which free pages go back to the system.

Python has small objects in arenas of 1 MiB, and gives an arena back only once nothing is left in it. A surge, such as
thousands of watches at once, fills a hundred arenas; a few objects that outlive it hold all of them, for good. C's
heaps go back by the page, but take a few percent more of the processor than Python's allocator.

So Python's allocator serves until there are many more objects than before. From then on, and until their number no
longer grows, further ones come from C's; what already is in an arena stays there. Python frees each object where it
is: its allocator leaves what is not its own to C's, since large blocks come from there in any case. Python's own count
of blocks, ``sys.getallocatedblocks``, is too low by those that were freed so.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import sys
import sysconfig
import time
from collections.abc import Callable
from typing import Final

SURGE: Final = 20_000
"""Small blocks of memory beyond the fewest since the start from which on C allocates: some 2 MB."""

CALM_TIME: Final = 2.0
"""Seconds without a collection of the youngest objects, which their growth causes, after which the surge has ended."""

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
            and not sysconfig.get_config_var("Py_GIL_DISABLED")
            and "PYTHONMALLOC" not in os.environ
            and not any(_allocator(domain).ctx for domain in (_RAW, *_SMALL))
            and hasattr(ctypes.CDLL(None), "malloc_trim")
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


class SurgeMemory:
    """Chooses where further small blocks come from. ``count`` counts them; ``clock`` is in seconds."""

    def __init__(
        self,
        blocks: SmallBlocks,
        count: Callable[[], int] = sys.getallocatedblocks,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blocks = blocks
        self._count = count
        self._clock = clock
        self._fewest = count()
        self._grew_at = 0.0
        self._is_surge = False

    async def run(self) -> None:
        """Look at the number of blocks whenever Python collects garbage, as it does for many new objects."""
        gc.callbacks.append(self._on_collection)
        try:
            while True:
                await asyncio.sleep(CALM_TIME)
                self.end_if_calm()
        finally:
            gc.callbacks.remove(self._on_collection)
            self._blocks.take_from_python()

    def on_growth(self) -> None:
        """Take further blocks from C if there are ``SURGE`` more than there were. On any thread."""
        self._grew_at = self._clock()
        count = self._count()
        self._fewest = min(self._fewest, count)
        if not self._is_surge and count - self._fewest > SURGE:
            self._is_surge = True
            self._blocks.take_from_c()

    def end_if_calm(self) -> None:
        """Take further blocks from Python again if the surge has ended."""
        self._fewest = min(self._fewest, self._count())
        if self._is_surge and self._clock() - self._grew_at >= CALM_TIME:
            self._is_surge = False
            self._blocks.take_from_python()

    def _on_collection(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "stop":
            self.on_growth()
