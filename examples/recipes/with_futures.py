"""A pool of threads: each call has a job, and is repeated while it has attempts left.

``python -m examples.recipes.with_futures``; MILEPOST_ADDRESS says where the server is. In a pool of processes each
process makes a client of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from examples.recipes.pages import THREE_ATTEMPTS, convert
from milepost.client import Cancelled, SyncClient
from milepost.v1 import Dispatch


def convert_pages(client: SyncClient, job_id: str) -> dict[str, int]:
    """The call: claim the job until an attempt succeeds, or the last one fails."""
    for attempt in range(1, THREE_ATTEMPTS.max_attempts + 1):
        try:
            with client.attach(job_id, wait=60) as job:
                job.result = convert(job)
                return dict(job.result)
        except OSError:
            if attempt == THREE_ATTEMPTS.max_attempts:
                raise
    raise AssertionError("The last attempt has returned or raised.")


def submit(
    client: SyncClient, pool: ThreadPoolExecutor, input_values: Mapping[str, Any]
) -> tuple[str, Future[dict[str, int]]]:
    """Submit a job, and the call that claims it."""
    job = client.submit(
        "convert", input_values, dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=THREE_ATTEMPTS
    )
    return job.job_id, pool.submit(convert_pages, client, job.job_id)


def main(inputs: list[dict[str, Any]]) -> None:
    """Run several at once, and print how each ended."""
    with SyncClient() as client, ThreadPoolExecutor(max_workers=4) as pool:
        submitted = [submit(client, pool, input_values) for input_values in inputs]
        print(*(job_id for job_id, _ in submitted), flush=True)
        for job_id, call in submitted:
            try:
                print(job_id, call.result())
            except (OSError, Cancelled) as error:
                print(job_id, type(error).__name__)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]) if sys.argv[1:] else [{"pages": 5, "seconds": 1}] * 3)
