"""Submission of jobs that another engine runs: the job first, then what makes the engine run it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final

from milepost.client._attach.withdrawal import withdraw_job
from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client.engines.engine_port import Submission
from milepost.client.errors import MilepostError
from milepost.v1 import Dispatch, JobState

__all__ = ["Enqueuer"]

_log = logging.getLogger("milepost.client")

_CALLS: Final = 4
"""Calls to an engine at once. One that hangs holds up no more threads than these."""


class Enqueuer:
    """Submits external jobs, and enqueues each with its engine by a call that may block.

    Attributes:
        engine: Name of the engine, for threads and texts.
        failures: What `enqueue` raises if the engine does not take the job.
    """

    def __init__(
        self,
        engine: str,
        enqueue: Callable[[JobSnapshot], object],
        failures: type[Exception],
    ) -> None:
        self.engine = engine
        self.failures = failures
        self._enqueue = enqueue
        self._threads = ThreadPoolExecutor(_CALLS, f"milepost {engine}")

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit an external job, and enqueue it unless it has started.

        Raises:
            MilepostError: The server refused the job, or was not reached.
            Exception: One of `failures`: the engine did not take the job, which is cancelled.
        """
        job = await client.submit(
            submission.kind,
            submission.input,
            dispatch=Dispatch.DISPATCH_EXTERNAL,
            start_deadline=submission.start_deadline,
            **submission.options,
        )
        if job.state == JobState.JOB_STATE_QUEUED and not job.attempt:
            await self._enqueue_or_cancel(client, job)
        return job

    async def _enqueue_or_cancel(self, client: Client, job: JobSnapshot) -> None:
        enqueuing = self._threads.submit(self._enqueue, job)
        try:
            await asyncio.wrap_future(enqueuing)
        except self.failures:
            with contextlib.suppress(MilepostError):
                await client.cancel(job.job_id, reason=f"{self.engine.capitalize()} did not take it.")
            raise
        except asyncio.CancelledError:
            if enqueuing.cancelled():  # all threads are busy, and no engine will ever take it
                reason = "Its submission was cancelled."
                await withdraw_job(lambda job_id: client.cancel(job_id, reason=reason), job.job_id)
            else:
                enqueuing.add_done_callback(partial(self._log_failure, job.job_id))
            raise

    def _log_failure(self, job_id: str, enqueuing: Future[object]) -> None:
        """Log that the engine did not take a job whose submitter does not wait any more."""
        if (error := enqueuing.exception()) is not None:
            _log.warning("job %s waits for nobody: %s did not take it: %s", job_id, self.engine, error)
