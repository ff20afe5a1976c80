"""The current job: the job that the calling code works on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

    from milepost.client._worker.job_context import JobContext

__all__ = ["TASK_NAME_PREFIX", "CurrentJobBlock", "as_current_job", "current_job", "job_id_of"]

TASK_NAME_PREFIX: Final = "job "
"""Prefix of the names of tasks that run handlers; the id of the job follows."""

# With the id of the process: in a fork nobody would send the reports, so there is no current job.
_current: Final[ContextVar[tuple[int, JobContext] | None]] = ContextVar("milepost_job", default=None)


def current_job() -> JobContext | None:
    """The job that the calling code works on; None outside of handlers and blocks.

    It propagates as context variables do: into tasks that a handler starts and into `asyncio.to_thread`, but into other
    threads only if they run in a copy of the context.
    """
    current = _current.get()
    return current[1] if current is not None and current[0] == os.getpid() else None


class CurrentJobBlock:
    """A block of code with a current job of its own.

    A signal may raise in any line, so `leave` may be called at any time and again. There is no token, since the signal
    may come before there is one. Left in another context than it was entered in, the block changes nothing there.
    """

    def __init__(self) -> None:
        self._before = self._own = _current.get()

    def enter(self, job: JobContext) -> None:
        """Make `job` the current job."""
        self._before, self._own = _current.get(), (os.getpid(), job)
        _current.set(self._own)

    def leave(self) -> None:
        """Restore the current job of before."""
        if _current.get() is self._own:
            _current.set(self._before)


@contextlib.contextmanager
def as_current_job(job: JobContext) -> Iterator[None]:
    """Make `job` the current job for the duration of a block."""
    block = CurrentJobBlock()
    try:
        block.enter(job)
        yield
    finally:
        block.leave()


def job_id_of(task: asyncio.Task[Any]) -> str:
    """The id of the current job of a task; empty if it has none, or, before Python 3.12, if its name does not say."""
    context = getattr(task, "get_context", None)
    if context is None:
        return (
            task.get_name().removeprefix(TASK_NAME_PREFIX)
            if task.get_name().startswith(TASK_NAME_PREFIX)
            else ""
        )
    current = context().get(_current)
    return current[1].id if current is not None else ""
