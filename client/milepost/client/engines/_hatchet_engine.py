"""Hatchet as the engine of a pipeline: a task for each kind, which claims the job that its submission has made."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any, Final

from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client.engines.engine_port import EngineSettings, Submission
from milepost.client.engines.external_jobs import Enqueuer
from milepost.client.engines.hatchet import Hatchet, HatchetJobs, HatchetTask, TriggeredJob
from milepost.client.engines.kind_processes import run_for_each

__all__ = ["HatchetEngine", "create"]

# Hatchet's own limits, which are a minute and five, are too short for jobs; a job's limits are those of its submission.
_EXECUTION_TIMEOUT: Final = timedelta(days=1)
_SCHEDULE_TIMEOUT: Final = timedelta(days=1)


class HatchetEngine:
    """Runs a pipeline in Hatchet workers, one for each kind. The SDK's environment variables lead to the engine.

    A task has the retries that its function was registered with (`retry_policy`).
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._hatchet = Hatchet()
        self._jobs = HatchetJobs(settings.address, **settings.connection)
        self._tasks: dict[str, HatchetTask] = {}
        self._lock = threading.Lock()
        # By calls that block: the SDK's async ones belong to a single event loop.
        self._enqueuer = Enqueuer("hatchet", self._trigger, settings.client)

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit an external job, and trigger a run of the task of its kind, unless one has started.

        Raises:
            MilepostError: The server refused the job, or was not reached.
            grpc.RpcError: Hatchet is away, or has had no worker of this kind yet; see `Enqueuer` for what becomes of
                the job.
        """
        return await self._enqueuer.submit(client, submission)

    async def enqueue(self, client: Client, job: JobSnapshot, parent_attempt: int) -> None:
        """Trigger a run for a job that an earlier attempt of its parent has submitted, unless one has started.

        Raises:
            grpc.RpcError: Hatchet is away.
        """
        await self._enqueuer.enqueue(client, job, parent_attempt=parent_attempt)

    def main(self) -> None:
        """Run jobs until SIGTERM or SIGINT; a second signal ends the processes at once."""
        run_for_each(list(self._settings.functions), partial(_work, self._settings))

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


def _work(settings: EngineSettings, kind: str) -> None:
    """Run the jobs of one kind, in a process whose connections are its own."""
    engine = HatchetEngine(settings)
    tasks: list[Any] = [engine._task(kind)]
    engine._hatchet.worker(f"milepost.{kind}", slots=settings.concurrency, workflows=tasks).start()


def create(settings: EngineSettings) -> HatchetEngine:
    """Make the engine."""
    return HatchetEngine(settings)
