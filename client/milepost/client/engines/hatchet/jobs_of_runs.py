"""The calls to Milepost that jobs of task runs need; they run in the client's own thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration

from milepost.client._attach import AttachCalls
from milepost.client._attach.attachment import Attachment
from milepost.client._conversion import from_struct
from milepost.client._job_calls import JobCalls, job_filter, submit_request
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client._worker.json_values import to_lossy_struct
from milepost.client.engines.hatchet.job_choice import AttemptNotReported, choose_job, is_with_predecessor
from milepost.client.engines.hatchet.job_options import HatchetJobOptions
from milepost.client.engines.hatchet.task_run import TaskRun, worker_id_of
from milepost.client.engines.hatchet.waiting_runs import WaitingRuns
from milepost.client.engines.process_session import ProcessSession
from milepost.client.errors import JobAlreadyExists, JobEndedError, JobNotFound
from milepost.contract.limits import INPUT_SIZE
from milepost.v1 import Dispatch, Job, JobState, RetryPolicy, SubmitJobRequest

__all__ = ["JobsOfRuns", "submission"]

# Seconds for the attempt before this one to end. Hatchet starts the next one as soon as one has timed out, and the SDK
# interrupts that a second later. The lease of a lost worker is over by the time at which Hatchet notices.
_PREDECESSOR_TIMEOUT: Final = 2.0
_PREDECESSOR_POLL: Final = 0.1
# Runs to expect at once, as operators see it: Hatchet has its own slots, which tasks do not know.
_CAPACITY: Final = 1


class JobsOfRuns:
    """Submits, claims and cancels the jobs of task runs.

    Attributes:
        kinds: The kinds of the jobs.
        waiting: The runs that wait for their next attempt.
    """

    def __init__(self, target: Target, timeout: float, flush_timeout: float) -> None:
        """Connect nothing yet.

        Args:
            target: The server.
            timeout: Seconds for each call, and for the claim of a job.
            flush_timeout: Seconds for the server to acknowledge the last reports of an attempt.
        """
        self._channel = LazyChannel(target)
        self._calls = JobCalls(self._channel, timeout)
        self._attach_calls = AttachCalls(self._channel, self._calls, timeout)
        self._flush_timeout = flush_timeout
        self._session = ProcessSession(self._channel, partial(worker_id_of, 0), timeout)
        self.kinds: set[str] = set()
        self.waiting: WaitingRuns = WaitingRuns(self._get, self.cancel, self._list_waiting)

    async def submit(self, request: SubmitJobRequest) -> Job:
        """Submit the job of a run, or get it if it exists, with this content or another one.

        A parent that has ended or was deleted is left out, since the run is there nevertheless.
        """
        try:
            return (await self._calls.submit(request)).proto
        except JobAlreadyExists:
            return await self._get(request.job_id)
        except (JobEndedError, JobNotFound):
            if not request.parent_job_id:
                raise
        orphan = SubmitJobRequest()
        orphan.CopyFrom(request)
        orphan.ClearField("parent_job_id")
        return await self.submit(orphan)

    async def cancel(self, job_id: str, reason: str) -> None:
        """Request the cancellation of a job; one that has ended stays as it is."""
        await self._calls.cancel(job_id, reason, None)

    def attachment(self, run: TaskRun, request: SubmitJobRequest) -> Attachment:
        """An attachment to the job of a run, which `request` submits if it does not exist.

        It takes the job over from an earlier attempt of the run, whose process may have been killed, and buffers
        reports while the server is unreachable. First attempts share a session; one that may have to take its job from
        another one of this process has its own, as the server takes a second claim within a session for a repeated one.
        """
        repeated = False
        session = self._session.get(_CAPACITY)
        shares_session = run.retry_count == 0 and not session.has(request.job_id)

        async def find() -> str:
            nonlocal repeated
            may_differ, repeated = not repeated, True
            job_id = choose_job(await self._after_predecessor(await self.submit(request), run), run)
            if job_id != request.job_id:
                if not may_differ:
                    # The block runs with the id that it was given when the server was unreachable.
                    raise AttemptNotReported("The job of its run has ended.")
                job_id = choose_job(await self.submit(_renamed(request, job_id)), run)
            return job_id

        return self._attach_calls.attach_found(
            find,
            _offline_job(request),
            kept=(lambda: session) if shares_session else None,
            instance=run.id,
            on_unreachable="go on",
            on_lost="go on",
            worker_id=run.worker_id,
            flush_timeout=self._flush_timeout,
        ).attachment

    async def close(self) -> None:
        """Close the connection."""
        self.waiting.close()
        await self._session.close()
        await self._channel.close()

    async def _get(self, job_id: str) -> Job:
        return (await self._calls.get(job_id)).job

    async def _list_waiting(self) -> AsyncIterator[Job]:
        query = job_filter(kinds=sorted(self.kinds), states=[JobState.JOB_STATE_QUEUED])
        async for job in self._calls.list(query, "submit_time", 0):
            yield job.proto

    async def _after_predecessor(self, job: Job, run: TaskRun) -> Job:
        """The job once the attempt before this one has ended, or has had time for it."""
        deadline = time.monotonic() + _PREDECESSOR_TIMEOUT
        while is_with_predecessor(job, run) and time.monotonic() < deadline:
            await asyncio.sleep(_PREDECESSOR_POLL)
            job = await self._get(job.job_id)
        return job


def submission(
    kind: str,
    job_id: str,
    max_attempts: int,
    input_values: object | None,
    options: HatchetJobOptions,
    *,
    parent_job_id: str = "",
    start_deadline: float | timedelta | None = None,
) -> SubmitJobRequest:
    """The request that submits the job of a run, the same for each of its attempts.

    The job waits for its next attempt without a backoff, which is Hatchet's.
    """
    values: dict[str, Any] | None = None
    if input_values is not None:
        values = from_struct(to_lossy_struct(input_values, "input", INPUT_SIZE, lambda name, text: None))
    return submit_request(
        kind,
        values,
        Dispatch.DISPATCH_EXTERNAL,
        start_deadline,
        job_id=job_id,
        request_id=job_id,
        parent_job_id=parent_job_id,
        retry_policy=RetryPolicy(max_attempts=max_attempts, initial_backoff=Duration()),
        **options,
    )


def _renamed(request: SubmitJobRequest, job_id: str) -> SubmitJobRequest:
    renamed = SubmitJobRequest()
    renamed.CopyFrom(request)
    renamed.job_id = renamed.request_id = job_id
    return renamed


def _offline_job(request: SubmitJobRequest) -> Job:
    job = Job(job_id=request.job_id, kind=request.kind, labels=request.labels)
    if request.HasField("input"):
        job.input.CopyFrom(request.input)
    return job
