"""Event loops of several threads that use gRPC in one process.

A thread of grpc.aio writes a byte to one socket for each event of any of them. So each loop is woken for the events of
all, and the first to read the byte takes the event, or hands it to the loop that it is for. In the others the read
fails, and where a loop was closed before its last event, the hand-over does; asyncio would log the tracebacks of both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

__all__ = ["tolerating_other_loops"]


@contextlib.contextmanager
def tolerating_other_loops() -> Iterator[None]:
    """Ignore those errors in the running loop, if it first uses grpc.aio within the block.

    It registers its socket then, through ``add_reader``. Nothing changes if it was used in this loop before.
    """
    loop: Any = asyncio.get_running_loop()
    add_reader = loop.add_reader
    loop.add_reader = lambda waking, callback: add_reader(waking, partial(_take_events, callback))
    try:
        yield
    finally:
        del loop.add_reader


def _take_events(callback: Callable[[], object]) -> None:
    with contextlib.suppress(BlockingIOError, RuntimeError):
        callback()
