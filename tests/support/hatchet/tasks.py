"""The tasks of the tests of the Hatchet engine; as a script, a worker that runs them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from typing import Any

from hatchet_sdk import Context, EmptyModel, Hatchet, NonRetryableException
from pydantic import BaseModel

from milepost.client import JobContext, JobFailure
from milepost.client.engines.hatchet import HatchetJobs
from milepost.client.logging import JobHandler

hatchet = Hatchet()
milepost = HatchetJobs(timeout=3, flush_timeout=3)


class Pages(BaseModel):
    """Input with a secret."""

    count: int = 3
    password: str = "hunter2"


@hatchet.task(input_validator=Pages)
@milepost.job(labels={"team": "a"})
async def convert(values: Pages, context: Context, job: JobContext) -> dict[str, int]:
    job.plan(["pages"])
    async with job.stage("pages", total=values.count) as stage:
        for number in stage.track(range(values.count)):
            job.log(f"page {number}", stage=stage)
    await context.aio_put_stream("converted")
    return {"pages": values.count}


@hatchet.task(input_validator=Pages)
@milepost.job("convert.plain", show_input=True)
def convert_plain(values: Pages, context: Context, job: JobContext) -> dict[str, int]:
    with job.stage("pages", total=values.count) as stage:
        for _ in stage.track(range(values.count)):
            time.sleep(0)
    return {"pages": values.count}


@hatchet.task()
@milepost.job(show_result=False)
def unaware(values: EmptyModel, context: Context) -> dict[str, str]:
    logging.getLogger("application").warning("as before")
    return {"token": "secret"}


@hatchet.task(retries=2)
@milepost.job()
async def unsteady(values: EmptyModel, context: Context, job: JobContext) -> dict[str, int]:
    job.log(f"retry {context.retry_count}")
    if context.retry_count < 2:
        raise ConnectionError("no luck")
    return {"retries": context.retry_count}


@hatchet.task(retries=2)
@milepost.job()
async def hopeless(values: EmptyModel, context: Context) -> None:
    raise NonRetryableException("there is no such page")


@hatchet.task(retries=2)
@milepost.job()
def refused(values: EmptyModel, context: Context) -> None:
    raise JobFailure("PAGE_NOT_FOUND", "There is no such page.")


@hatchet.task(execution_timeout="10m", retries=1)
@milepost.job()
async def waits(values: EmptyModel, context: Context, job: JobContext) -> dict[str, int]:
    if context.retry_count:
        return {"retries": context.retry_count}
    try:
        async with job.stage("wait"):
            await asyncio.Event().wait()
    finally:
        job.log("tidied up")
    return {}


@hatchet.task(execution_timeout="10m")
@milepost.job("waits.plain")
def waits_plain(values: EmptyModel, context: Context, job: JobContext) -> None:
    try:
        with job.stage("wait") as stage:
            for _ in stage.track(itertools.count()):
                time.sleep(0.01)
    finally:
        job.log("tidied up")


WORKFLOWS: list[Any] = [convert, convert_plain, unaware, unsteady, hopeless, refused, waits, waits_plain]

if __name__ == "__main__":
    logging.getLogger("application").addHandler(JobHandler())
    hatchet.worker("tests", slots=20, workflows=WORKFLOWS).start()
