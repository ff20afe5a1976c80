"""Ends that a task chooses itself by exceptions of Celery, and messages that no worker knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from milepost.client import Client
from milepost.client.engines.celery import MilepostTask
from tests.support.celery_jobs import ended_job, events_of
from tests.support.celery_tasks import studio
from tests.support.redis_server import RedisServer
from tests.support.rpc import kinds, state_name
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("prefork")


async def test_a_task_that_is_ignored_has_succeeded(publisher: Celery[Any], client: Client) -> None:
    """It asks Celery to store nothing; its job has ended all the same."""
    result = publisher.tasks["ignore"].delay()
    job = await ended_job(client, result)

    assert (state_name(job), job.attempt, str(result.state)) == ("SUCCEEDED", 1, "PENDING")


async def test_a_rejected_task_fails(publisher: Celery[Any], client: Client, tmp_path: Path) -> None:
    """Nobody runs it again."""
    result = publisher.tasks["reject"].delay(str(tmp_path / "rejected"), requeue=False)
    job = await ended_job(client, result)

    assert (state_name(job), job.failure.code) == ("FAILED", "REJECTED")
    assert job.failure.message == "The task rejected its message: not now"


async def test_a_rejected_task_that_is_requeued_goes_on(
    publisher: Celery[Any], client: Client, tmp_path: Path
) -> None:
    """Its next delivery is the next attempt."""
    result = publisher.tasks["reject"].delay(str(tmp_path / "rejected"), requeue=True)
    job = await ended_job(client, result)

    assert (state_name(job), job.attempt) == ("SUCCEEDED", 2)
    assert result.get(timeout=120) == "accepted"
    assert kinds(await events_of(client, result)).count("job_ended") == 1


async def test_a_task_that_replaces_another_one_goes_on_with_its_job(
    publisher: Celery[Any], client: Client
) -> None:
    """It has the same id, and so the same job, which ends once, with the last one."""
    result = publisher.tasks["replace"].delay(20, 22)
    job = await ended_job(client, result)

    assert result.get(timeout=120) == 42
    assert (job.kind, state_name(job)) == ("replace", "SUCCEEDED")
    assert kinds(await events_of(client, result)).count("job_ended") == 1


async def test_a_task_that_no_worker_knows_fails(
    broker: RedisServer, shared_server: Server, client: Client
) -> None:
    """The worker discards its message, so that its job would wait for ever."""
    publisher = studio(f"{broker.url}/0", f"{broker.url}/1", shared_server.address)

    @publisher.task(shared=False, name="unknown", base=MilepostTask)
    def unknown() -> None:
        return

    job = await ended_job(client, unknown.delay())
    publisher.close()

    assert (state_name(job), job.failure.code) == ("FAILED", "TASK_NOT_REGISTERED")
    assert job.failure.message == "The worker has no task 'unknown', and has discarded its message."
