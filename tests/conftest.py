"""Fixtures of all tests."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from milepost.server.http.http_settings import HttpSettings
from milepost.server.runtime import core as core_module
from milepost.server.runtime import server as server_module
from milepost.server.runtime.server import Server as InProcessServer
from milepost.server.runtime.server import Settings
from tests.support.clock import SettableClock
from tests.support.forking import Forkery, shared_forkery
from tests.support.nats import NatsCluster, NatsServer
from tests.support.nodes import Nodes
from tests.support.rabbitmq import RabbitServer
from tests.support.redis_server import RedisServer
from tests.support.server import Serve, Server, ServerProcess

# The time of an example depends on the load of the machine.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A shell that runs the tests in the background makes them and their children ignore SIGINT, which some tests send.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


# Where Python may not write bytecode beside the sources, as in many containers, hundreds of processes would each
# compile all that they import. Among the installed packages it is in nobody's way.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(sys.prefix, "bytecode"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--store jetstream`` makes each server of `serve` three nodes on a NATS cluster."""
    parser.addoption(
        "--store", choices=["sqlite", "jetstream"], default="sqlite", help="where servers keep their logs"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the collected tests, 300 MB of objects, out of every collection of garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give long forms an hour against hangs, where they name no time of their own: a hundred kills take long."""
    for item in items:
        if item.get_closest_marker("nightly") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counts free memory."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Creates servers: one process each, or three nodes on their own stream, each at another NATS server."""
    if request.config.getoption("--store") == "sqlite":
        yield ServerProcess
        return
    forked: Forkery = request.getfixturevalue("forkery")
    with NatsCluster(*[tmp_path_factory.mktemp("nats-cluster")] * 3) as cluster:
        stores = [server.url for server in cluster.servers]

        def nodes(data: Path, *options: str, forkery: Forkery | None = None) -> Nodes:
            data.mkdir()
            stream = hashlib.sha256(str(data).encode()).hexdigest()[:16]
            return Nodes(data, stores, *options, stream=stream, forkery=forkery or forked)

        yield nodes


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[Server]:
    """A server for all tests that use only their own jobs."""
    with serve(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with HTTP, for all tests that use only their own jobs."""
    with ServerProcess(tmp_path_factory.mktemp("web") / "data", forkery=forkery, http=True) as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server for all tests, each with its own stream."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for all tests, each with its own names."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A RabbitMQ broker for all tests, each with its own queues."""
    with RabbitServer(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def forkery() -> Forkery:
    """The preloaded process from which fast servers are forked."""
    return shared_forkery()


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, serve: Serve) -> Iterator[Server]:
    """A server for one test, with an empty data directory."""
    with serve(tmp_path / "data", forkery=forkery) as started:
        yield started


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> SettableClock:
    """The clock of servers within the test's own loop that start later: a run can take an hour at once."""
    clock = SettableClock()
    monkeypatch.setattr(server_module, "AdjustedClock", lambda: clock)
    monkeypatch.setattr(core_module, "SystemClock", lambda: clock)
    return clock


@pytest.fixture
async def memory_server() -> AsyncIterator[InProcessServer]:
    """A server within the test's own loop, with its log in memory; it serves HTTP, too."""
    server = InProcessServer(Settings("127.0.0.1:0", None, http=HttpSettings("127.0.0.1:0")))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def timed_server(tmp_path: Path, wall: SettableClock) -> AsyncIterator[InProcessServer]:
    """A server within the test's own loop, with its log on disk, whose time of day the test sets."""
    server = InProcessServer(Settings("127.0.0.1:0", tmp_path / "data"))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
