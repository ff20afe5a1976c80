"""Steps that block, in a thread, from an async function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["in_thread"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


async def in_thread(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """Call a plain function in a thread.

    Unlike `asyncio.to_thread` a cancelled caller waits until the function has stopped, so that it no longer uses what
    the caller is going to remove. The function stops by itself, where it looks whether its job is cancelled.
    """
    running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait((running,))
        if not running.cancelled():
            running.exception()  # it was told to stop, and that is how it does
        raise
