"""One attempt of a Hatchet task run, as the context of its task describes it."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from hatchet_sdk import Context
from hatchet_sdk.runnables.contextvars import ctx_additional_metadata

__all__ = [
    "JOB_KEY",
    "PARENT_KEY",
    "TASK_RUN_LABEL",
    "WORKFLOW_RUN_LABEL",
    "TaskRun",
    "as_parent",
    "retry_of",
    "worker_id_of",
]

JOB_KEY: Final = "milepost_job"
"""Key in a run's additional metadata: the id of the job that was submitted where the run was triggered."""

PARENT_KEY: Final = "milepost_parent"
"""Key in a run's additional metadata: the id of the job of the task that triggered the run."""

WORKFLOW_RUN_LABEL: Final = "hatchet.run/workflow-run-id"
"""Label of a job: the workflow run of its task run."""

TASK_RUN_LABEL: Final = "hatchet.run/task-run-id"
"""Label of a job: its task run."""

_RETRY: Final = re.compile(r" retry (\d+)$")
_HOST_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One attempt of a task run; its key is `id` with `retry_count`.

    Attributes:
        id: The id of the task run, the same for all of its attempts.
        retry_count: How often the engine has started the run before.
        max_attempts: The task's retries, and one.
        labels: Labels of its job, with the names and ids under which Hatchet shows the run.
        job_id: The id of its job.
        parent_job_id: The id of the job of the task that triggered it; empty for none.
    """

    id: str
    retry_count: int
    max_attempts: int
    labels: Mapping[str, str]
    job_id: str
    parent_job_id: str

    @classmethod
    def of(cls, context: Context) -> TaskRun:
        """The attempt that a context belongs to."""
        metadata = context.additional_metadata
        return cls(
            id=context.task_run_id,
            retry_count=context.retry_count,
            max_attempts=context.max_attempts,
            labels={
                "hatchet.run/workflow": context.workflow_name,
                "hatchet.run/task": context.task_name,
                WORKFLOW_RUN_LABEL: context.workflow_run_id,
                TASK_RUN_LABEL: context.task_run_id,
            },
            job_id=_text(metadata, JOB_KEY) or context.task_run_id,
            parent_job_id=_text(metadata, PARENT_KEY),
        )

    @property
    def own_job_id(self) -> str:
        """The id of a job for this attempt alone, for when the job of the run has ended before."""
        return f"{self.id}-{self.retry_count}"

    @property
    def worker_id(self) -> str:
        """The name of this process, with the attempt, so that a job tells which attempt it is with."""
        return worker_id_of(self.retry_count)


def worker_id_of(retry_count: int) -> str:
    """The name of this process with the retry count of an attempt."""
    return f"{socket.gethostname()[:_HOST_LENGTH]}-{os.getpid()} retry {retry_count}"


def retry_of(worker_id: str) -> int | None:
    """The retry count in a name that `TaskRun.worker_id` made; None for any other worker."""
    match = _RETRY.search(worker_id)
    return int(match[1]) if match else None


@contextmanager
def as_parent(job_id: str) -> Iterator[None]:
    """Make a job the parent of the jobs of runs that the calling code triggers within the block.

    The SDK hands the metadata of a run on to the runs that it triggers.
    """
    metadata = {**(ctx_additional_metadata.get() or {}), PARENT_KEY: job_id}
    metadata.pop(JOB_KEY, None)
    token = ctx_additional_metadata.set(metadata)
    try:
        yield
    finally:
        ctx_additional_metadata.reset(token)


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
