"""End streams whose clients have disconnected (ASGI reports that only to whoever receives)."""

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
    working = asyncio.current_task()
    assert working is not None
    has_left = False

    async def wait_for_leaving() -> None:
        nonlocal has_left
        await received.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        working.cancel()

    leaving = asyncio.create_task(wait_for_leaving())
    try:
        await work
        # The client may have left just now: the cancellation has to arrive here, and not at the caller's next await.
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if not has_left or working.uncancel():
            raise
        raise ClientGone from None
    finally:
        leaving.cancel()
