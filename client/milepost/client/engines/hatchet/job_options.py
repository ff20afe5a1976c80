"""Options of the jobs of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypedDict

from milepost.v1 import Retention, Stage

__all__ = ["HatchetJobOptions", "HatchetTaskOptions"]


class HatchetJobOptions(TypedDict, total=False):
    """Options of the job of a run; see `SubmitOptions` of the SDK.

    Attributes:
        owner: Owner of the job.
        labels: Labels, beside those that name the run.
        stages: The planned stages.
        timeout: Maximum time in seconds, or as a `timedelta`, from the start of the first attempt; None for no limit.
            It ends the job, and leaves the task alone. Give one to a task with retries if its worker may stop between
            two attempts: no other process learns that the run was cancelled in between, and the job stays QUEUED.
        workload: The job's size in `workload_unit`, for estimates.
        workload_unit: What `workload` counts.
        retention: How long to keep the job and its events.
    """

    owner: str
    labels: Mapping[str, str]
    stages: Sequence[Stage | str]
    timeout: float | timedelta | None
    workload: float
    workload_unit: str
    retention: Retention | None


class HatchetTaskOptions(TypedDict, total=False):
    """Options of a task that `HatchetJobs.task` makes; they are those of ``hatchet.task``.

    Attributes:
        retries: How often Hatchet retries the task.
        execution_timeout: How long an attempt may run; Hatchet's default is 60 s.
        schedule_timeout: How long a run may wait for a worker; Hatchet's default is 5 min.
        backoff_factor: Hatchet waits ``backoff_factor ** retry_count`` seconds before a retry.
        backoff_max_seconds: Maximum of that.
    """

    retries: int
    execution_timeout: timedelta
    schedule_timeout: timedelta
    backoff_factor: float
    backoff_max_seconds: int
