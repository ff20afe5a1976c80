"""The tasks of the tests of the Hatchet engine; as a script, a worker that runs them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from datetime import timedelta
from typing import Any

from hatchet_sdk import Context, DurableContext, EmptyModel, Hatchet, NonRetryableException
from pydantic import BaseModel

from milepost.client import JobContext, JobFailure
from milepost.client.engines.hatchet import HatchetJobs
from milepost.client.logging import JobHandler

hatchet = Hatchet()

# Seconds that a busy machine may take for an answer, after which a task goes on without its job.
_TIMEOUT = float(os.environ.get("TASKS_TIMEOUT", "60"))
milepost = HatchetJobs(timeout=_TIMEOUT, flush_timeout=_TIMEOUT)
# For a task that ends during a cut, which the test ends: it waits for the server however slow the machine is.
patient_milepost = HatchetJobs(timeout=_TIMEOUT, flush_timeout=120)


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


@hatchet.task(execution_timeout=timedelta(minutes=10), retries=1)
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


@hatchet.task(execution_timeout=timedelta(minutes=10))
@milepost.job("waits.plain")
def waits_plain(values: EmptyModel, context: Context, job: JobContext) -> None:
    try:
        with job.stage("wait") as stage:
            for _ in stage.track(itertools.count()):
                time.sleep(0.01)
    finally:
        job.log("tidied up")


@hatchet.task()
@milepost.job()
async def album(values: EmptyModel, context: Context, job: JobContext) -> dict[str, Any]:
    """A parent of tasks that it triggers by Hatchet's own methods."""
    await unaware.aio_run(wait_for_result=False)
    pages, plain = await asyncio.gather(
        convert.aio_run(Pages(count=1)), convert_plain.aio_run(Pages(count=2))
    )
    return {"pages": pages["pages"] + plain["pages"]}


@hatchet.task()
@milepost.job("album.plain")
def album_plain(values: EmptyModel, context: Context) -> dict[str, Any]:
    return {
        "pages": [page["pages"] for page in convert.run_many([convert.create_bulk_run_item(Pages())] * 2)]
    }


book = hatchet.workflow(name="book")


@book.task()
@milepost.job()
async def chapters(values: EmptyModel, context: Context) -> dict[str, int]:
    return {"chapters": 2}


@book.task(parents=[chapters])
@milepost.job()
async def binding(values: EmptyModel, context: Context) -> dict[str, int]:
    raise ValueError(f"no glue for {context.task_output(chapters)['chapters']} chapters")


@book.on_failure_task()
@milepost.job()
async def apology(values: EmptyModel, context: Context, job: JobContext) -> dict[str, list[str]]:
    return {"failed": list(context.task_run_errors)}


gate = asyncio.Event()


@hatchet.task(name="gate")
async def open_gate(values: EmptyModel, context: Context) -> None:
    gate.set()


@hatchet.task(execution_timeout=timedelta(minutes=10))
@patient_milepost.job()
async def gated(values: EmptyModel, context: Context, job: JobContext) -> dict[str, str]:
    job.log("before")
    await gate.wait()
    gate.clear()
    await context.aio_put_stream("gated")
    job.log("after")
    return {}


@hatchet.durable_task(retries=1)
@milepost.job()
async def patient(values: EmptyModel, context: DurableContext, job: JobContext) -> dict[str, int]:
    """Is evicted in its first invocation, by what the SDK does then."""
    job.log(f"invocation {context.invocation_count}")
    if context.invocation_count == 1:
        context._set_cancellation_flag()
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()
    return {"invocations": context.invocation_count}


async def scan(job: JobContext) -> dict[str, Any]:
    if job.input.get("waits"):
        async with job.stage("wait"):
            await asyncio.Event().wait()
    return {"text": job.input["text"].upper()}


def scan_plain(job: JobContext) -> dict[str, Any]:
    if job.attempt < 2:
        raise ConnectionError("no luck")
    return {"text": job.input["text"].upper()}


@hatchet.task(execution_timeout=timedelta(minutes=10), retries=1)
@milepost.job()
async def clumsy(values: EmptyModel, context: Context, job: JobContext) -> dict[str, int]:
    try:
        async with job.stage("wait"):
            await asyncio.Event().wait()
    finally:
        raise OSError("the file is gone")


WORKFLOWS: list[Any] = [
    convert,
    convert_plain,
    unaware,
    unsteady,
    hopeless,
    refused,
    waits,
    waits_plain,
    album,
    album_plain,
    book,
    patient,
    open_gate,
    clumsy,
    gated,
    milepost.task(hatchet, "scan", scan),
    milepost.task(hatchet, "scan.plain", scan_plain, retries=1),
]

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("application").addHandler(JobHandler())
    hatchet.worker("tests", slots=20, workflows=WORKFLOWS).start()
