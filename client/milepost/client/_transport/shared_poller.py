"""Event loops of several threads that use gRPC in one process.

A thread of grpc.aio writes a byte to one socket for each event of any of them. So each loop is woken for the events of
all, and the first to read the byte takes the event, or hands it to the loop that it is for. In the others the read
fails, and where a loop was closed before its last event, the hand-over does; asyncio would log the tracebacks of both
as errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

__all__ = ["tolerating_other_loops"]

_logger = logging.getLogger("milepost.client")


@contextlib.contextmanager
def tolerating_other_loops() -> Iterator[None]:
    """Keep those errors of the running loop out of its log, if it first uses grpc.aio within the block.

    It registers its socket then, through ``add_reader``. Nothing changes if it was used in this loop before.
    """
    loop: Any = asyncio.get_running_loop()
    is_overridden = "add_reader" in vars(loop)
    add_reader = loop.add_reader
    loop.add_reader = lambda waking, callback: add_reader(waking, partial(_take_events, callback))
    try:
        yield
    finally:
        if is_overridden:
            loop.add_reader = add_reader
        else:
            del loop.add_reader


def _take_events(callback: Callable[[], object]) -> None:
    with contextlib.suppress(BlockingIOError):
        try:
            callback()
        except RuntimeError:  # which loop was closed is not known here, nor that it is the reason
            _logger.debug("an event of gRPC was not handed to the loop that it is for", exc_info=True)
