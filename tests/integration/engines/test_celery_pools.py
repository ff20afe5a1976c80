"""Celery tasks with jobs in each pool, in eager mode, from other publishers, and without Milepost's server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from celery import Celery

from milepost.client import Client
from tests.support.celery_jobs import ended_job, logged, native_threads
from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.rpc import state_name
from tests.support.server import Server

StartWorker: TypeAlias = Callable[[str, int, str], CeleryWorker]
"""Makes a worker with a pool, on a database of the broker, for a server."""


@pytest.fixture
def worker_of(broker: RedisServer, tmp_path: Path) -> StartWorker:
    """Makes workers that share nothing with those of other tests."""

    def make(pool: str, database: int, address: str) -> CeleryWorker:
        url = f"{broker.url}/{database}"
        environment = {"CELERY_BROKER": url, "CELERY_RESULTS": url, "MILEPOST_ADDRESS": address}
        log = tmp_path / f"{pool}.log"
        return CeleryWorker("tests.support.celery_tasks", log, environment=environment, pool=pool)

    return make


@pytest.mark.parametrize(
    ("pool", "database"), [("threads", 2), pytest.param("solo", 3, marks=pytest.mark.nightly)]
)
async def test_tasks_have_jobs_in_pools_without_processes(
    worker_of: StartWorker,
    broker: RedisServer,
    shared_server: Server,
    client: Client,
    pool: str,
    database: int,
) -> None:
    """Progress, retries and results are those of prefork."""
    url = f"{broker.url}/{database}"
    with worker_of(pool, database, shared_server.address):
        tasks = studio(url, url, shared_server.address).tasks
        converted, retried = tasks["convert"].delay(3), tasks["flaky"].delay(2)
        job, again = await ended_job(client, converted), await ended_job(client, retried)

        assert (state_name(job), dict(job.result.items())) == ("SUCCEEDED", {"pages": 3})
        assert (state_name(again), again.attempt) == ("SUCCEEDED", 3)
        assert (converted.get(timeout=120), retried.get(timeout=120)) == (3, 2)


async def test_a_pool_of_green_threads_is_refused(worker_of: StartWorker, shared_server: Server) -> None:
    """A worker with gevent ends before it takes a task, and says what to use instead."""
    with worker_of("gevent", 4, shared_server.address) as worker:
        status = worker.wait(120)

    assert status != 0
    assert "Milepost does not work in the pool gevent, since gRPC needs real threads." in worker.log


async def test_tasks_run_alike_without_the_server(
    worker_of: StartWorker, broker: RedisServer, nowhere: str
) -> None:
    """Results, failures and retries are those without Milepost, and one line says so for all of them."""
    url = f"{broker.url}/5"
    with worker_of("prefork", 5, nowhere) as worker:
        tasks = studio(url, url, nowhere).tasks
        results = [tasks["convert"].delay(3), tasks["flaky"].delay(2), tasks["fail"].delay("torn")]
        values = [result.get(timeout=120, propagate=False) for result in results]
        await logged(worker, "Milepost is away")

        assert values[:2] == [3, 2]
        assert repr(values[2]) == "ValueError('torn')"
        assert [str(result.state) for result in results] == ["SUCCESS", "SUCCESS", "FAILURE"]


@pytest.mark.usefixtures("prefork")
async def test_a_publisher_without_the_server_leaves_the_job_to_the_worker(
    broker: RedisServer, client: Client, nowhere: str
) -> None:
    """The message has what there is to submit, with the options of this publication."""
    convert: Any = studio(f"{broker.url}/0", f"{broker.url}/1", nowhere).tasks["convert"]
    result = convert.apply_async((3,), milepost={"labels": {"user": "7"}})
    assert result.get(timeout=120) == 3
    job = await ended_job(client, result)

    assert (state_name(job), job.labels["user"]) == ("SUCCEEDED", "7")


@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("protocol", [1, 2])
async def test_a_publisher_that_knows_nothing_of_milepost(
    broker: RedisServer, client: Client, protocol: int
) -> None:
    """The job begins with the task, under the same id, in both protocols of Celery."""
    publisher = Celery("other", broker=f"{broker.url}/0", backend=f"{broker.url}/1", set_as_current=False)
    publisher.conf.task_protocol = protocol
    result = publisher.send_task("convert", (3,))
    assert result.get(timeout=120) == 3
    job = await ended_job(client, result)

    assert (job.kind, state_name(job), job.attempt) == ("print.convert", "SUCCEEDED", 1)


async def test_eager_tasks_have_jobs(shared_server: Server, client: Client) -> None:
    """They run in the process that calls them, as a job all the same, and retry there."""
    eager = studio("memory://", "cache+memory://", shared_server.address, task_always_eager=True)
    converted, retried = eager.tasks["convert"].delay(3), eager.tasks["flaky"].delay(2)
    job, again = await ended_job(client, converted), await ended_job(client, retried)

    assert (converted.get(), retried.get()) == (3, 2)
    assert (state_name(job), dict(job.result.items())) == ("SUCCEEDED", {"pages": 3})
    assert state_name(again) == "SUCCEEDED"


async def test_the_parent_of_a_pool_never_uses_grpc(
    prefork: CeleryWorker, publisher: Celery[Any], client: Client
) -> None:
    """It forks, and a fork of a process with gRPC's threads hangs: a helper cancels the job of an expired task."""
    assert publisher.tasks["add"].delay(1, 1).get(timeout=120) == 2
    expired = publisher.tasks["add"].apply_async((1, 1), countdown=1, expires=0.5)
    job = await ended_job(client, expired)

    assert (state_name(job), job.cancellation.reason) == ("CANCELLED", "Its task has expired in Celery.")

    assert [name for name in native_threads(prefork.pid) if name.startswith(("grpc", "event_engine"))] == []
