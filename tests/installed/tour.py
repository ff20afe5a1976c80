"""A program that uses all of the SDK; run with the server's address where only the SDK is installed."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import uuid
from collections.abc import Callable
from typing import Any, Literal

from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client.logging import JobHandler
from milepost.client.tqdm import tqdm
from milepost.v1 import JobState

ADDRESS = sys.argv[1]


def add(job: JobContext) -> dict[str, object]:
    """Show a bar and log, in whatever process it runs."""
    logger = logging.getLogger("tour")
    logger.handlers = [JobHandler()]
    total = sum(tqdm(range(job.input["to"]), desc="add"))
    logger.warning("added %d", total)
    return {"sum": total}


async def add_in_loop(job: JobContext) -> dict[str, object]:
    """As above, without bars."""
    async with job.stage("add", total=job.input["to"]) as stage:
        return {"sum": sum(stage.track(range(job.input["to"])))}


async def work(
    kind: str, handler: Callable[[JobContext], Any], run: Literal["task", "thread", "process"]
) -> None:
    """Run one job with its own worker."""
    with tempfile.TemporaryDirectory() as spool:
        worker = Worker(ADDRESS, spool=spool)
        worker.job(kind, run=run)(handler)
        working = asyncio.create_task(worker.run())
        async with Client(ADDRESS) as client:
            job = await client.submit(kind, {"to": 100})
            assert await client.result(job.job_id) == {"sum": 4950}
            states = [item.state async for item in client.follow(job.job_id)]
            assert states[-1] == JobState.JOB_STATE_SUCCEEDED
            async with client.watch_jobs(kinds=[kind], follow=False) as watch:
                assert [item async for item in watch]
        worker.stop()
        await working


def attach(kind: str) -> None:
    """Run a job started here, without asyncio."""
    with SyncClient(ADDRESS) as client:
        with client.start(kind) as job, job.stage("steps") as stage:
            job.result = {"steps": sum(1 for _ in stage.track(range(3)))}
        assert client.result(job.id) == {"steps": 3}
        assert client.get(job.id).stages[0].stage_id == "steps"
        with client.subscriptions() as subscriptions:
            subscriptions.add(job.id)
        assert next(iter(client.watch(job.id))).sequence == 1


async def main() -> None:
    """Run everything, one after the other."""
    kind = f"tour-{uuid.uuid4().hex}"
    await work(f"{kind}-task", add_in_loop, "task")
    await work(f"{kind}-thread", add, "thread")
    await work(f"{kind}-process", add, "process")
    await asyncio.to_thread(attach, kind)


if __name__ == "__main__":
    asyncio.run(main())
    print("done")
