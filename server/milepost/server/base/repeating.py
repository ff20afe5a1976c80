"""Work that is repeated for as long as the server runs, whatever errors it meets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

_logger = structlog.get_logger("milepost.tasks")


async def repeat(
    work: Callable[[], Awaitable[object]], interval: float, *, immediately: bool = False
) -> None:
    """Await ``work`` every ``interval`` seconds, the first time after as long or ``immediately``, until cancelled.

    An error ends this time only, since it may be over the next time, as that of a process with too many open files is.
    It is logged once for as long as it stays the same.
    """
    last_error = ""
    wait = 0.0 if immediately else interval
    while True:
        await asyncio.sleep(wait)
        wait = interval
        try:
            await work()
        except Exception as error:  # the next time is as necessary as it was
            if repr(error) != last_error:
                _logger.error("repeated work failed", work=getattr(work, "__qualname__", ""), exc_info=error)
            last_error = repr(error)
        else:
            last_error = ""
