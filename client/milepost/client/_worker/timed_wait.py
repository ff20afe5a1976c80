"""A wait with a limit in time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["completes"]


async def completes(waiting: Coroutine[Any, Any, object], timeout: float | None) -> bool:
    """Whether `waiting` completes within `timeout` seconds, or at once where that is 0; None for no limit.

    Not by `asyncio.wait_for`: that of Python 3.11 drops a cancellation that comes as `waiting` completes, and with a
    timeout of 0 it does not look whether that is so. And not by `asyncio.timeout`: in early releases of 3.11, as in
    Debian 12, it raises CancelledError when the time is out, if its task was cancelled before
    (https://github.com/python/cpython/issues/102780).
    """
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait((task,), timeout=timeout)
    finally:
        task.cancel()  # nothing, if it is done
    if not task.done():
        return False
    task.result()
    return True
