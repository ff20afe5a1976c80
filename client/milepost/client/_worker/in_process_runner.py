"""Starts handlers; runs those in the worker's process: async ones as a task, plain ones in a thread each."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from milepost.client._arguments import is_async
from milepost.client._worker.current_job import TASK_NAME_PREFIX, as_current_job
from milepost.client._worker.handlers import Handler, Outcome, RegisteredHandler, StoppableHandler
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.handler_process import HandlerProcess
from milepost.client.errors import JobFailure

__all__ = ["RunningHandler", "start_handler"]


class RunningHandler(Protocol):
    """A handler that was started.

    Attributes:
        outcome: Resolves when the handler has returned or raised, and its thread, task or process is done; never
            cancelled.
    """

    outcome: asyncio.Future[Outcome]

    def interrupt(self) -> None:
        """Ask the handler to stop; called again for each further reason."""

    def kill(self) -> bool:
        """End the handler forcibly. False if that is impossible."""


def start_handler(handler: Handler, context: JobContext, reporter: Reporter) -> RunningHandler:
    """Start the handler in its registered run mode; one without a mode as a task or in a thread."""
    if isinstance(handler, RegisteredHandler):
        if handler.run == "process":
            return HandlerProcess(handler.function, context.message, reporter)
        handler = handler.function
    if isinstance(handler, StoppableHandler):
        return _StoppableTask(handler, context)
    with as_current_job(context):  # task and thread run in a copy of this context
        if is_async(handler):
            return _TaskHandler(cast("Callable[[JobContext], Awaitable[object]]", handler), context)
        return _ThreadHandler(handler, context)


class _TaskHandler:
    """A handler in the event loop. The first interrupt raises `asyncio.CancelledError` at its next await.

    Further ones would end the cleanup that the first has begun.
    """

    def __init__(self, handler: Callable[[JobContext], Awaitable[object]], context: JobContext) -> None:
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._is_interrupted = False
        self._task = asyncio.create_task(self._work(handler, context), name=f"{TASK_NAME_PREFIX}{context.id}")
        # A task that is cancelled before its first step never runs `_work`.
        self._task.add_done_callback(
            lambda _: _resolve(self.outcome, Outcome(error=asyncio.CancelledError()))
        )

    def interrupt(self) -> None:
        if not self._is_interrupted:
            self._is_interrupted = True
            self._task.cancel()

    def kill(self) -> bool:
        return False

    async def _work(self, handler: Callable[[JobContext], Awaitable[object]], context: JobContext) -> None:
        try:
            _resolve(self.outcome, Outcome(result=await handler(context)))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - any exception is the outcome
            _resolve(self.outcome, Outcome.raised(error))
        except BaseException as error:
            _resolve(self.outcome, Outcome.raised(error))
            raise  # SystemExit and the like end the process


class _StoppableTask(_TaskHandler):
    """A handler that takes each interrupt for a reason to stop, and decides for itself when it does."""

    def __init__(self, handler: StoppableHandler, context: JobContext) -> None:
        super().__init__(handler.function, context)
        self._kill = handler.kill

    def interrupt(self) -> None:
        self._task.cancel()

    def kill(self) -> bool:
        return self._kill()


class _ThreadHandler:
    """A handler in a thread, which checks for cancellation itself."""

    def __init__(self, handler: Callable[[JobContext], object], context: JobContext) -> None:
        loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = loop.create_future()
        variables = contextvars.copy_context()

        def work() -> None:
            try:
                outcome = Outcome(result=variables.run(handler, context))
            except BaseException as error:  # noqa: BLE001 - any exception is the outcome
                outcome = Outcome.raised(error)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(_resolve, self.outcome, outcome)

        # A daemon: a handler that ignores its cancellation must not keep the process alive.
        thread = threading.Thread(target=work, name=f"job {context.id}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no room for one
            failure = JobFailure(
                "THREAD_NOT_STARTED", f"No thread could be started: {error}.", retryable=True
            )
            _resolve(self.outcome, Outcome(error=failure))

    def interrupt(self) -> None:
        pass

    def kill(self) -> bool:
        return False


def _resolve(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
