"""A pipeline for tests of its engines; ``python -m tests.support.pipeline_jobs`` runs its jobs."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

from milepost.client import JobContext, JobFailure
from milepost.client.engines import Pipeline, is_shadow
from milepost.v1 import RetryPolicy

pipeline = Pipeline(concurrency=2)
_RETRIES = RetryPolicy(max_attempts=3)


@pipeline.job("engines.family", stages=["children"], retry_policy=_RETRIES)
async def family(job: JobContext) -> dict[str, Any]:
    """Run two children at once; fail after that in the first attempt, or wait for one that is held, if asked to."""
    if directory := job.input.get("hold"):
        try:
            return await pipeline.run_child(job, "engines.plain", job.input, name="held")
        finally:
            _write(Path(directory, "parent-cleaned"), "")
    async with job.stage("children", total=2) as stage:
        results = []
        for result in await asyncio.gather(
            pipeline.run_child(job, "engines.plain", {**job.input, "n": 1}, name="one"),
            pipeline.run_child(job, "engines.async", {**job.input, "n": 2}, name="two"),
        ):
            results.append(result["n"])
            stage.advance(1)
    if job.input.get("fails") and job.attempt == 1:
        raise OSError("the network was away")
    return {"sum": sum(results), "attempt": job.attempt, "shadow": is_shadow(job)}


@pipeline.job("engines.plain", retry_policy=_RETRIES)
def plain(job: JobContext) -> dict[str, Any]:
    """A plain function, with a child of its own; or it waits until it is cancelled."""
    if directory := job.input.get("hold"):
        _write(Path(directory, "started"), "")
        try:
            while True:
                job.raise_if_cancelled()
                time.sleep(0.01)
        finally:
            _write(Path(directory, "child-cleaned"), "")
    inner = pipeline.run_child_blocking(job, "engines.async", job.input, name="inner")
    return {"n": inner["n"] + 100}


@pipeline.job("engines.async", retry_policy=_RETRIES)
async def twice(job: JobContext) -> dict[str, Any]:
    """An async function, which fails for good if its number is negative."""
    await asyncio.sleep(0)
    if job.input["n"] < 0:
        text = f"Attempt {job.attempt} met a damaged track."
        raise JobFailure("TRACK_DAMAGED", text, retryable=False)
    if job.input.get("log"):
        _write(Path(job.input["log"]), f"{job.id}\n")
    return {"n": job.input["n"] * 2}


def _write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pipeline.main()
