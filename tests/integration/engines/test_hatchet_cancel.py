"""Cancellations between Hatchet and Milepost, both ways."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from milepost.client import Client
from milepost.v1 import Dispatch
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import ended, ended_job, lines_of, log_of, waiting
from tests.support.rpc import eventually, state_name

pytestmark = pytest.mark.usefixtures("hatchet_worker")

TASKS = ["waits", "waits_plain"]


@pytest.fixture
def refusing(hatchet: HatchetServer) -> Iterator[None]:
    """The engine's API refuses cancellations."""
    hatchet.refuses_cancellations = True
    yield
    hatchet.refuses_cancellations = False


@pytest.mark.parametrize("task", TASKS)
async def test_a_cancelled_job_cancels_its_run(hatchet: HatchetServer, client: Client, task: str) -> None:
    """The task is interrupted and tidies up; then the run is cancelled, which its SDK would not report."""
    run = hatchet.engine.trigger(task)
    job_id = await waiting(client, hatchet, run)
    await client.cancel(job_id, reason="not needed")

    assert await ended_job(client, job_id) == "CANCELLED"
    assert (await ended(hatchet, run)).state == "CANCELLED"
    assert lines_of(await log_of(client, job_id)) == [(1, "tidied up")]
    assert "COMPLETED" not in dict(run.only.events).values()


@pytest.mark.parametrize("task", TASKS)
async def test_a_cancelled_run_cancels_its_job(hatchet: HatchetServer, client: Client, task: str) -> None:
    """The task is interrupted as by Milepost: a thread, too, which the SDK only tells."""
    run = hatchet.engine.trigger(task)
    job_id = await waiting(client, hatchet, run)
    hatchet.engine.cancel(run)

    assert await ended_job(client, job_id) == "CANCELLED"
    job = await client.get(job_id)
    assert (job.cancellation.reason, job.attempt) == ("The run was cancelled in Hatchet.", 1)
    assert lines_of(await log_of(client, job_id)) == [(1, "tidied up")]


async def test_an_error_during_a_cancellation_is_not_retried(hatchet: HatchetServer, client: Client) -> None:
    """Although the task has retries: it was cancelled."""
    run = hatchet.engine.trigger("clumsy")
    job_id = await waiting(client, hatchet, run)
    await client.cancel(job_id)

    assert await ended_job(client, job_id) == "CANCELLED"
    assert ((await ended(hatchet, run)).state, run.only.retry_count) == ("CANCELLED", 0)


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("task", TASKS)
async def test_a_run_that_cannot_be_cancelled_fails(
    hatchet: HatchetServer, client: Client, task: str
) -> None:
    """For good, although the task has retries; otherwise it would stay RUNNING."""
    run = hatchet.engine.trigger(task)
    job_id = await waiting(client, hatchet, run)
    await client.cancel(job_id)

    assert await ended_job(client, job_id) == "CANCELLED"
    assert ((await ended(hatchet, run)).state, run.only.retry_count) == ("FAILED", 0)
    assert run.only.error.startswith("NonRetryableException: The job was cancelled in Milepost.")


async def test_a_job_that_is_cancelled_before_its_run_starts(hatchet: HatchetServer, client: Client) -> None:
    """Its task is not run, and the run is cancelled."""
    job_id = str(uuid.uuid4())
    await client.submit("waits", job_id=job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
    await client.cancel(job_id)
    run = await ended(hatchet, hatchet.engine.trigger("waits", milepost_job=job_id))

    assert run.state == "CANCELLED"
    assert (await client.get(job_id)).attempt == 0


async def test_a_run_that_is_started_again_after_its_cancellation(
    hatchet: HatchetServer, client: Client
) -> None:
    """Has a job of its own: the dashboard can replay a run."""
    run = hatchet.engine.trigger("waits")
    job_id = await waiting(client, hatchet, run)
    hatchet.engine.cancel(run)
    assert await ended_job(client, job_id) == "CANCELLED"
    hatchet.engine.replay(run)

    assert (await ended(hatchet, run)).state == "COMPLETED"
    again = await client.get(f"{job_id}-1")
    assert (state_name(again), again.result) == ("SUCCEEDED", {"retries": 1})
    assert again.labels["hatchet.run/task-run-id"] == run.only.id


async def test_a_cancelled_parent_cancels_the_runs_of_its_children(
    hatchet: HatchetServer, client: Client
) -> None:
    """As the jobs are parent and child, one cancellation reaches both runs."""
    parent = (await client.submit("book", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    runs = [hatchet.engine.trigger(task, milepost_parent=parent) for task in TASKS]
    for run in runs:
        await waiting(client, hatchet, run)
    await client.cancel(parent)

    assert [(await ended(hatchet, run)).state for run in runs] == ["CANCELLED"] * 2

    async def over() -> bool:
        return all([state_name(await client.get(run.only.id)) == "CANCELLED" for run in runs])

    await eventually(over)
