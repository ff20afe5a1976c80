"""The work of all recipes, which knows of no engine: convert pages, one after the other."""

from __future__ import annotations

import time
from typing import Final

from google.protobuf.duration_pb2 import Duration

from milepost.client import JobContext
from milepost.v1 import RetryPolicy

__all__ = ["THREE_ATTEMPTS", "convert"]

THREE_ATTEMPTS: Final = RetryPolicy(max_attempts=3, initial_backoff=Duration(nanos=100_000_000))
"""As many as the engine makes, so that the job fails when the engine gives up."""


def convert(job: JobContext) -> dict[str, int]:
    """Convert the pages; input: their number, seconds for each, and how many attempts fail."""
    pages = int(job.input["pages"])
    job.plan(["convert"])
    with job.stage("convert", total=pages, unit="pages") as stage:
        for _ in stage.track(range(pages)):  # raises Cancelled where the job is cancelled
            time.sleep(job.input.get("seconds", 0.0))
        if 0 < job.attempt <= job.input.get("failures", 0):  # it is 0 without a server
            raise OSError("The disk is full.")
    return {"pages": pages}
