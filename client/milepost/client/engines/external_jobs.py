"""Submission of jobs that another engine runs: the job first, then what makes the engine run it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final

from milepost.client._attach.withdrawal import find_or_withdraw, withdraw_job
from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._transport import after_fork
from milepost.client.engines.blocking import SDK_THREAD
from milepost.client.engines.engine_port import Submission
from milepost.v1 import Dispatch, JobState

__all__ = ["Enqueuer", "is_waiting"]

_logger = logging.getLogger("milepost.client")

_CALLS: Final = 4
"""Calls to an engine at once. One that hangs holds up no more threads than these."""
_ABANDONED: Final = "Its submission was cancelled."


class Enqueuer:
    """Submits external jobs, and enqueues each with its engine by a call that may block.

    A job that was not enqueued would be QUEUED for good, so it is cancelled, unless its submission is repeatable. A
    call that fails may have enqueued it all the same, as where only a broker's confirmation was lost: a job that has
    started goes on.

    Attributes:
        engine: Name of the engine, for threads and texts.
    """

    def __init__(
        self, engine: str, enqueue: Callable[[JobSnapshot], object], connect: Callable[[], Client]
    ) -> None:
        """Enqueue nothing yet.

        Args:
            engine: Name of the engine.
            enqueue: Enqueues a job; after an exception the engine may have it, or not.
            connect: Returns another client of the server, to cancel a job whose submitter may be gone by then.
        """
        self.engine = engine
        self._enqueue = enqueue
        self._connect = connect
        self._threads = ThreadPoolExecutor(_CALLS, f"milepost {engine}")
        after_fork.register(self)

    def after_fork(self) -> None:
        """See `Inherited`: the threads of the parent take no calls of this process."""
        self._threads = ThreadPoolExecutor(_CALLS, f"milepost {self.engine}")

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit an external job, and enqueue it unless it has started.

        Raises:
            MilepostError: The server refused the job, or was not reached.
            Exception: What the engine raised: it has not confirmed that it has the job.
        """
        jobs: dict[str, JobSnapshot] = {}

        async def submit() -> str:
            job = await client.submit(
                submission.kind,
                submission.input,
                dispatch=Dispatch.DISPATCH_EXTERNAL,
                start_deadline=submission.start_deadline,
                **submission.options,
            )
            jobs[job.job_id] = job
            return job.job_id

        async def withdraw(job_id: str) -> None:
            await _cancel_waiting(client, job_id, submission.parent_attempt, _ABANDONED)

        job = jobs[await find_or_withdraw(submit, None if submission.repeatable else withdraw)]
        await self.enqueue(
            client, job, repeatable=submission.repeatable, parent_attempt=submission.parent_attempt
        )
        return job

    async def enqueue(
        self, client: Client, job: JobSnapshot, *, repeatable: bool = False, parent_attempt: int = 0
    ) -> None:
        """Enqueue a job that was submitted, unless it has started; see `Submission` for the options.

        Raises:
            Exception: What the engine raised: it has not confirmed that it has the job.
        """
        if not is_waiting(job):
            return

        async def withdraw(job_id: str) -> None:
            await _cancel_waiting(client, job_id, parent_attempt, _ABANDONED)

        enqueuing = self._threads.submit(self._enqueue_or_cancel, job, repeatable, parent_attempt)
        try:
            await asyncio.wrap_future(enqueuing)
        except asyncio.CancelledError:
            if not enqueuing.cancelled():
                enqueuing.add_done_callback(partial(self._log_failure, job.job_id))
            elif not repeatable:  # all threads are busy
                await withdraw_job(withdraw, job.job_id)
            raise

    def _enqueue_or_cancel(self, job: JobSnapshot, repeatable: bool, parent_attempt: int) -> None:
        """Enqueue the job; if that fails and the job still waits, cancel it, in this thread.

        The submitter may not wait any more by then, and its client and event loop may be closed.
        """
        try:
            self._enqueue(job)
        except Exception:
            if not repeatable:
                SDK_THREAD.run(self._cancel(job.job_id, parent_attempt))
            raise

    async def _cancel(self, job_id: str, parent_attempt: int) -> None:
        reason = f"{self.engine.capitalize()} did not take it."
        async with self._connect() as client:
            await withdraw_job(lambda job_id: _cancel_waiting(client, job_id, parent_attempt, reason), job_id)

    def _log_failure(self, job_id: str, enqueuing: Future[None]) -> None:
        """Log the engine's error about a job whose submitter does not wait any more."""
        if (error := enqueuing.exception()) is not None:
            _logger.warning("job %s may not run: its submission to %s failed: %s", job_id, self.engine, error)


async def _cancel_waiting(client: Client, job_id: str, parent_attempt: int, reason: str) -> None:
    """Cancel a job that no engine has started; not a child that a later attempt of its parent submits again.

    One that starts between the calls is cancelled, too: the server has no call that cancels only what waits.
    """
    job = await client.get(job_id)
    if not is_waiting(job):
        return
    if parent_attempt and (await client.get(job.parent_job_id)).attempt > parent_attempt:
        return
    await client.cancel(job_id, reason=reason)


def is_waiting(job: JobSnapshot) -> bool:
    """Whether no engine has started the job."""
    return job.state == JobState.JOB_STATE_QUEUED and not job.attempt
