"""Fixtures of tests of estimates."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from milepost.server.runtime.server import Server as InProcessServer
from tests.support.rpc import Rpc, connect


@pytest.fixture
async def timed(timed_server: InProcessServer) -> AsyncIterator[Rpc]:
    """The services of a server whose time of day the test sets, as generated stubs."""
    async with connect(timed_server.address) as connected:
        yield connected
