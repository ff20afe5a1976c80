"""Jobs that are submitted where a Hatchet run is triggered, and pipelines under Hatchet."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hatchet_sdk import Context, EmptyModel

from milepost.client import Client, JobContext
from milepost.client.engines import Pipeline
from milepost.client.engines.hatchet import Hatchet, HatchetJobs
from milepost.client.engines.hatchet.reported_task import ReportedTask
from milepost.client.errors import JobFailed
from milepost.v1 import RetryPolicy
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import ended, waiting
from tests.support.rpc import state_name
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("hatchet_worker")


@pytest.fixture
def application(hatchet: HatchetServer, monkeypatch: pytest.MonkeyPatch) -> Hatchet:
    """The SDK as a web server has it: it triggers runs."""
    for name, value in hatchet.environment.items():
        monkeypatch.setenv(name, value)
    return Hatchet()


@pytest.fixture
def milepost(shared_server: Server) -> Iterator[HatchetJobs]:
    """Jobs of its tasks."""
    with HatchetJobs(shared_server.address) as jobs:
        yield jobs


@pytest.fixture
def pipeline(application: Hatchet, shared_server: Server) -> Pipeline:
    """A pipeline with the functions that the worker has as tasks."""
    pipeline = Pipeline(shared_server.address, engine="hatchet")

    async def elsewhere(job: JobContext) -> dict[str, Any]:
        raise NotImplementedError

    pipeline.job("scan")(elsewhere)
    pipeline.job("scan.plain", retry_policy=RetryPolicy(max_attempts=2))(elsewhere)
    return pipeline


async def test_a_job_that_is_seen_before_its_run_starts(
    hatchet: HatchetServer, application: Hatchet, milepost: HatchetJobs, client: Client
) -> None:
    """With the options and the input that it is given; the run, which anybody may trigger, claims it."""

    @application.task(name="convert")
    @milepost.job("convert", labels={"team": "b"})
    def convert(values: EmptyModel, context: Context) -> None:
        raise NotImplementedError

    job = await milepost.aio_submit(convert, {"count": 3}, owner="ops", labels={"order": "17"})
    before = await client.get(job.job_id)
    convert.run(wait_for_result=False, additional_metadata=job.metadata)
    (run,) = [run for run in hatchet.engine.runs.values() if run.metadata == job.metadata]

    assert (state_name(before), before.owner, before.labels, before.input) == (
        "QUEUED",
        "ops",
        {"order": "17"},
        {"count": 3},
    )
    # A minute after Hatchet would not start the run any more.
    assert before.start_deadline.seconds == 360
    assert (await ended(hatchet, run)).state == "COMPLETED"
    assert (state_name(await client.get(job.job_id)), await client.result(job.job_id)) == (
        "SUCCEEDED",
        {"pages": 3},
    )


def test_a_job_is_submitted_without_asyncio(
    application: Hatchet, milepost: HatchetJobs, shared_server: Server
) -> None:
    """Without a server, too: then the first attempt submits it."""

    @application.task(retries=2)
    @milepost.job()
    def Pages(values: EmptyModel, context: Context) -> None:
        raise NotImplementedError

    with HatchetJobs("127.0.0.1:1", timeout=1) as nowhere:
        unsubmitted = nowhere.submit(Pages)
    job_id = milepost.submit(Pages).job_id

    assert unsubmitted.metadata == {"milepost_job": unsubmitted.job_id}

    async def job() -> tuple[str, int]:
        async with Client(shared_server.address) as client:
            submitted = await client.get(job_id)
            return submitted.kind, submitted.retry_policy.max_attempts

    assert asyncio.run(job()) == ("pages", 3)


async def test_a_batch_task_has_no_jobs(
    application: Hatchet, milepost: HatchetJobs, caplog: pytest.LogCaptureFixture
) -> None:
    """One call works on many runs. `submit` refuses it, and a warning says once that nobody sees it run."""

    @application.batch_task(batch_max_size=2)
    @milepost.job()
    async def pages(values: Any, context: Context, job: JobContext) -> dict[Any, Any]:
        return {member: {"pages": 1} for member in values}

    with pytest.raises(TypeError, match="pages is a batch task: one call works on many runs"):
        milepost.submit(pages)
    call = ReportedTask.of(pages.tasks[0]._fn)
    assert call is not None
    results = [await call.wrapper()({"one": {}}, SimpleNamespace(task_run_id="")) for _ in range(2)]

    assert results == [{"one": {"pages": 1}}] * 2
    assert len([text for text in caplog.messages if "it runs without jobs" in text]) == 1


async def test_a_pipeline(pipeline: Pipeline, client: Client) -> None:
    """Its jobs run as tasks, with the input of the job, and with the retries of the function."""
    jobs = [await pipeline.submit(kind, {"text": kind}) for kind in ("scan", "scan.plain")]

    assert [await client.result(job.job_id) for job in jobs] == [{"text": "SCAN"}, {"text": "SCAN.PLAIN"}]
    assert [(await client.get(job.job_id)).attempt for job in jobs] == [1, 2]


async def test_a_pipelines_job_is_cancelled(
    pipeline: Pipeline, hatchet: HatchetServer, client: Client
) -> None:
    """And its run."""
    job = await pipeline.submit("scan", {"text": "abc", "waits": True})
    (run,) = [run for run in hatchet.engine.runs.values() if run.metadata == {"milepost_job": job.job_id}]
    await waiting(client, hatchet, run, job.job_id)
    await client.cancel(job.job_id)

    assert (await ended(hatchet, run)).state == "CANCELLED"


async def test_a_submission_that_is_repeated_runs_once(
    pipeline: Pipeline, hatchet: HatchetServer, client: Client
) -> None:
    """A second run, triggered because nobody could know of the first, does nothing."""
    job_id = str(uuid.uuid4())
    values = {"text": "abc", "waits": True}
    job = await pipeline.submit("scan", values, job_id=job_id, request_id=job_id)
    (run,) = [run for run in hatchet.engine.runs.values() if run.metadata == {"milepost_job": job.job_id}]
    await waiting(client, hatchet, run, job_id)
    await pipeline.submit("scan", values, job_id=job_id, request_id=job_id)
    second = hatchet.engine.trigger("scan", values, milepost_job=job_id)

    assert ((await ended(hatchet, second)).state, second.only.output) == ("COMPLETED", "")
    assert run.state == "RUNNING"
    assert len([run for run in hatchet.engine.runs.values() if run.metadata == second.metadata]) == 2
    await client.cancel(job_id)
    assert (await ended(hatchet, run)).state == "CANCELLED"


async def test_a_pipelines_failure(pipeline: Pipeline, client: Client) -> None:
    """Is that of the function."""
    job = await pipeline.submit("scan", {"no text": ""})

    with pytest.raises(JobFailed, match="KeyError"):
        await client.result(job.job_id)
