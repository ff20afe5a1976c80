"""The block of one attempt: claims its job, follows cancellations both ways, and reports the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from hatchet_sdk import Context, DurableContext

from milepost.client._attach import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines.hatchet.engine_state import EngineState, engine_reader, reader_of_job
from milepost.client.engines.hatchet.job_choice import AttemptNotReported, CancelledBefore
from milepost.client.engines.hatchet.jobs_of_runs import JobsOfRuns
from milepost.client.engines.hatchet.task_end import failure_for_job, timeout_for_job
from milepost.client.engines.hatchet.task_run import TaskRun
from milepost.client.engines.hatchet.waiting_runs import CANCELLED_IN_HATCHET
from milepost.client.errors import JobEndedError, JobFailure, LeaseLost, MilepostError
from milepost.v1 import Job, SubmitJobRequest

__all__ = ["AttemptBlock", "unreported_job"]

_logger = logging.getLogger("milepost.client")

# Seconds between two looks at whether Hatchet has cancelled the run, which the SDK has no callback for. It interrupts a
# coroutine one second after that.
_POLL_INTERVAL: Final = 0.1
# Seconds for Hatchet to say why it has stopped an attempt, and for its cancellation to come back from the server. The
# attempt ends after that.
_CANCEL_TIMEOUT: Final = 5.0
# Seconds after which a durable task that Hatchet has stopped was not evicted: the SDK interrupts evicted ones at once.
_EVICTION_MARGIN: Final = 0.5
# States of a run whose attempt the engine has stopped because it timed out: the run has failed, or its next attempt
# waits or runs. The engine writes a cancellation down before it stops the attempt.
_TIMED_OUT: Final = frozenset({"FAILED", "QUEUED", "RUNNING"})


class AttemptBlock:
    """The block of one attempt. Its methods run in the client's thread, and raise no error of Milepost.

    Attributes:
        cancelled: Whether the job was cancelled, before the attempt or during it.
        is_elsewhere: Whether another attempt, or another run, has the job or has ended it.
    """

    def __init__(
        self,
        jobs: JobsOfRuns,
        run: TaskRun,
        context: Context,
        request: SubmitJobRequest,
        interrupt: Callable[[], None],
    ) -> None:
        """`interrupt` is called when the job is cancelled while the attempt runs."""
        self._jobs = jobs
        self._run = run
        self._context = context
        self._request = request
        self._interrupt = interrupt
        self._read_state = engine_reader(context)
        self._entering: asyncio.Task[object] | None = None
        self._attachment: Attachment | None = None
        self._job: AttachedJob | None = None
        self._stopped = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None
        self._stopped_by_hatchet = False
        self._timed_out: EngineState | None = None
        self.cancelled: bool = False
        self.is_elsewhere: bool = False

    async def enter(self) -> AttachedJob:
        """Claim the job; if that is not possible, a job that reports to nobody."""
        self._entering = asyncio.current_task()
        self._jobs.waiting.look(partial(reader_of_job, self._context))
        attachment = self._jobs.attachment(self._run, self._request)
        try:
            job = await attachment.claim(self._stop)
        except (CancelledBefore, Cancelled):
            self.cancelled = True
        except (MilepostError, OSError, RuntimeError) as error:
            self.is_elsewhere = isinstance(error, AttemptNotReported | LeaseLost | JobEndedError)
            _logger.warning("task run %s is not reported: %s", self._run.id, error)
        else:
            self._attachment, self._job = attachment, job
            self._stopping = asyncio.create_task(self._follow_hatchet(job))
            return job
        return await unreported_job(self._request.kind, self._request.job_id)

    async def leave(self, error: BaseException | None) -> None:
        """Report the end, and wait until it is durable, at most for the flush timeout.

        The thread that waits for `enter` may be interrupted meanwhile. Then the claim is undone before this returns, or
        the job ends, if it was claimed already: the next attempt finds nobody who has it.
        """
        if (entering := self._entering) is not None and not entering.done():
            if not entering.cancelling():
                entering.cancel()
            await asyncio.wait((entering,))
        if self._attachment is None or self._job is None or self._stopping is None:
            return
        is_evicted = isinstance(error, asyncio.CancelledError) and self._is_evicted
        if self._context.is_cancelled and not is_evicted:
            await self._wait_for_reason(completed=error is None)
        self._stopping.cancel()
        failure = error if is_evicted else self._failure(error)
        try:
            if is_evicted:
                await self._attachment.give_back()
            else:
                await self._attachment.end(failure)
        except (MilepostError, OSError, RuntimeError) as failed:
            _logger.warning("task run %s: its end was not reported: %s", self._run.id, failed)
        if is_evicted or (isinstance(failure, JobFailure) and failure.retryable):
            self._jobs.waiting.watch(self._job.id, self._job.attempt, self._read_state)

    @property
    def _is_evicted(self) -> bool:
        """Whether Hatchet has taken a durable task from this worker, to go on with it later.

        The SDK interrupts it as for a cancellation, but at the same moment at which it says so, and not a second later.
        """
        durable = isinstance(self._context, DurableContext)
        return durable and self._context.is_cancelled and not self.cancelled and not self._stopped_by_hatchet

    def _failure(self, error: BaseException | None) -> BaseException | None:
        """The error for the job. Hatchet does not take the result of an attempt that it has timed out."""
        if self._timed_out is not None:
            return timeout_for_job(self._run, self._timed_out.error)
        if error is None or (self.cancelled and isinstance(error, asyncio.CancelledError)):
            return error
        return failure_for_job(error, self._run, is_final=self._context.is_cancelled)

    async def _wait_for_reason(self, *, completed: bool) -> None:
        """Find out why Hatchet has stopped the attempt, and wait for a cancellation that has not `completed`."""
        assert self._stopping is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_TIMEOUT):
                await asyncio.wait((self._stopping,))
                if not completed:
                    await self._stopped.wait()

    def _stop(self) -> None:
        self.cancelled = True
        self._stop_function()

    async def _follow_hatchet(self, job: AttachedJob) -> None:
        """Once Hatchet stops the attempt: cancel the job, if that is why."""
        await self._hatchet_stops()
        if isinstance(self._context, DurableContext):
            await asyncio.sleep(_EVICTION_MARGIN)
        self._stopped_by_hatchet = True
        state = await self._read_state()
        if state is not None and state.name in _TIMED_OUT:
            self._timed_out = state
            job._control.cancel_signal.set()
            self._stop_function()
            return
        backoff, unexplained = Backoff(), UnexplainedErrors()
        while not self._stopped.is_set():
            try:
                await self._jobs.cancel(job.id, CANCELLED_IN_HATCHET)
            except MilepostError as error:
                if not unexplained.may_repeat(error):
                    _logger.warning("job %s: cancelling it failed: %s", job.id, error)
                    self._stopped.set()
                    return
                await asyncio.sleep(backoff.next_delay())
            else:
                return

    async def _hatchet_stops(self) -> None:
        while True:
            if self._context.is_cancelled:
                return
            await asyncio.sleep(_POLL_INTERVAL)

    def _stop_function(self) -> None:
        self._stopped.set()
        self._interrupt()


async def unreported_job(kind: str, job_id: str = "") -> AttachedJob:
    """A job that reports to nobody."""
    return AttachedJob(JobContext(JobControl(Job(job_id=job_id, kind=kind), Reporter(lambda: None))))
