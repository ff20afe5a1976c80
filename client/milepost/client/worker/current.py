"""The job at hand: the one that the code which asks is at work on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.client.worker.job import JobContext

__all__ = ["at_hand", "current_job"]

_current: Final[ContextVar[JobContext | None]] = ContextVar("milepost_job", default=None)


def current_job() -> JobContext | None:
    """The job that is being worked on here; None where there is none.

    It travels as context variables do: into the tasks that a handler starts and into `asyncio.to_thread`, but into
    threads of its own making only where they run in a copy of its context.
    """
    return _current.get()


@contextlib.contextmanager
def at_hand(job: JobContext) -> Iterator[None]:
    """Makes it the job at hand for as long as it is entered."""
    token = _current.set(job)
    try:
        yield
    finally:
        _current.reset(token)
