"""Celery tasks beside a Milepost server that is slow, and what a process that ends has still to report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from celery import Celery

from milepost.client import Client
from tests.support.celery_jobs import ended_job, events_of, pids_in, touch
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.proxy import CuttableProxy
from tests.support.redis_server import RedisServer
from tests.support.rpc import kinds, state_name
from tests.support.server import Server

pytestmark = pytest.mark.nightly

WorkerOf: TypeAlias = Callable[..., CeleryWorker]
"""Makes a worker from options of its command, with its pool as ``pool``."""

# Seconds for a task's result to come, however slow Milepost is; without a bound it would never.
RESULT_TIMEOUT = 120.0


@pytest.fixture
def proxy(shared_server: Server) -> Iterator[CuttableProxy]:
    """The way to Milepost's server."""
    with CuttableProxy(shared_server.address) as slow:
        yield slow


@pytest.fixture
def url(broker: RedisServer) -> str:
    """A database of the broker that no other test uses at the same time."""
    return f"{broker.url}/9"


@pytest.fixture
def publisher(url: str, shared_server: Server) -> Iterator[Celery[Any]]:
    """The application of a publisher, which has another way to the server."""
    application = studio(url, url, shared_server.address)
    yield application
    application.close()


@pytest.fixture
def worker_of(url: str, proxy: CuttableProxy, tmp_path: Path) -> WorkerOf:
    """Makes a worker whose way to the server is the proxy."""

    def make(*options: str, pool: str = "prefork") -> CeleryWorker:
        environment = {
            "CELERY_BROKER": url,
            "CELERY_RESULTS": url,
            "MILEPOST_ADDRESS": proxy.address,
            "CELERY_MILEPOST_TIMEOUT": "1",
        }
        log = tmp_path / "slow.log"
        return CeleryWorker("tests.support.celery_tasks", log, *options, environment=environment, pool=pool)

    return make


@pytest.mark.parametrize("options", [[], ["--max-tasks-per-child", "1"]])
async def test_a_process_that_ends_has_reported_everything(
    worker_of: WorkerOf, publisher: Celery[Any], proxy: CuttableProxy, client: Client, options: list[str]
) -> None:
    """A task does not wait for the acknowledgement of its end; so the worker does when it stops, or its process."""
    with worker_of(*options) as worker:
        assert await asyncio.to_thread(publisher.tasks["add"].delay(1, 1).get, timeout=RESULT_TIMEOUT) == 2
        proxy.delay = 0.1  # a new process still gets its claim answered in time
        results = [publisher.tasks["add"].delay(number, 1) for number in range(2)]
        for number, result in enumerate(results):
            assert await asyncio.to_thread(result.get, timeout=RESULT_TIMEOUT) == number + 1
        worker.stop()
    states = [state_name((await client.get(str(result.id))).proto) for result in results]

    assert states == ["SUCCEEDED"] * 2
    assert [kinds(await events_of(client, result)).count("job_ended") for result in results] == [1, 1]


@pytest.mark.parametrize("task", ["hold", "hold-late"])
@pytest.mark.parametrize("fault", ["slow", "stalled"])
async def test_milepost_is_slow_in_the_middle_of_a_task(
    worker_of: WorkerOf,
    publisher: Celery[Any],
    proxy: CuttableProxy,
    client: Client,
    started: Path,
    released: Path,
    fault: str,
    task: str,
) -> None:
    """The result of the task comes while nothing gets through. Once something does, its job has one end."""
    with worker_of():
        result = publisher.tasks[task].delay(str(started), str(released))
        await pids_in(started)
        if fault == "slow":
            proxy.delay = 0.5
        else:
            proxy.stall()
        touch(released)
        value = await asyncio.to_thread(result.get, timeout=RESULT_TIMEOUT)
        after = await asyncio.to_thread(publisher.tasks["add"].delay(1, 2).get, timeout=RESULT_TIMEOUT)
        proxy.delay = 0.0
        proxy.allow()
        job = await ended_job(client, result)

        assert (value, result.state, after) == ("released", "SUCCESS", 3)
        assert state_name(job) == "SUCCEEDED"
        assert kinds(await events_of(client, result)).count("job_ended") == 1
