"""What a job that is started may be submitted with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypedDict

from milepost.v1 import Retention, RetryPolicy, Stage

__all__ = ["SubmitOptions"]


class SubmitOptions(TypedDict, total=False):
    """Those of `Client.submit`, save for who is to run the job; see there."""

    job_id: str
    request_id: str
    owner: str
    labels: Mapping[str, str] | None
    parent_job_id: str
    stages: Sequence[Stage | str]
    workload: float
    workload_unit: str
    planned_children: int
    timeout: float | timedelta | None
    attempt_timeout: float | timedelta | None
    retry_policy: RetryPolicy | None
    priority: int
    concurrency_key: str
    concurrency_limit: int
    retention: Retention | None
