"""Running a handler: an async one as a task, a plain one in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from milepost.client.errors import JobFailure
from milepost.client.values import to_struct
from milepost.client.worker.clipping import clip
from milepost.client.worker.current import at_hand
from milepost.client.worker.failures import failure_of
from milepost.client.worker.job import JobContext
from milepost.contract.limits import MESSAGE_LENGTH, RESULT_SIZE
from milepost.v1 import JobEnded, JobState

__all__ = ["Handler", "Outcome", "Running", "job_ended"]

_log = logging.getLogger("milepost.client")

Result = Mapping[str, Any] | None
"""What a handler may return."""

Handler = Callable[[JobContext], Awaitable[Result] | Result]
"""Does the work of one kind of job."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler returned, or what it raised."""

    result: object = None
    error: BaseException | None = None

    @classmethod
    def of(cls, error: BaseException) -> Outcome:
        """What it raised, without the frame of the SDK that called it."""
        trace = error.__traceback__
        return cls(
            error=error if trace is None or trace.tb_next is None else error.with_traceback(trace.tb_next)
        )


class Running:
    """A handler at work.

    Attributes:
        outcome: Done when the handler has returned or raised; never cancelled.
    """

    def __init__(self, handler: Handler, context: JobContext) -> None:
        """Starts it."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        with at_hand(context):  # task and thread run in a copy of the context that they are started in
            if inspect.iscoroutinefunction(handler):
                self._task = asyncio.create_task(self._in_loop(handler, context), name=f"job {context.id}")
                # One that is cancelled before its first step never comes to settle it itself.
                self._task.add_done_callback(lambda _: self._settle(Outcome(error=asyncio.CancelledError())))
            else:
                self._in_thread(handler, context)

    def interrupt(self) -> None:
        """Has an async handler raise `asyncio.CancelledError` at its next await. A plain one looks for itself."""
        if self._task is not None:
            self._task.cancel()

    async def _in_loop(self, handler: Callable[[JobContext], Awaitable[object]], context: JobContext) -> None:
        try:
            self._settle(Outcome(result=await handler(context)))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it raises is its outcome
            self._settle(Outcome.of(error))
        except BaseException as error:
            self._settle(Outcome.of(error))
            raise  # the whole process is to end

    def _in_thread(self, handler: Callable[[JobContext], object], context: JobContext) -> None:
        loop = asyncio.get_running_loop()
        variables = contextvars.copy_context()

        def work() -> None:
            try:
                outcome = Outcome(result=variables.run(handler, context))
            except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
                outcome = Outcome.of(error)
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                loop.call_soon_threadsafe(self._settle, outcome)

        # A daemon, since one that does not look whether it is cancelled must not keep the process alive.
        threading.Thread(target=work, name=f"job {context.id}", daemon=True).start()

    def _settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


def job_ended(outcome: Outcome, *, cancelled: bool) -> JobEnded:
    """What an outcome means for the job.

    Args:
        outcome: Of its handler.
        cancelled: Whether the job was to be cancelled. A handler that returned all the same has won (rule 17).
    """
    error = outcome.error
    if error is None:
        return _succeeded(outcome.result)
    if cancelled:
        stopped = isinstance(error, asyncio.CancelledError)
        message = "" if stopped else f"{type(error).__name__} while it was being cancelled: {error}"
        return JobEnded(state=JobState.JOB_STATE_CANCELLED, message=clip(message, MESSAGE_LENGTH))
    return _failed(error)


def _succeeded(result: object) -> JobEnded:
    ended = JobEnded(state=JobState.JOB_STATE_SUCCEEDED)
    if result is None:
        return ended
    if not isinstance(result, Mapping):
        text = f"The handler returned {type(result).__name__}; it is to return a mapping, or None."
        return _failed(JobFailure("RESULT_INVALID", text))
    try:
        ended.result.CopyFrom(to_struct(result, "result"))
    except (TypeError, ValueError) as error:
        return _failed(JobFailure("RESULT_INVALID", str(error)))
    if (size := ended.result.ByteSize()) > RESULT_SIZE:
        text = f"The result is {size:,} bytes, and at most {RESULT_SIZE:,} are allowed: register an artifact instead."
        return _failed(JobFailure("RESULT_TOO_LARGE", text))
    return ended


def _failed(error: BaseException) -> JobEnded:
    return JobEnded(state=JobState.JOB_STATE_FAILED, failure=failure_of(error))
