"""Fixtures of tests with a server in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from milepost.client import Client
from milepost.web import milepost_app
from tests.support.app_server import serving
from tests.support.issuer import Issuer
from tests.support.server import ServerProcess


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
