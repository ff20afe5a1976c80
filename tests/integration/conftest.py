"""Fixtures of tests with a server in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from milepost.client import Client
from milepost.web import milepost_app
from tests.support.app_server import serving
from tests.support.issuer import Issuer
from tests.support.rpc import Rpc, connect
from tests.support.server import Server, ServerProcess


@pytest.fixture
async def rpc(shared_server: Server) -> AsyncIterator[Rpc]:
    """The services of the shared server, as generated stubs."""
    async with connect(shared_server.address) as connected:
        yield connected


@pytest.fixture
async def client(shared_server: Server) -> AsyncIterator[Client]:
    """A client of the shared server."""
    async with Client(shared_server.address) as connected:
        yield connected


@pytest.fixture(params=["served", "mounted"])
async def url(request: pytest.FixtureRequest, web_server: ServerProcess) -> AsyncIterator[str]:
    """Where HTTP is served: by the server itself, and by an application over a client of it."""
    if request.param == "served":
        yield web_server.url
        return
    async with (
        Client(web_server.address) as client,
        serving(milepost_app(client, authorize=lambda request, call: True)) as url,
    ):
        yield url


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of JSON Web Tokens, with one key."""
    made = Issuer()
    made.add_key("one")
    yield made
    made.close()
