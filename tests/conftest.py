"""What all tests share."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forking import Forkery
from tests.support.nats import NatsCluster, NatsServer
from tests.support.server import ServerProcess

# Where a shell runs the tests in the background, they and all that they start ignore Ctrl-C. Some of them press it.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server for all tests that leave each other's jobs alone."""
    with ServerProcess(tmp_path_factory.mktemp("shared") / "data") as process:
        yield process


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--store jetstream`` has every server keep its log in a cluster of NATS, each in a stream of its own."""
    parser.addoption(
        "--store", choices=["sqlite", "jetstream"], default="sqlite", help="where servers keep their logs"
    )


@pytest.fixture(scope="session", autouse=True)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where servers keep their logs that are not told otherwise."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    with NatsCluster(*[tmp_path_factory.mktemp("nats-cluster")] * 3) as cluster:

        def options(data: Path) -> list[str]:
            stream = hashlib.sha256(str(data).encode()).hexdigest()[:16]
            return ["--store", cluster.url, "--nats-stream", stream, "--nats-sync-always"]

        ServerProcess.store = staticmethod(options)
        yield


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
def server(tmp_path: Path, forkery: Forkery) -> Iterator[ServerProcess]:
    """A real server of the test's own, with an empty data directory."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as process:
        yield process
