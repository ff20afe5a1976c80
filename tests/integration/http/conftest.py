"""Fixtures of tests of the server's HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.http_watch import http_client
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess


@pytest.fixture
async def rpc(web_server: ServerProcess) -> AsyncIterator[Rpc]:
    """The services of the server with HTTP, as generated stubs."""
    async with connect(web_server.address) as connected:
        yield connected


@pytest.fixture
async def web(web_server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server's HTTP."""
    async with http_client(web_server.url) as client:
        yield client
