"""RQ: the task has a job, which its retries continue.

In two terminals: ``rq worker`` and ``python -m examples.recipes.with_rq``; MILEPOST_ADDRESS and REDIS_URL say where.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from redis import Redis
from rq import Queue, Retry, get_current_job

from examples.recipes.pages import THREE_ATTEMPTS, convert
from milepost.client import Cancelled, SyncClient
from milepost.client.errors import JobEndedError
from milepost.v1 import Dispatch


def convert_pages(job_id: str) -> dict[str, int] | None:
    """The task. RQ runs it in a process of its own, which connects by itself."""
    task = get_current_job()
    assert task is not None
    try:
        # The instance takes over at once from a process that was killed; `wait` covers the pause between attempts.
        with SyncClient() as client, client.attach(job_id, instance=task.id, wait=60) as job:
            job.result = convert(job)
            return dict(job.result)
    except (Cancelled, JobEndedError):
        return None  # nothing to do any more, and nothing to retry


def submit(input_values: Mapping[str, Any]) -> str:
    """Submit a job, and the task that claims it."""
    with SyncClient() as client, Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1")) as redis:
        job = client.submit(
            "convert", input_values, dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=THREE_ATTEMPTS
        )
        # By its name, since RQ refuses functions of `__main__`, which this module is under `python -m`.
        task = "examples.recipes.with_rq.convert_pages"
        Queue(connection=redis).enqueue(task, job.job_id, job_id=job.job_id, retry=Retry(max=2))
        return job.job_id


if __name__ == "__main__":
    print(submit({"pages": 5, "seconds": 1}))
