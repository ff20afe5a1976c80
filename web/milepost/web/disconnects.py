"""Streams end when their clients leave, however quiet they are (ASGI tells only whoever receives)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import Receive

from milepost.web.request_body import ClientGone


async def while_connected(receive: Receive, received: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, and cancel it when the client leaves. ``received`` is set once the request's body is complete.

    Raises what the work raises; ClientGone.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive, received))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive, received: asyncio.Event) -> None:
    await received.wait()
    while (await receive())["type"] != "http.disconnect":
        pass
