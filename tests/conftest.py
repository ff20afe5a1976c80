"""What all tests share."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.forking import Forkery
from tests.support.nats import NatsCluster, NatsServer
from tests.support.nodes import Nodes
from tests.support.server import Serve, Server, ServerProcess

# How long an example takes is a matter of what else the machine does.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Where a shell runs the tests in the background, they and all that they start ignore Ctrl-C. Some of them press it.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--store jetstream`` has the servers that `serve` makes be three nodes each, over a cluster of NATS."""
    parser.addoption(
        "--store", choices=["sqlite", "jetstream"], default="sqlite", help="where servers keep their logs"
    )


@pytest.fixture(scope="session")
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Makes servers: a process each, or three nodes on a stream of their own, each at another server of NATS."""
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
    """A real server for all tests that leave each other's jobs alone."""
    with serve(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server of NATS for all tests, each with a stream of its own."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="session")
def forkery() -> Iterator[Forkery]:
    """What servers are forked from that are to be ready soon."""
    with Forkery() as process:
        yield process


@pytest.fixture
def server(tmp_path: Path, forkery: Forkery, serve: Serve) -> Iterator[Server]:
    """A real server of the test's own, with an empty data directory."""
    with serve(tmp_path / "data", forkery=forkery) as started:
        yield started
