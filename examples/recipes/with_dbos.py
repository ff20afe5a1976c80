"""DBOS: a step of the workflow has a job, which its retries continue.

``python -m examples.recipes.with_dbos`` runs it in this process, with its state in ``dbos.sqlite`` of the working
directory; MILEPOST_ADDRESS says where the server is.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dbos import DBOS

from examples.recipes.pages import THREE_ATTEMPTS, convert
from milepost.client import Cancelled, SyncClient
from milepost.client.errors import JobEndedError
from milepost.v1 import Dispatch


@DBOS.step(retries_allowed=True, max_attempts=3, interval_seconds=0.1)
def convert_pages(job_id: str) -> dict[str, int] | None:
    """The step. Its retries have the same workflow, and so the same instance."""
    try:
        with SyncClient() as client, client.attach(job_id, instance=DBOS.workflow_id, wait=60) as job:
            job.result = convert(job)
            return dict(job.result)
    except (Cancelled, JobEndedError):
        return None  # nothing to do any more, and nothing to retry


@DBOS.step()
def submit(input_values: dict[str, Any]) -> str:
    """Submit a job; the workflow's id makes it the same one if this step is repeated."""
    with SyncClient() as client:
        job = client.submit(
            "convert",
            input_values,
            dispatch=Dispatch.DISPATCH_EXTERNAL,
            retry_policy=THREE_ATTEMPTS,
            request_id=DBOS.workflow_id or "",
        )
    print(job.job_id, flush=True)
    return job.job_id


@DBOS.workflow()
def album(input_values: dict[str, Any]) -> dict[str, int] | None:
    """Submit a job, and run the step that claims it."""
    return convert_pages(submit(input_values))


if __name__ == "__main__":
    DBOS(config={"name": "recipes", "system_database_url": "sqlite:///dbos.sqlite"})
    DBOS.launch()  # which goes on with the workflows that an earlier process has left
    try:
        album(json.loads(sys.argv[1]) if sys.argv[1:] else {"pages": 5, "seconds": 1})
        for left in DBOS.list_workflows(status=["ENQUEUED", "PENDING"]):
            DBOS.retrieve_workflow(left.workflow_id).get_result()
    finally:
        DBOS.destroy()
