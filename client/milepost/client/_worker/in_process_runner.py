"""Running a handler in the worker's own process: an async one as a task, a plain one in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from milepost.client._worker.current_job import TASK, at_hand
from milepost.client._worker.handlers import Handler, Outcome, Registered, is_async
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.handler_process import Process

__all__ = ["Running", "start"]


class Running(Protocol):
    """A handler at work.

    Attributes:
        outcome: Done when the handler has returned or raised, and nothing of it is left; never cancelled.
    """

    outcome: asyncio.Future[Outcome]

    def interrupt(self) -> None:
        """Asks it to stop."""

    def kill(self) -> bool:
        """Ends it, whatever it is doing. False where that cannot be."""


def start(handler: Handler, context: JobContext, reporter: Reporter) -> Running:
    """Starts the handler, as it was registered to run; one that was not, as a task or in a thread."""
    if isinstance(handler, Registered):
        if handler.run == "process":
            return Process(handler.function, context.message, reporter)
        handler = handler.function
    with at_hand(context):  # task and thread run in a copy of the context that they are started in
        if is_async(handler):
            return _Task(cast("Callable[[JobContext], Awaitable[object]]", handler), context)
        return _Thread(handler, context)


class _Task:
    """In the event loop. An interrupt raises `asyncio.CancelledError` at its next await."""

    def __init__(self, handler: Callable[[JobContext], Awaitable[object]], context: JobContext) -> None:
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._work(handler, context), name=f"{TASK}{context.id}")
        # One that is cancelled before its first step never comes to settle it itself.
        self._task.add_done_callback(lambda _: _settle(self.outcome, Outcome(error=asyncio.CancelledError())))

    def interrupt(self) -> None:
        self._task.cancel()

    def kill(self) -> bool:
        return False

    async def _work(self, handler: Callable[[JobContext], Awaitable[object]], context: JobContext) -> None:
        try:
            _settle(self.outcome, Outcome(result=await handler(context)))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it raises is its outcome
            _settle(self.outcome, Outcome.of(error))
        except BaseException as error:
            _settle(self.outcome, Outcome.of(error))
            raise  # the whole process is to end


class _Thread:
    """In a thread. It looks for itself whether it is to stop."""

    def __init__(self, handler: Callable[[JobContext], object], context: JobContext) -> None:
        loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Outcome] = loop.create_future()
        variables = contextvars.copy_context()

        def work() -> None:
            try:
                outcome = Outcome(result=variables.run(handler, context))
            except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
                outcome = Outcome.of(error)
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                loop.call_soon_threadsafe(_settle, self.outcome, outcome)

        # A daemon, since one that does not look whether it is cancelled must not keep the process alive.
        threading.Thread(target=work, name=f"job {context.id}", daemon=True).start()

    def interrupt(self) -> None:
        pass

    def kill(self) -> bool:
        return False


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
