"""Coroutines in plain code that a job's cancellation interrupts."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

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
        return asyncio.run(_interrupted_by(job, coroutine))
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
    task: asyncio.Task[Any] | None = None
    ended = threading.Event()

    async def run() -> _Result:
        nonlocal task
        task = asyncio.current_task()
        try:
            return await _interrupted_by(job, coroutine)
        finally:
            ended.set()

    async def interrupt() -> None:
        if task is not None:
            _cancel_once(task)

    try:
        _refuse_event_loop()
        return SDK_THREAD.start(run()).result()
    except concurrent.futures.CancelledError:
        job.raise_if_cancelled()
        raise asyncio.CancelledError from None
    except BaseException:
        if (
            not ended.is_set()
        ):  # it goes on, or was never started: the thread begins one coroutine after the other
            with contextlib.suppress(RuntimeError, OSError):  # there is no thread
                SDK_THREAD.run_to_end(interrupt())
            if task is None:
                coroutine.close()
            else:
                ended.wait()
        raise
    finally:
        task = (
            None  # which has what it raised, and so this frame: a cycle would keep the frames of the caller
        )


async def _interrupted_by(job: JobContext, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(_cancel_once, task)

    cancel_signal = job._control.cancel_signal
    cancel_signal.add_callback(interrupt)
    try:
        return await coroutine
    finally:
        cancel_signal.remove_callback(interrupt)


def _cancel_once(task: asyncio.Task[Any]) -> None:
    """Cancel a task; a second time would end the cleanup that the first has begun."""
    if not task.cancelling():
        task.cancel()


def _refuse_event_loop() -> None:
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(
            "A blocking call came from a thread that runs an event loop, which would wait as well: await the async "
            "method in place of it."
        )
