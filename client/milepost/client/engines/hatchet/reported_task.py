"""The function of a task, with a job around each attempt."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from hatchet_sdk import Context, NonRetryableException

from milepost.client._attach import AttachedJob
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.current_job import as_current_job
from milepost.client.engines.hatchet.attempt_block import AttemptBlock, unreported_job
from milepost.client.engines.hatchet.job_options import HatchetJobOptions
from milepost.client.engines.hatchet.jobs_of_runs import JobsOfRuns, submission
from milepost.client.engines.hatchet.task_end import as_mapping, final_error
from milepost.client.engines.hatchet.task_interrupt import TaskInterrupt
from milepost.client.engines.hatchet.task_run import TaskRun, as_parent
from milepost.v1 import SubmitJobRequest

__all__ = ["ReportedTask"]

_logger = logging.getLogger("milepost.client")

_Result = TypeVar("_Result")

# The attribute of a wrapper that has its ReportedTask.
_ATTRIBUTE: Final = "__milepost_task__"


class ReportedTask:
    """Runs the function of a task as the block of a job.

    Attributes:
        kind: Kind of the jobs.
        options: Options of the jobs.
    """

    def __init__(
        self,
        jobs: JobsOfRuns,
        thread: EventLoopThread,
        function: Callable[..., Any],
        kind: str,
        *,
        shows_input: bool,
        shows_result: bool,
        needs_job: bool,
        options: HatchetJobOptions,
    ) -> None:
        self._jobs = jobs
        self._thread = thread
        self._function = function
        self.kind = kind
        self._shows_input = shows_input
        self._shows_result = shows_result
        self._needs_job = needs_job
        self.options = options
        self._warned_of_batch = False
        jobs.kinds.add(kind)
        self._takes_job = "job" in inspect.signature(function).parameters
        submission(kind, "", 1, None, options)  # wrong options raise here, and not in each run

    @classmethod
    def of(cls, function: object) -> ReportedTask | None:
        """The task of a wrapper; None for any other function."""
        task = getattr(function, _ATTRIBUTE, None)
        return task if isinstance(task, cls) else None

    def wrapper(self) -> Callable[..., Any]:
        """The function for Hatchet, async if the original is."""
        if inspect.iscoroutinefunction(self._function):

            @functools.wraps(self._function)
            async def run(values: Any, context: Context, **dependencies: Any) -> Any:
                return await self._run(values, context, dependencies)
        else:

            @functools.wraps(self._function)
            def run(values: Any, context: Context, **dependencies: Any) -> Any:
                return self._run_plain(values, context, dependencies)

        vars(run)[_ATTRIBUTE] = self
        return run

    async def _run(self, values: Any, context: Context, dependencies: dict[str, Any]) -> Any:
        if not context.task_run_id:
            self._warn_of_batch()
            unreported = await asyncio.wrap_future(self._thread.start(unreported_job(self.kind)))
            return await self._function(values, context, **self._arguments(unreported, dependencies))
        interrupt = TaskInterrupt()
        block = self._block(values, context, interrupt)
        job, cancelled = await _to_the_end(self._thread.start(block.enter()))
        if block.is_elsewhere and self._needs_job:
            return {}
        try:
            with _block_of(job, block):
                if cancelled:
                    raise asyncio.CancelledError
                value = await self._function(values, context, **self._arguments(job, dependencies))
                self._set_result(job, value)
        except BaseException as error:
            await interrupt.finish()
            await _to_the_end(self._thread.start(block.leave(error)))
            if block.cancelled and not context.is_cancelled:
                await asyncio.to_thread(_cancel_run, context, job)
            if (final := final_error(error)) is not None:
                try:
                    raise final from error
                finally:
                    del final  # it has this frame
            raise
        was_cancelled = await interrupt.finish()
        _, cancelled = await _to_the_end(self._thread.start(block.leave(None)))
        if cancelled or was_cancelled:
            raise asyncio.CancelledError
        return value

    def _run_plain(self, values: Any, context: Context, dependencies: dict[str, Any]) -> Any:
        if not context.task_run_id:
            self._warn_of_batch()
            unreported = self._thread.run(unreported_job(self.kind))
            return self._function(values, context, **self._arguments(unreported, dependencies))
        block = self._block(values, context, _do_nothing)
        job: AttachedJob | None = None
        try:
            job = self._thread.run(block.enter())
            if block.is_elsewhere and self._needs_job:
                return {}
            with _block_of(job, block):
                value = self._function(values, context, **self._arguments(job, dependencies))
                self._set_result(job, value)
        except BaseException as error:
            self._thread.run(block.leave(error))
            if job is not None and block.cancelled and not context.is_cancelled:
                _cancel_run(context, job)
            if (final := final_error(error)) is not None:
                try:
                    raise final from error
                finally:
                    del final  # it has this frame
            raise
        self._thread.run(block.leave(None))
        return value

    def _warn_of_batch(self) -> None:
        """Warn once that the runs of this task have no jobs: one call serves several, and does not know their ids."""
        if not self._warned_of_batch:
            self._warned_of_batch = True
            name = self._function.__qualname__
            _logger.warning(
                "%s is a batch task: it runs without jobs, since one call works on many runs", name
            )

    def _block(self, values: Any, context: Context, interrupt: Callable[[], None]) -> AttemptBlock:
        run = TaskRun.of(context)
        return AttemptBlock(self._jobs, run, context, self._request(run, values), interrupt)

    def _request(self, run: TaskRun, values: Any) -> SubmitJobRequest:
        options = HatchetJobOptions(**self.options)
        options["labels"] = {**run.labels, **options.get("labels", {})}
        return submission(
            self.kind,
            run.job_id,
            run.max_attempts,
            as_mapping(values) if self._shows_input else None,
            options,
            parent_job_id=run.parent_job_id,
        )

    def _arguments(self, job: AttachedJob, dependencies: dict[str, Any]) -> dict[str, Any]:
        return {**dependencies, "job": job} if self._takes_job else dependencies

    def _set_result(self, job: AttachedJob, value: Any) -> None:
        if self._shows_result and job.result is None:
            job.result = as_mapping(value)


@contextlib.contextmanager
def _block_of(job: AttachedJob, block: AttemptBlock) -> Iterator[None]:
    """The function's surroundings: its job is the current one, and the parent of those of the runs it triggers."""
    if block.cancelled:
        raise Cancelled
    with as_current_job(job), as_parent(job.id):
        yield


def _cancel_run(context: Context, job: AttachedJob) -> None:
    """Cancel the run in Hatchet, which otherwise would wait for its end: the SDK reports none after a cancellation.

    Raises:
        NonRetryableException: The engine's API refused or could not be reached. The run then fails.
    """
    try:
        context.cancel()
    except Exception as error:
        _logger.warning("job %s was cancelled, and its Hatchet run fails instead: %s", job.id, error)
        raise NonRetryableException("The job was cancelled in Milepost.") from error


async def _to_the_end(future: concurrent.futures.Future[_Result]) -> tuple[_Result, bool]:
    """Await a future whatever happens: its result, and whether the task was cancelled meanwhile."""
    cancelled = False
    waiting = asyncio.wrap_future(future)
    while not waiting.done():
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError:
            cancelled = True
    return waiting.result(), cancelled


def _do_nothing() -> None:
    pass
