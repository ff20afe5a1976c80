"""What happens to a Hatchet run while nobody tells its task: its timeout, and its end between two attempts."""

from __future__ import annotations

import pytest

from milepost.client import Client
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import ended, ended_job, lines_of, log_of, waiting
from tests.support.rpc import eventually, state_name

pytestmark = pytest.mark.usefixtures("hatchet_worker")


async def test_a_timeout_is_a_failure_of_its_attempt(hatchet: HatchetServer, client: Client) -> None:
    """The SDK tells it as a cancellation, and starts the next attempt while the first one still runs."""
    run = hatchet.engine.trigger("waits")
    job_id = await waiting(client, hatchet, run)
    hatchet.engine.time_out(run)

    assert (await ended(hatchet, run)).state == "COMPLETED"
    assert await ended_job(client, job_id) == "SUCCEEDED"
    job, events = await client.get(job_id), await log_of(client, job_id)
    assert (job.attempt, job.failed_attempts, job.result) == (2, 1, {"retries": 1})
    assert lines_of(events) == [(1, "tidied up")]
    (failure,) = [event.attempt_ended.failure for event in events if event.HasField("attempt_ended")]
    assert (failure.code, failure.retryable) == ("ATTEMPT_TIMEOUT", True)


async def test_the_last_timeout_fails_the_job(hatchet: HatchetServer, client: Client) -> None:
    """A plain function, which the SDK only flags, is stopped as by a cancellation."""
    run = hatchet.engine.trigger("waits_plain")
    job_id = await waiting(client, hatchet, run)
    hatchet.engine.time_out(run)

    assert await ended_job(client, job_id) == "FAILED"
    job = await client.get(job_id)
    assert (job.failure.code, job.failure.message) == (
        "ATTEMPT_TIMEOUT",
        "Hatchet: Task exceeded timeout of 10m",
    )
    assert lines_of(await log_of(client, job_id)) == [(1, "tidied up")]
    assert ((await ended(hatchet, run)).state, run.only.retry_count) == ("FAILED", 0)


async def test_a_run_that_is_cancelled_between_attempts(hatchet: HatchetServer, client: Client) -> None:
    """Hatchet tells no worker, so the one that ran the last attempt asks."""
    with hatchet.engine.changed:
        run = hatchet.engine.trigger("unsteady")
        hatchet.engine.held.add("unsteady")  # the first attempt was sent; the next one waits
    try:

        async def waits() -> bool:
            jobs = [job async for job in client.list(job_ids=[run.only.id])]
            return any(job.failed_attempts == 1 and state_name(job) == "QUEUED" for job in jobs)

        await eventually(waits)
        hatchet.engine.cancel(run)

        assert await ended_job(client, run.only.id) == "CANCELLED"
        job = await client.get(run.only.id)
        assert (job.attempt, job.cancellation.reason) == (1, "The run was cancelled in Hatchet.")
    finally:
        hatchet.engine.release("unsteady")
