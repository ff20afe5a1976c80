"""Coroutines in plain code that a job's cancellation interrupts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from milepost.client._worker.job_context import JobContext

__all__ = ["run_blocking"]

_Result = TypeVar("_Result")


def run_blocking(job: JobContext, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end in an event loop of this thread; interrupt it when `job` is to stop.

    Raises:
        Cancelled: The job is to stop.
        RuntimeError: This thread runs an event loop.
    """

    async def run() -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.create_task(coroutine)

        def interrupt() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed by now
                loop.call_soon_threadsafe(task.cancel)

        job.on_cancel(interrupt)
        return await task

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        job.raise_if_cancelled()
        raise
    finally:
        coroutine.close()
