"""Parents of canvases while their tasks run, whichever process ends or dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, chain, group

from milepost.client import Client
from milepost.client.engines.celery import publish_canvas
from milepost.v1 import Event, Job, JobState
from tests.support.celery_jobs import pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually, state_name
from tests.support.server import Server

_CHANGES = ("job_started", "attempt_ended", "job_ended")


async def ended(client: Client, job_id: str) -> Job:
    """The job, once it has ended."""
    job = Job()
    async for snapshot in client.follow(job_id):
        job = snapshot.proto
    return job


async def running(client: Client, job_id: str, *, attempt: int = 1) -> Job:
    """The job, once this attempt runs."""

    async def attempted() -> Job | None:
        job = (await client.get(job_id)).proto
        return job if job.state == JobState.JOB_STATE_RUNNING and job.attempt >= attempt else None

    job: Job = await eventually(attempted)
    return job


async def changes_of(client: Client, job_id: str) -> list[str]:
    """What has become of the job: its events but those of progress."""
    async with client.watch(job_id, follow=False, payloads=_CHANGES) as watch:
        return [_name(event) async for event in watch]


def _name(event: Event) -> str:
    return str(event.WhichOneof("payload"))


def _pid(job: Job) -> int:
    return int(job.worker_id.rpartition("/")[2])


@pytest.mark.usefixtures("prefork")
async def test_a_parent_runs_from_the_start_of_its_first_task_to_the_end_of_its_last(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """One attempt, of the process that has run the first task."""
    hold = publisher.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(chain(hold, publisher.tasks["add"].si(1, 2)), "album")
    assert album.job_id is not None
    pids = await pids_in(started)
    parent = await running(client, album.job_id)
    touch(released)
    end = await ended(client, album.job_id)

    assert _pid(parent) == pids[0]
    assert (state_name(end), end.attempt, end.fraction) == ("SUCCEEDED", 1, 1.0)
    assert await changes_of(client, album.job_id) == ["job_started", "job_ended"]


@pytest.mark.usefixtures("prefork")
async def test_a_parent_goes_on_when_the_process_that_holds_it_is_killed(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """A process with another task of the canvas takes it over at once, and ends it with that task."""
    hold = publisher.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(group(hold, hold), "album")
    assert album.job_id is not None
    pids = await pids_in(started, 2)
    holder = _pid(await running(client, album.job_id))
    os.kill(holder, signal.SIGKILL)
    parent = await running(client, album.job_id, attempt=2)
    touch(released)
    end = await ended(client, album.job_id)

    assert {holder, _pid(parent)} == set(pids)
    assert (state_name(end), end.failure.code, end.attempt) == ("FAILED", "CHILD_FAILED", 2)
    changes = await changes_of(client, album.job_id)
    assert changes == ["job_started", "attempt_ended", "job_started", "job_ended"]


@pytest.mark.nightly
async def test_a_parent_waits_for_its_next_task_when_its_worker_stops(
    broker: RedisServer, shared_server: Server, client: Client, started: Path, released: Path, tmp_path: Path
) -> None:
    """QUEUED, as nobody holds it; the worker that runs the next task takes it."""
    first, later = f"first-{uuid4()}", f"later-{uuid4()}"
    application = studio(
        f"{broker.url}/0", f"{broker.url}/1", shared_server.address, task_default_queue=first
    )
    environment = {
        "CELERY_BROKER": f"{broker.url}/0",
        "CELERY_RESULTS": f"{broker.url}/1",
        "MILEPOST_ADDRESS": shared_server.address,
    }

    def worker(queue: str) -> CeleryWorker:
        log = tmp_path / f"{queue}.log"
        return CeleryWorker(
            "tests.support.celery_tasks", log, "-Q", queue, environment=environment, pool="solo"
        )

    hold = application.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(chain(application.tasks["add"].si(1, 2), hold.set(queue=later)), "album")
    assert album.job_id is not None
    with worker(first):
        await running(client, album.job_id)

        async def first_has_ended() -> bool:
            return (await client.get(album.job_id or "")).fraction > 0

        await eventually(first_has_ended)
    waiting = (await client.get(album.job_id)).proto
    with worker(later):
        await running(client, album.job_id, attempt=2)
        touch(released)
        end = await ended(client, album.job_id)
    application.close()

    assert (state_name(waiting), waiting.failure.code, waiting.failed_attempts) == ("QUEUED", "RELEASED", 0)
    assert (state_name(end), end.attempt) == ("SUCCEEDED", 2)


@pytest.mark.usefixtures("prefork")
async def test_cancelling_a_running_parent_ends_it(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """By the process that holds it, and not by force when its grace period is over."""
    hold = publisher.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(group(hold, hold), "album")
    assert album.job_id is not None
    await running(client, album.job_id)
    await client.cancel(album.job_id, grace_period=60.0)
    end = await ended(client, album.job_id)

    assert (state_name(end), end.HasField("failure")) == ("CANCELLED", False)
    async with client.watch(album.job_id, follow=False, payloads=["job_ended"]) as watch:
        assert [event.job_ended.forced async for event in watch] == [False]
