"""Coroutines in plain code that a job's cancellation interrupts."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Final, Generic, TypeVar

from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._worker.job_context import JobContext

__all__ = ["SDK_THREAD", "run_blocking", "run_in_sdk_thread"]

_Result = TypeVar("_Result")

SDK_THREAD: Final = EventLoopThread()
"""Runs coroutines of the SDK, which never block, for all plain functions of this process."""


def run_blocking(job: JobContext, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end in an event loop of this thread; interrupt it when `job` is to stop.

    Raises:
        Cancelled: The job is to stop.
        RuntimeError: This thread runs an event loop.
    """
    try:
        _refuse_event_loop()
        return asyncio.run(_Call(job, coroutine).run())
    except asyncio.CancelledError:
        job.raise_if_cancelled()
        raise
    finally:
        coroutine.close()


def run_in_sdk_thread(job: JobContext, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine of the SDK to its end in `SDK_THREAD`; interrupt it when `job` is to stop.

    If a signal raises in this thread, the coroutine is interrupted, too, and has ended before this raises.

    Raises:
        Cancelled: The job is to stop.
        RuntimeError: This thread runs an event loop.
    """
    call = _Call(job, coroutine)

    async def interrupt() -> None:
        call.interrupt()

    try:
        _refuse_event_loop()
        return SDK_THREAD.start(call.run()).result()
    except concurrent.futures.CancelledError:
        job.raise_if_cancelled()
        raise asyncio.CancelledError from None
    except BaseException:
        # It goes on, or was never started: the thread begins one coroutine after the other.
        if not call.ended.is_set():
            with contextlib.suppress(RuntimeError, OSError):  # there is no thread
                SDK_THREAD.run_to_end(interrupt())
            if call.has_begun:
                call.ended.wait()
            else:
                coroutine.close()
        raise


class _Call(Generic[_Result]):
    """A coroutine, and its one interruption: a second one would end the cleanup that the first has begun.

    `Task.cancelling` does not tell whether there was one: it counts that of `asyncio.timeout`, or of a task group, too,
    until the cleanup after it has ended.
    """

    def __init__(self, job: JobContext, coroutine: Coroutine[Any, Any, _Result]) -> None:
        self._cancel_signal = job._control.cancel_signal
        self._coroutine = coroutine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._is_interrupted = False
        self.has_begun = False
        self.ended = threading.Event()

    async def run(self) -> _Result:
        """Run the coroutine to its end in the running loop; interrupt it when the job is to stop."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self.has_begun = True
        try:
            self._cancel_signal.add_callback(self._on_cancel)
            return await self._coroutine
        finally:
            self._cancel_signal.remove_callback(self._on_cancel)
            # It has what it raised, and so the frames of the callers, which have this object: a cycle would keep them.
            self._task = None
            self.ended.set()

    def interrupt(self) -> None:
        """Cancel the task, in its loop, unless it was interrupted before or has ended."""
        if self._task is not None and not self._is_interrupted:
            self._is_interrupted = True
            self._task.cancel()

    def _on_cancel(self) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            self._loop.call_soon_threadsafe(self.interrupt)


def _refuse_event_loop() -> None:
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(
            "A blocking call came from a thread that runs an event loop, which would wait as well: await the async "
            "method in place of it."
        )
