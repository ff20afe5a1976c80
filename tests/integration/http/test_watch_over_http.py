"""The rules of watching, held by server-sent events, by lines of JSON and by Connect: the tests of gRPC, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests.integration.watching import test_watch, test_watch_jobs
from tests.support.connect_watch import ConnectHttpJobs
from tests.support.http_watch import FRAMINGS, HttpJobs
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def shared_server(web_server: ServerProcess) -> ServerProcess:
    """The server, which serves HTTP."""
    return web_server


@pytest.fixture(params=[*FRAMINGS, "connect"])
async def rpc(request: pytest.FixtureRequest, web_server: ServerProcess) -> AsyncIterator[Rpc]:
    """A client of the server's services, which watches over HTTP."""
    async with connect(web_server.address) as connected:
        if request.param == "connect":
            over_http: HttpJobs = ConnectHttpJobs(web_server.url, "proto", connected.jobs)
        else:
            over_http = HttpJobs(web_server.url, request.param, connected.jobs)
        connected.jobs = cast("Any", over_http)
        yield connected


# They take their fixtures from this module.
globals().update(
    {
        name: test
        for module in (test_watch, test_watch_jobs)
        for name, test in vars(module).items()
        if name.startswith("test_")
    }
)
