"""Celery tasks through faults of brokers, workers and of Milepost's server: the task's own result is never touched."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from celery import Celery, chain, group

from milepost.client import Client
from milepost.client.engines.celery import publish_canvas
from milepost.client.errors import JobEndedError
from tests.support.celery_jobs import ended_job, events_of, pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.rabbitmq import RabbitServer
from tests.support.redis_server import RedisServer
from tests.support.rpc import kinds, state_name
from tests.support.server import Server

pytestmark = pytest.mark.nightly

StartWorker: TypeAlias = Callable[[str, str], CeleryWorker]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test."""
    with RedisServer(tmp_path / "redis") as server:
        yield server
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Celery leaves their sockets to the collector
            gc.collect()  # results unsubscribe when they are destroyed, and those of a canvas are a circle


@pytest.fixture
def worker_on(redis: RedisServer, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers on a broker and a Milepost server; ends them."""
    with ExitStack() as stack:

        def start(broker: str, milepost: str) -> CeleryWorker:
            # Otherwise kombu looks for such messages when it starts, and then after 100 s; and a worker that is killed
            # while it looks, and so holds a lock in Redis, keeps others from it for 300 s.
            restores = {
                "visibility_timeout": 3,
                "unacked_restore_interval": 1,
                "unacked_restore_throttle": 1,
                "unacked_mutex_expire": 3,
            }
            options = restores if broker.startswith("redis") else {}
            environment = {
                "CELERY_BROKER": broker,
                "CELERY_RESULTS": f"{redis.url}/1",
                "MILEPOST_ADDRESS": milepost,
                "CELERY_CONFIGURATION": json.dumps({"broker_transport_options": options}),
            }
            log = tmp_path / f"worker-{uuid.uuid4().hex}.log"
            worker = CeleryWorker("tests.support.celery_tasks", log, environment=environment, concurrency=2)
            return stack.enter_context(worker)

        yield start


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """By which a task says that it has started, and is told to go on."""
    return tmp_path / "started", tmp_path / "released"


def application(broker: str, redis: RedisServer, milepost: str) -> Celery[Any]:
    """The application that publishes."""
    return studio(broker, f"{redis.url}/1", milepost)


async def test_the_parent_is_killed(
    redis: RedisServer,
    worker_on: StartWorker,
    shared_server: Server,
    client: Client,
    files: tuple[Path, Path],
) -> None:
    """With acks_late Redis delivers the task again after its visibility time-out; its job goes on with it."""
    started, released = files
    broker = f"{redis.url}/0"
    app = application(broker, redis, shared_server.address)
    worker = worker_on(broker, shared_server.address)
    result = app.tasks["hold-late"].delay(str(started), str(released))
    await pids_in(started)
    worker.kill()
    worker_on(broker, shared_server.address)
    await pids_in(started, 2)
    touch(released)
    job = await ended_job(client, result)

    assert state_name(job) == "SUCCEEDED"
    assert await asyncio.to_thread(result.get, timeout=120) == "released"
    assert kinds(await events_of(client, result)).count("job_ended") == 1
    app.close()


async def test_rabbitmq(
    rabbitmq: RabbitServer,
    redis: RedisServer,
    worker_on: StartWorker,
    shared_server: Server,
    client: Client,
    files: tuple[Path, Path],
) -> None:
    """Success, and the redelivery of what a killed worker had, which RabbitMQ does at once."""
    started, released = files
    app = application(rabbitmq.url, redis, shared_server.address)
    worker = worker_on(rabbitmq.url, shared_server.address)
    converted = app.tasks["convert"].delay(20)
    assert state_name(await ended_job(client, converted)) == "SUCCEEDED"
    assert await asyncio.to_thread(converted.get, timeout=120) == 20

    held = app.tasks["hold-late"].delay(str(started), str(released))
    await pids_in(started)
    worker.kill()
    worker_on(rabbitmq.url, shared_server.address)
    await pids_in(started, 2)
    touch(released)
    assert state_name(await ended_job(client, held)) == "SUCCEEDED"
    assert await asyncio.to_thread(held.get, timeout=120) == "released"
    assert kinds(await events_of(client, held)).count("job_ended") == 1
    app.close()


async def test_canvas_and_revoke_over_rabbitmq(
    rabbitmq: RabbitServer,
    redis: RedisServer,
    worker_on: StartWorker,
    shared_server: Server,
    client: Client,
    files: tuple[Path, Path],
) -> None:
    """As over Redis: a nested canvas is one job, and a revoked task's job is CANCELLED, running or queued."""
    started, released = files
    app = application(rabbitmq.url, redis, shared_server.address)
    add, total, hold = (app.tasks[name] for name in ("add", "total", "hold"))
    worker_on(rabbitmq.url, shared_server.address)
    canvas = chain(add.s(1, 2), group(add.s(1), chain(add.s(2), add.s(3))), total.s())
    album = publish_canvas(canvas, "album")
    await client.result(album.job_id or "")

    running = hold.delay(str(started), str(released))
    await pids_in(started)
    queued = hold.apply_async((str(started), str(released)), countdown=600)
    app.control.revoke([running.id], terminate=True)
    await client.cancel(str(queued.id))
    before = str(uuid.uuid4())
    app.control.revoke([before])
    revoked = hold.apply_async((str(started), str(released)), task_id=before)
    jobs = [await ended_job(client, result) for result in (running, queued, revoked)]
    assert [state_name(job) for job in jobs] == ["CANCELLED"] * 3
    for result in (running, queued, revoked):
        assert kinds(await events_of(client, result)).count("job_ended") == 1
    assert len(await pids_in(started)) == 1
    assert await asyncio.to_thread(add.delay(1, 2).get, timeout=120) == 3
    app.close()


@pytest.mark.parametrize("fault", ["down", "restarted", "stopped"])
async def test_milepost_in_the_middle_of_a_task(
    redis: RedisServer, worker_on: StartWorker, server: Server, files: tuple[Path, Path], fault: str
) -> None:
    """The task's result is its own, whatever becomes of the server; once that is back, the job ends with the task."""
    started, released = files
    broker = f"{redis.url}/0"
    app = application(broker, redis, server.address)
    worker_on(broker, server.address)
    result = app.tasks["hold"].delay(str(started), str(released))
    await pids_in(started)
    server.kill() if fault != "stopped" else server.stop()
    if fault == "restarted":
        server.restart()
    touch(released)
    assert await asyncio.to_thread(result.get, timeout=120) == "released"
    assert result.state == "SUCCESS"
    if fault == "restarted":
        async with Client(server.address) as client:
            assert state_name(await ended_job(client, result)) == "SUCCEEDED"
    assert await asyncio.to_thread(app.tasks["add"].delay(1, 2).get, timeout=120) == 3
    app.close()


@pytest.mark.timeout(600)
async def test_a_hundred_races_of_cancelling(
    redis: RedisServer, worker_on: StartWorker, shared_server: Server, client: Client
) -> None:
    """A cancel comes while the task waits, starts, runs or ends: each job has one end, and agrees with its task."""
    broker = f"{redis.url}/0"
    app = application(broker, redis, shared_server.address)
    worker_on(broker, shared_server.address)
    await asyncio.to_thread(app.tasks["add"].delay(1, 1).get, timeout=120)
    chance = random.Random(1)
    for _ in range(100):
        result = app.tasks["convert"].delay(20)
        await asyncio.sleep(chance.uniform(0.0, 0.08))
        with suppress(JobEndedError):
            await client.cancel(str(result.id))
        job = await ended_job(client, result)
        assert kinds(await events_of(client, result)).count("job_ended") == 1
        value = await asyncio.to_thread(result.get, timeout=120, propagate=False)
        assert (state_name(job), result.state) in [("SUCCEEDED", "SUCCESS"), ("CANCELLED", "REVOKED")], value
    assert await asyncio.to_thread(app.tasks["add"].delay(1, 2).get, timeout=120) == 3
    app.close()
