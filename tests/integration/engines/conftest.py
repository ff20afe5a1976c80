"""Brokers and workers for engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.support.celery_tasks import studio
from tests.support.celery_worker import CeleryWorker
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.worker_process import HatchetWorker
from tests.support.ports import free_port, give_back
from tests.support.redis_server import RedisServer
from tests.support.server import Server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for all tests of Celery, each with queues of its own."""
    with RedisServer(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="session")
def publisher(broker: RedisServer, shared_server: Server) -> Iterator[Celery[Any]]:
    """The application as a web server has it: it publishes tasks, and runs none."""
    application = studio(f"{broker.url}/0", f"{broker.url}/1", shared_server.address)
    yield application
    application.close()


@pytest.fixture(scope="session")
def prefork(
    broker: RedisServer, shared_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CeleryWorker]:
    """A worker with two processes."""
    environment = {
        "CELERY_BROKER": f"{broker.url}/0",
        "CELERY_RESULTS": f"{broker.url}/1",
        "MILEPOST_ADDRESS": shared_server.address,
    }
    log = tmp_path_factory.mktemp("prefork") / "prefork.log"
    with CeleryWorker("tests.support.celery_tasks", log, environment=environment, concurrency=2) as worker:
        yield worker


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where no server is: it refuses connections."""
    port = free_port()
    yield f"127.0.0.1:{port}"
    give_back(port)


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A file to which a task writes when it starts."""
    return tmp_path / "started"


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A file that a task waits for."""
    return tmp_path / "released"


@pytest.fixture(scope="session")
def hatchet() -> Iterator[HatchetServer]:
    """An engine that the Hatchet SDK talks to."""
    with HatchetServer() as server:
        yield server


@pytest.fixture(scope="session")
def hatchet_worker(
    hatchet: HatchetServer, shared_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HatchetWorker]:
    """A worker of the Hatchet SDK for all tests that need no other."""
    log = tmp_path_factory.mktemp("hatchet") / "worker.log"
    with HatchetWorker(hatchet, shared_server.address, log) as process:
        yield process
