"""Hatchet as the engine of a pipeline: a task for each kind, which claims the job that its submission has made."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any, Final

from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client.engines.engine_port import EngineSettings, Submission
from milepost.client.engines.hatchet import Hatchet, HatchetJobs, HatchetTask, TriggeredJob
from milepost.v1 import Dispatch, JobState

__all__ = ["HatchetEngine", "create"]

# Hatchet's own limits, which are a minute and five, are too short for jobs; a job's limits are those of its submission.
_EXECUTION_TIMEOUT: Final = timedelta(days=1)
_SCHEDULE_TIMEOUT: Final = timedelta(days=1)


class HatchetEngine:
    """Runs a pipeline in a Hatchet worker. The SDK's environment variables lead to the engine.

    A task has the retries that its function was registered with (`retry_policy`). A worker has as many slots as the
    concurrency for all of its kinds; a job that waits for its children keeps its slot.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._hatchet = Hatchet()
        self._jobs = HatchetJobs(settings.address, **settings.connection)
        self._tasks: dict[str, HatchetTask] = {}
        self._lock = threading.Lock()

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit an external job, and trigger a run of the task of its kind, unless one has started."""
        job = await client.submit(
            submission.kind,
            submission.input,
            dispatch=Dispatch.DISPATCH_EXTERNAL,
            start_deadline=submission.start_deadline,
            **submission.options,
        )
        if job.state == JobState.JOB_STATE_QUEUED and not job.attempt:
            # In a thread: this call of the SDK blocks, and its async one belongs to a single event loop.
            await asyncio.to_thread(self._trigger, job)
        return job

    def main(self) -> None:
        """Run jobs until SIGTERM or SIGINT; a second signal ends the process at once."""
        tasks: list[Any] = [self._task(kind) for kind in self._settings.functions]
        slots = self._settings.concurrency * max(len(tasks), 1)
        self._hatchet.worker("milepost", slots=slots, workflows=tasks).start()

    def _trigger(self, job: JobSnapshot) -> None:
        metadata = TriggeredJob(job.job_id).metadata
        self._task(job.kind).run(job.input, wait_for_result=False, additional_metadata=metadata)

    def _task(self, kind: str) -> HatchetTask:
        with self._lock:
            if kind not in self._tasks:
                registered = self._settings.functions[kind]
                policy = registered.options.get("retry_policy")
                self._tasks[kind] = self._jobs.task(
                    self._hatchet,
                    kind,
                    registered.function,
                    retries=max(policy.max_attempts - 1, 0) if policy is not None else 0,
                    execution_timeout=_EXECUTION_TIMEOUT,
                    schedule_timeout=_SCHEDULE_TIMEOUT,
                )
            return self._tasks[kind]


def create(settings: EngineSettings) -> HatchetEngine:
    """Make the engine."""
    return HatchetEngine(settings)
