"""A wait that goes on though its task is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

__all__ = ["uninterrupted"]


async def uninterrupted(waiting: Awaitable[object]) -> None:
    """Wait for what comes within a few passes of the loop, and only then raise a cancellation, if there was one."""
    awaited = asyncio.ensure_future(waiting)
    cancelled = False
    while not awaited.done():
        try:
            await asyncio.wait((awaited,))
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
