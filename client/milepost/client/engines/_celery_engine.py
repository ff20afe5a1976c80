"""Celery as the engine of a pipeline: a task for each kind, which claims the job that its submission has made."""

from __future__ import annotations

import importlib
import math
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from celery import Celery
from google.protobuf.duration_pb2 import Duration

from milepost.client._attach import AttachedJob
from milepost.client._client import Client
from milepost.client._conversion import to_struct
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._worker.handlers import Result
from milepost.client.engines.blocking import run_blocking
from milepost.client.engines.celery import MilepostTask, install
from milepost.client.engines.celery.task_job import HEADER, TaskJob
from milepost.client.engines.engine_port import EngineSettings, PipelineFunction, Submission
from milepost.client.engines.external_jobs import Enqueuer
from milepost.client.engines.kind_processes import run_for_each
from milepost.client.errors import JobFailure
from milepost.v1 import Job, RetryPolicy, SubmitJobRequest

__all__ = ["CeleryEngine", "create"]

# Imported once, before the fork, and not by each process.
_WORKER_MODULES: Final = ("celery.bin.celery", "celery.apps.worker", "celery.worker.consumer")


class FinalFailure(JobFailure):
    """A failure that another attempt would not mend."""


class CeleryEngine:
    """Runs a pipeline in Celery workers, one for each kind, which has a queue of its own.

    CELERY_BROKER_URL leads to the broker, and CELERY_CONFIG_MODULE to further settings, as for any application. A task
    has the retries that its function was registered with (`retry_policy`), and is run again if its process dies.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._app: Celery[Any] = Celery("milepost", set_as_current=False)
        self._app.conf.update(
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            task_ignore_result=True,
            worker_prefetch_multiplier=1,
            broker_connection_retry_on_startup=True,
        )
        install(self._app, settings.address, **settings.connection)
        self._tasks: dict[str, MilepostTask[..., Any]] = {}
        self._lock = threading.Lock()
        self._enqueuer = Enqueuer("celery", self._publish, settings.client)

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit an external job, and publish the task of its kind, unless it has started.

        Raises:
            MilepostError: The server refused the job, or was not reached.
            OperationalError: The broker is away; see `Enqueuer` for what becomes of the job.
        """
        return await self._enqueuer.submit(client, submission)

    async def enqueue(self, client: Client, job: JobSnapshot, parent_attempt: int) -> None:
        """Publish the task of a job that an earlier attempt of its parent has submitted, unless it has started.

        Raises:
            OperationalError: The broker is away.
        """
        await self._enqueuer.enqueue(client, job, parent_attempt=parent_attempt)

    def main(self) -> None:
        """Run jobs until SIGTERM or SIGINT: a Celery worker for each kind, in a process of its own."""
        for kind in self._settings.functions:
            self._task(kind)
        for module in _WORKER_MODULES:
            importlib.import_module(module)
        run_for_each(list(self._settings.functions), self._work)

    def _work(self, kind: str) -> None:
        self._app.worker_main(
            [
                "worker",
                f"--queues={_queue(kind)}",
                f"--hostname={kind}@%h",
                f"--concurrency={self._settings.concurrency}",
                "--loglevel=INFO",
                "--without-gossip",
                "--without-mingle",
            ]
        )

    def _publish(self, job: JobSnapshot) -> None:
        # The job is submitted; the header says so, and proves that a redelivered message is the same work.
        known = SubmitJobRequest(job_id=job.job_id, kind=job.kind)
        header = TaskJob(job.job_id, known, secrets.token_urlsafe(16), is_submitted=True).to_header()
        self._task(job.kind).apply_async(
            (job.input, job.labels), task_id=job.job_id, headers={HEADER: header}, queue=_queue(job.kind)
        )

    def _task(self, kind: str) -> MilepostTask[..., Any]:
        with self._lock:
            if kind not in self._tasks:
                self._tasks[kind] = _define(self._app, kind, self._settings.functions[kind])
            return self._tasks[kind]


def create(settings: EngineSettings) -> CeleryEngine:
    """Make the engine."""
    return CeleryEngine(settings)


def _queue(kind: str) -> str:
    return f"milepost.{kind}"


def _define(app: Celery[Any], kind: str, registered: PipelineFunction) -> MilepostTask[..., Any]:
    policy = registered.options.get("retry_policy") or RetryPolicy(max_attempts=1)

    def run(self: MilepostTask[..., Any], job_input: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        job = self.job
        if not job.attempt:  # claimed without the server: all that is known of the job comes with the message
            job._assigned(Job(job_id=job.id, kind=kind, labels=labels, input=to_struct(job_input, "input")))
        try:
            job.result = _call(registered.function, job)
        except JobFailure as failure:
            if failure.retryable or failure.code in policy.retryable_codes:
                raise
            raise FinalFailure(failure.code, failure.message, failure.detail) from failure

    task = app.task(
        name=kind,
        base=MilepostTask,
        bind=True,
        job_kind=kind,
        autoretry_for=(Exception,),
        dont_autoretry_for=(FinalFailure,),
        max_retries=max(policy.max_attempts - 1, 0),
        retry_backoff=_seconds(policy.initial_backoff, 1),
        retry_backoff_max=_seconds(policy.max_backoff, 300),
        retry_jitter=False,
    )(run)
    return cast("MilepostTask[..., Any]", task)


def _seconds(backoff: Duration, default: int) -> int:
    """A backoff in whole seconds, as Celery counts it."""
    return math.ceil(backoff.ToTimedelta().total_seconds()) or default


def _call(function: Callable[..., Awaitable[Result] | Result], job: AttachedJob) -> Result:
    """Run the function; an async one in an event loop of its own, which the job's cancellation interrupts."""
    returned = function(job)
    return run_blocking(job, _awaited(returned)) if isinstance(returned, Awaitable) else returned


async def _awaited(running: Awaitable[Result]) -> Result:
    return await running
