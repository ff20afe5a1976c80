"""Give free memory back to the operating system.

glibc keeps what was freed in its heaps, unless it lies at their very end; so a server that once was busy would stay as
large for good. It also gives each thread an arena of its own, up to eight for each processor, and what one has free the
others cannot use; gRPC's core has that many threads while it is busy. Other C libraries have no such calls, and need
none.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from milepost.server.base.repeating import repeat

# Seconds between two rounds. One takes some milliseconds of a thread of its own.
_INTERVAL: Final = 20.0

ARENAS: Final = 2
"""Arenas of glibc: that of the event loop's thread, which others use as well, and one more."""

_UNUSED_TIME: Final = 5.0
"""Seconds without use after which caches evict what they have, once a server that was busy is idle."""

# The parameter of mallopt for it (malloc.h).
_M_ARENA_MAX: Final = -8


def limit_arenas() -> None:
    """Let all threads share ``ARENAS`` arenas. Those that there are already stay, so call it before threads start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back the pages of the heaps that are free."""
    # None is the process itself, so that this is the C library that it runs with.
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def clear_type_cache() -> None:
    """Free the names of attributes that Python's cache of methods has: as many as it has entries, 4,096.

    C code that calls a method by its name makes a string of it each time, such as ``datetime`` of ``utcoffset``, and
    the cache keeps most of them. Those of a surge lie between what has been freed since, each in a page of its own.
    """
    clear = getattr(sys, "_clear_internal_caches", None) or getattr(sys, "_clear_type_cache", None)
    if clear is not None:
        clear()


async def keep_trimmed(
    collect: Callable[[], bool],
    evict_unused: Callable[[], Awaitable[None]],
    trim: Callable[[], None] = trim,
    interval: float = _INTERVAL,
    unused_time: float = _UNUSED_TIME,
) -> None:
    """Every ``interval`` seconds ``collect`` garbage, and trim, until cancelled.

    When ``collect`` says that a server that was busy is idle, caches first evict what they do not use. That is little,
    but it lies in many pages, and nobody has to wait while it is read again.
    """

    async def collect_and_trim() -> None:
        if collect():
            await evict_unused()
            await asyncio.sleep(unused_time)
            await evict_unused()
            clear_type_cache()
        await asyncio.to_thread(trim)

    await repeat(collect_and_trim, interval)
