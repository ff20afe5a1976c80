"""Work that goes on to its end where whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any


async def finish(work: asyncio.Future[Any]) -> None:
    """Wait for the work; where this is cancelled, however often, return only once the work has ended."""
    is_cancelled = False
    while not work.done():
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError:
            is_cancelled = True
    work.result()
    if is_cancelled:
        raise asyncio.CancelledError
