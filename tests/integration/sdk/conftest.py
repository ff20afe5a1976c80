"""Fixtures of tests of the SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.forking import Forkery
from tests.support.gateway import Gateway, gateway
from tests.support.server import Serve, Server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery, serve: Serve) -> Iterator[Server]:
    """A server with short leases."""
    data = tmp_path_factory.mktemp("hasty") / "data"
    with serve(data, "--lease-ttl", "3", forkery=forkery) as server:
        yield server


@pytest.fixture
async def between(shared_server: Server) -> AsyncIterator[Gateway]:
    """A proxy in front of the shared server, which counts open streams."""
    async with gateway(shared_server.address) as opened:
        yield opened
