"""Handlers: their types and run modes, and the end of a job that follows from an outcome."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from milepost.client._arguments import is_async
from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.json_values import Warn, to_lossy_struct
from milepost.client._worker.truncation import text_of, truncate
from milepost.client.errors import JobFailure
from milepost.contract.limits import MESSAGE_LENGTH, RESULT_SIZE
from milepost.v1 import JobEnded, JobState

__all__ = [
    "Handler",
    "HandlerKilled",
    "HandlerRaised",
    "Outcome",
    "RegisteredHandler",
    "Result",
    "RunMode",
    "StoppableHandler",
    "job_ended",
    "name_of",
    "refuse_generator",
    "run_mode_of",
    "unreportable",
]

Result: TypeAlias = Mapping[str, Any] | None
"""The return value of a handler."""

Handler: TypeAlias = Callable[[JobContext], Awaitable[Result] | Result]
"""A function that runs the jobs of one kind."""

RunMode: TypeAlias = Literal["process", "thread", "task"]
"""Where a handler runs: in a process or a thread of its own, or as a task of the worker's event loop."""


@dataclass(frozen=True, slots=True)
class RegisteredHandler:
    """A handler and its run mode."""

    function: Handler
    run: RunMode

    def __call__(self, job: JobContext) -> Awaitable[Result] | Result:
        """Call the handler directly."""
        return self.function(job)


@dataclass(frozen=True, slots=True)
class StoppableHandler:
    """An async handler, and what ends it from outside if it does not stop in time.

    Attributes:
        function: The handler. It is interrupted once for each reason to stop.
        kill: Ends it; must not block. False if that is impossible.
    """

    function: Callable[[JobContext], Awaitable[Result]]
    kill: Callable[[], bool]

    def __call__(self, job: JobContext) -> Awaitable[Result]:
        """Call the handler directly."""
        return self.function(job)


class HandlerKilled(asyncio.CancelledError):
    """The handler did not stop in time, so its process was killed."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class HandlerRaised(Exception):
    """The exception of a handler in another process: its text is the traceback there."""


@dataclass(slots=True)
class Outcome:
    """The outcome of a handler: its result, its exception, or, from a handler process, the end of the job.

    With the end of the job, the exception is only for the log. Whoever has taken the outcome forgets it: an exception
    has the frames that it came through, and those of the SDK that ran the handler have the outcome.
    """

    result: object = None
    error: BaseException | None = None
    ended: JobEnded | None = None

    @classmethod
    def raised(cls, error: BaseException) -> Outcome:
        """The outcome of a handler that raised, without the SDK's frame in the traceback."""
        trace = error.__traceback__
        return cls(
            error=error if trace is None or trace.tb_next is None else error.with_traceback(trace.tb_next)
        )

    @property
    def returned(self) -> bool:
        """Whether the handler returned."""
        if self.ended is not None:
            return self.ended.state == JobState.JOB_STATE_SUCCEEDED
        return self.error is None

    def forget(self) -> None:
        """Let go of the result and of the exception, and so of all that the handler had."""
        self.result = self.error = None


def name_of(function: Callable[..., object]) -> str:
    """The name of a function for people; of an object that is called, that of its class."""
    function = function.func if isinstance(function, functools.partial) else function
    return getattr(function, "__qualname__", type(function).__qualname__)


def refuse_generator(function: Callable[..., object]) -> None:
    """Raise ValueError for a generator function, async or not: calling it runs none of its code."""
    for called in (function, type(function).__call__):
        if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
            raise ValueError(
                f"{name_of(function)} yields, so that calling it runs nothing: return the result, and report progress "
                "by the job, as in `for item in stage.track(items)`."
            )


def run_mode_of(handler: Handler, run: RunMode | None) -> RunMode:
    """Validate the requested run mode; for None, return the default of the handler.

    Raises:
        TypeError: It is no function.
        ValueError: The handler cannot run in that mode, or not at all: it is a generator function.
    """
    if not callable(handler):
        raise TypeError(f"A handler is a function, and not {handler!r}.")
    refuse_generator(handler)
    name = name_of(handler)
    default: RunMode = "task" if is_async(handler) else "thread"
    match run:
        case None:
            return default
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
        case "thread" | "task" if run == default:
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


def job_ended(outcome: Outcome, warn: Warn, *, cancelled: bool) -> JobEnded:
    """The end of a job that follows from the outcome of its handler.

    Args:
        outcome: The outcome of the handler.
        warn: Called for each value of the result that cannot be reported exactly.
        cancelled: Whether cancellation was requested. A handler that returned nevertheless has succeeded (rule 17).
    """
    if (ended := outcome.ended) is not None:
        if cancelled and ended.state == JobState.JOB_STATE_FAILED:
            return _cancelled(_failure_text(ended.failure.code, ended.failure.message))
        return ended
    error = outcome.error
    if error is None:
        return _succeeded(outcome.result, warn)
    if not cancelled:
        return _failed(error)
    match error:
        case HandlerKilled():
            return _cancelled(text_of(error))
        case asyncio.CancelledError():
            return _cancelled("")
        case _:
            failure = failure_of(error, detail=False)
            return _cancelled(_failure_text(failure.code, failure.message))


def unreportable(error: BaseException, *, cancelled: bool) -> JobEnded:
    """The end of a job whose handler has ended, where `job_ended` raised this error: for what nobody foresaw."""
    text = f"The end of the handler cannot be reported: {type(error).__name__}: {text_of(error)}."
    if cancelled:
        return _cancelled(text)
    return _failed(
        JobFailure("END_NOT_REPORTABLE", f"{text} Return plain JSON values, or raise a JobFailure.")
    )


def _failure_text(code: str, message: str) -> str:
    return f"{code} while it was being cancelled: {message}"


def _cancelled(message: str) -> JobEnded:
    return JobEnded(state=JobState.JOB_STATE_CANCELLED, message=truncate(message, MESSAGE_LENGTH))


def _succeeded(result: object, warn: Warn) -> JobEnded:
    ended = JobEnded(state=JobState.JOB_STATE_SUCCEEDED)
    if result is not None:
        ended.result.CopyFrom(to_lossy_struct(result, "result", RESULT_SIZE, warn))
    return ended


def _failed(error: BaseException) -> JobEnded:
    return JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure_of(error))
