"""Ends of Celery tasks that others decide: cancelling, revoking, time limits, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from milepost.client import Client
from milepost.v1 import JobState
from tests.support.celery_jobs import ended_job, events_of, exists, logged, pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually, kinds, state_name
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("prefork")


async def test_a_cancel_reaches_the_task(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """A task that checks for it stops at once. Celery has it as REVOKED, and its process takes the next one."""
    result = publisher.tasks["hold"].delay(str(started), str(released))
    await pids_in(started)
    await client.cancel(str(result.id), reason="changed my mind")
    job = await ended_job(client, result)

    assert (state_name(job), job.cancellation.reason) == ("CANCELLED", "changed my mind")
    assert not job.cancellation.forced
    assert result.get(timeout=120, propagate=False).args == ("Its job was cancelled.",)
    assert str(result.state) == "REVOKED"
    assert publisher.tasks["add"].delay(1, 1).get(timeout=120) == 2


async def test_a_cancel_ends_a_task_that_does_not_check(
    publisher: Celery[Any], client: Client, started: Path, tmp_path: Path
) -> None:
    """Near the end of the grace period Celery sends its process SIGTERM, so that it cleans up; no end is forced."""
    cleaned = tmp_path / "cleaned"
    result = publisher.tasks["sleep"].delay(str(started), str(cleaned), 60)
    await pids_in(started)
    # One second of these is left to report the end: the maximum, which a busy machine may need.
    await client.cancel(str(result.id), grace_period=4)
    job = await ended_job(client, result)

    assert (state_name(job), job.cancellation.forced) == ("CANCELLED", False)
    assert exists(cleaned)
    assert result.get(timeout=120, propagate=False).args == ("terminated",)
    assert str(result.state) == "REVOKED"
    assert kinds(await events_of(client, result)).count("job_ended") == 1


async def test_a_cancelled_job_never_starts(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """A task whose job was cancelled while it waited does not run, and is REVOKED."""
    result = publisher.tasks["hold"].apply_async((str(started), str(released)), countdown=1)
    await client.cancel(str(result.id))
    error = result.get(timeout=120, propagate=False)

    assert (str(result.state), error.args) == ("REVOKED", ("Its job was cancelled.",))
    assert not exists(started)
    assert kinds(await events_of(client, result)) == ["job_submitted", "cancel_requested", "job_ended"]


async def test_a_revoked_task_cancels_its_job(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """Also one that was never started."""
    # A revocation is broadcast, and a worker that still starts does not get it.
    await eventually(lambda: asyncio.to_thread(publisher.control.ping))
    task_id = str(uuid.uuid4())
    publisher.control.revoke(task_id)
    result = publisher.tasks["hold"].apply_async((str(started), str(released)), task_id=task_id)
    job = await ended_job(client, result)

    assert (state_name(job), job.cancellation.reason) == ("CANCELLED", "Its task was revoked in Celery.")
    assert not exists(started)


async def test_a_terminated_task_cancels_its_job(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """Celery's own ``revoke(terminate=True)`` ends the process, and with it the job."""
    result = publisher.tasks["hold"].delay(str(started), str(released))
    await pids_in(started)
    publisher.control.revoke(str(result.id), terminate=True)
    job = await ended_job(client, result)

    assert (state_name(job), job.failure.code, job.failure.message) == ("CANCELLED", "", "")
    assert str(result.state) == "REVOKED"


@pytest.mark.parametrize(
    ("limits", "code"),
    [((60, 1), "SoftTimeLimitExceeded"), ((1, None), "TIME_LIMIT_EXCEEDED")],
    ids=["soft", "hard"],
)
async def test_a_time_limit_fails_the_job(
    publisher: Celery[Any], client: Client, started: Path, tmp_path: Path, limits: tuple[int, Any], code: str
) -> None:
    """The soft one as an exception, the hard one by the parent of the pool, at once."""
    arguments = (str(started), str(tmp_path / "cleaned"), 60)
    hard, soft = limits
    result = publisher.tasks["sleep"].apply_async(arguments, time_limit=hard, soft_time_limit=soft)
    job = await ended_job(client, result)

    assert (state_name(job), job.failure.code) == ("FAILED", code)
    assert (result.get(timeout=120, propagate=False) is not None, result.state) == (True, "FAILURE")
    assert kinds(await events_of(client, result)).count("job_ended") == 1


async def test_a_killed_process_fails_its_job(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """Where Celery fails the task the job does not wait for its lease to expire."""
    result = publisher.tasks["hold"].delay(str(started), str(released))
    os.kill((await pids_in(started))[0], signal.SIGKILL)
    job = await ended_job(client, result)

    assert (state_name(job), job.failure.code) == ("FAILED", "PROCESS_CRASHED")
    assert type(result.get(timeout=120, propagate=False)).__name__ == "WorkerLostError"


async def test_a_redelivered_task_takes_over_from_a_killed_process(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """With acks_late the broker delivers the task again; its job goes on with the next attempt, at once."""
    result = publisher.tasks["hold-late"].delay(str(started), str(released))
    os.kill((await pids_in(started))[0], signal.SIGKILL)
    await pids_in(started, 2)
    touch(released)
    job = await ended_job(client, result)

    assert state_name(job) == "SUCCEEDED"
    assert result.get(timeout=120) == "released"
    assert kinds(await events_of(client, result)).count("job_ended") == 1


async def test_a_second_delivery_steps_aside(
    publisher: Celery[Any], client: Client, started: Path, released: Path, prefork: CeleryWorker
) -> None:
    """While the first one runs, its job belongs to that; the second one comes back later, and finds the result."""
    task = publisher.tasks["hold"]
    result = task.delay(str(started), str(released))
    await pids_in(started)
    again = task.apply_async((str(started), str(released)), task_id=str(result.id))
    await logged(prefork, f"task {result.id} is tried again")
    touch(released)
    job = await ended_job(client, result)

    assert (state_name(job), job.attempt) == ("SUCCEEDED", 1)
    assert again.get(timeout=120) == "released"
    assert len(await pids_in(started)) == 1


@pytest.mark.parametrize("task", ["hold", "hold-late"])
async def test_a_cold_shutdown_ends_what_nobody_continues(
    broker: RedisServer,
    shared_server: Server,
    client: Client,
    started: Path,
    released: Path,
    tmp_path: Path,
    task: str,
) -> None:
    """The message of the one was acknowledged: its job fails. The broker has that of the other one: its job waits."""
    url = f"{broker.url}/{7 if task == 'hold' else 8}"
    environment = {
        "CELERY_BROKER": url,
        "CELERY_RESULTS": url,
        "MILEPOST_ADDRESS": shared_server.address,
    }
    with CeleryWorker("tests.support.celery_tasks", tmp_path / "cold.log", environment=environment) as worker:
        result = studio(url, url, shared_server.address).tasks[task].delay(str(started), str(released))
        await pids_in(started)
        worker.send(signal.SIGQUIT)
        await asyncio.to_thread(worker.wait)
    if task == "hold":
        job = await ended_job(client, result)
        assert (state_name(job), job.failure.code) == ("FAILED", "INTERRUPTED")
    else:
        assert (await client.get(str(result.id))).state == JobState.JOB_STATE_QUEUED
