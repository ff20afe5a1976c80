"""What a handler is, in which way it runs, and what its outcome means for its job."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.json_values import Remark, nearest
from milepost.client._worker.truncation import clip
from milepost.client.errors import JobFailure
from milepost.contract.limits import MESSAGE_LENGTH, RESULT_SIZE
from milepost.v1 import JobEnded, JobState

__all__ = ["Handler", "Killed", "Outcome", "Registered", "Result", "Run", "is_async", "job_ended", "way_of"]

Result: TypeAlias = Mapping[str, Any] | None
"""What a handler may return."""

Handler: TypeAlias = Callable[[JobContext], Awaitable[Result] | Result]
"""Does the work of one kind of job."""

Run: TypeAlias = Literal["process", "thread", "task"]
"""Where a handler runs: in a process of its own, in a thread of its own, or as a task of the worker's event loop."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A handler, and the way in which it is to run."""

    function: Handler
    run: Run

    def __call__(self, job: JobContext) -> Awaitable[Result] | Result:
        """Runs it here."""
        return self.function(job)


class Killed(asyncio.CancelledError):
    """The handler did not stop in time, so its process was killed."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler returned, or what it raised; or, of one in another process, what that has made of it."""

    result: object = None
    error: BaseException | None = None
    ended: JobEnded | None = None

    @classmethod
    def of(cls, error: BaseException) -> Outcome:
        """What it raised, without the frame of the SDK that called it."""
        trace = error.__traceback__
        return cls(
            error=error if trace is None or trace.tb_next is None else error.with_traceback(trace.tb_next)
        )

    @property
    def returned(self) -> bool:
        """Whether the handler came to its end."""
        if self.ended is not None:
            return self.ended.state == JobState.JOB_STATE_SUCCEEDED
        return self.error is None


def is_async(handler: Handler) -> bool:
    """Whether it is an async function, a partial of one, or an object that is called like one."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


def way_of(handler: Handler, run: Run | None) -> Run:
    """In which way it runs where that was asked for; None for the usual one.

    Raises:
        ValueError: It cannot run like that.
    """
    function = handler.func if isinstance(handler, functools.partial) else handler
    name = getattr(function, "__qualname__", type(function).__qualname__)
    usual: Run = "task" if is_async(handler) else "thread"
    match run:
        case None:
            return usual
        case "process":
            if sys.platform == "win32":
                raise ValueError(
                    'run="process" needs sessions and process groups, which Windows does not have.'
                )
            if "<" in name:  # <locals> or <lambda>
                raise ValueError(
                    f'{name} cannot run as run="process": the process has to import it, so it is to be a function '
                    "at the top of a module."
                )
            return run
        case "thread" | "task" if run == usual:
            return run
        case "thread":
            raise ValueError(
                f'{name} is async, and cannot run as run="thread": use "task", or "process" for a loop of its own.'
            )
        case "task":
            raise ValueError(
                f'{name} is a plain function, and as run="task" it would block the event loop: use "thread" or '
                '"process", or make it async.'
            )
    raise ValueError(f'There is no run={run!r}: use "process", "thread" or "task".')


def job_ended(outcome: Outcome, remark: Remark, *, cancelled: bool) -> JobEnded:
    """What an outcome means for the job.

    Args:
        outcome: Of its handler.
        remark: Hears of what the result has that cannot be reported as it is.
        cancelled: Whether the job was to be cancelled. A handler that returned all the same has won (rule 17).
    """
    if (ended := outcome.ended) is not None:
        if cancelled and ended.state == JobState.JOB_STATE_FAILED:
            return _cancelled(_meanwhile(ended.failure.code, ended.failure.message))
        return ended
    error = outcome.error
    if error is None:
        return _succeeded(outcome.result, remark)
    if not cancelled:
        return _failed(error)
    match error:
        case Killed():
            return _cancelled(str(error))
        case asyncio.CancelledError():
            return _cancelled("")
        case JobFailure():
            return _cancelled(_meanwhile(error.code, error.message))
        case _:
            return _cancelled(_meanwhile(type(error).__name__, str(error)))


def _meanwhile(code: str, message: str) -> str:
    return f"{code} while it was being cancelled: {message}"


def _cancelled(message: str) -> JobEnded:
    return JobEnded(state=JobState.JOB_STATE_CANCELLED, message=clip(message, MESSAGE_LENGTH))


def _succeeded(result: object, remark: Remark) -> JobEnded:
    ended = JobEnded(state=JobState.JOB_STATE_SUCCEEDED)
    if result is not None:
        ended.result.CopyFrom(nearest(result, "result", RESULT_SIZE, remark))
    return ended


def _failed(error: BaseException) -> JobEnded:
    return JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure_of(error))
