"""The table of what resumes where, over HTTP: what comes, or why nothing does, for each start and each log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tests.integration.watching import test_resume_matrix
from tests.support.forking import Forkery
from tests.support.http_watch import FRAMINGS, HttpJobs
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess

pytestmark = pytest.mark.nightly


@pytest.fixture(params=FRAMINGS)
def serve_http(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, forkery: Forkery) -> Any:
    """Creates servers, whose clients watch over HTTP."""
    servers: list[ServerProcess] = []

    def serve(data: Path, *options: str) -> ServerProcess:
        servers.append(ServerProcess(data, *options, forkery=forkery, http=True))
        return servers[-1]

    @asynccontextmanager
    async def connect_by_http(address: str) -> AsyncIterator[Rpc]:
        (url,) = [server.url for server in servers if server.address == address]
        async with connect(address) as rpc:
            rpc.jobs = cast("Any", HttpJobs(url, request.param, rpc.jobs, joins=True))
            yield rpc

    monkeypatch.setattr(test_resume_matrix, "connect", connect_by_http)
    return serve


async def test_one_job(tmp_path: Path, serve_http: Any) -> None:
    """Exactly what the table of gRPC has."""
    await test_resume_matrix.test_watch_job(tmp_path, serve_http)


async def test_many_jobs(tmp_path: Path, serve_http: Any) -> None:
    """The same with positions."""
    with serve_http(tmp_path / "data") as server:
        await test_resume_matrix.test_watch_jobs(server)
