"""The job at hand: the one that the code which asks is at work on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.client.worker.job import JobContext

__all__ = ["at_hand", "current_job"]

# With the process that it is at hand in: a fork has nobody who would send what is told there.
_current: Final[ContextVar[tuple[int, JobContext] | None]] = ContextVar("milepost_job", default=None)


def current_job() -> JobContext | None:
    """The job that is being worked on here; None where there is none.

    It travels as context variables do: into the tasks that a handler starts and into `asyncio.to_thread`, but into
    threads of its own making only where they run in a copy of its context.
    """
    current = _current.get()
    return current[1] if current is not None and current[0] == os.getpid() else None


@contextlib.contextmanager
def at_hand(job: JobContext) -> Iterator[None]:
    """Makes it the job at hand for as long as it is entered."""
    token = _current.set((os.getpid(), job))
    try:
        yield
    finally:
        _current.reset(token)
