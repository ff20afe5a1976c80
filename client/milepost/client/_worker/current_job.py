"""The job at hand: the one that the code which asks is at work on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

    from milepost.client._worker.job_context import JobContext

__all__ = ["TASK", "at_hand", "current_job", "job_of"]

TASK: Final = "job "
"""How the names of tasks begin that handlers run in; the id of the job follows."""

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


def job_of(task: asyncio.Task[Any]) -> str:
    """The id of the job that is at hand in a task; empty where none is, or where Python before 3.12 does not tell."""
    context = getattr(task, "get_context", None)
    if context is None:
        return task.get_name().removeprefix(TASK) if task.get_name().startswith(TASK) else ""
    current = context().get(_current)
    return current[1].id if current is not None else ""
