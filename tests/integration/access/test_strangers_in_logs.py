"""Whatever somebody without a credential does, the lines that the logs have of it are bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import grpc
import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from structlog.testing import capture_logs

from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.access.limits import limiter, throttling
from milepost.server.http.http_settings import HttpSettings
from milepost.server.rpc import interceptor
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import GetJobRequest
from tests.support.http_watch import http_client
from tests.support.rpc import Rpc, connect
from tests.support.token_files import Tokens

CALLS: Final = 30
"""Calls that each stranger makes."""

LINES: Final = 12
"""Lines that the logs have of them, at most: of the few that have lines at once, and of one in a while."""


class Stranger(NamedTuple):
    """Somebody without a credential."""

    rpc: Rpc
    http: httpx.AsyncClient


Deed: TypeAlias = Callable[[Stranger], Awaitable[object]]


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """A server that refuses strangers at once, and has a line for each of two of their calls in twenty seconds."""
    monkeypatch.setattr(limiter, "STRANGERS_CALLS", 0.1)
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    monkeypatch.setattr(interceptor, "METADATA_SIZE", 4_000)  # above it core refuses most calls itself
    known = Tokens(tmp_path / "tokens.toml")
    known.add("ci", ["a"], "submit")
    credentials = CredentialSettings(known.path)
    server = Server(Settings("127.0.0.1:0", None, credentials=credentials, http=HttpSettings("127.0.0.1:0")))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def call(stranger: Stranger) -> object:
    """Call without a token."""
    return await stranger.rpc.get("none")


async def call_and_leave(stranger: Stranger) -> object:
    """Give a call up while it is being refused."""
    return await stranger.rpc.jobs.GetJob(GetJobRequest(job_id="none"), timeout=0.001)


async def send_large_metadata(stranger: Stranger) -> object:
    """Send more metadata than there may be."""
    return await stranger.rpc.jobs.GetJob(GetJobRequest(job_id="none"), metadata=(("x", "y" * 5_000),))


async def call_nothing(stranger: Stranger) -> object:
    """Call a method that does not exist."""
    channel: Any = stranger.rpc.channel
    return await channel.unary_unary("/milepost.v1.JobService/Nothing")(b"")


async def check_health(stranger: Stranger) -> object:
    """Ask whether the server is well."""
    health: Any = health_pb2_grpc.HealthStub(stranger.rpc.channel)
    return await health.Check(health_pb2.HealthCheckRequest())


async def reflect(stranger: Stranger) -> object:
    """Ask which services there are."""
    channel: Any = stranger.rpc.channel
    stub: Any = ServerReflectionStub(channel)
    return [
        each async for each in stub.ServerReflectionInfo(iter([ServerReflectionRequest(list_services="")]))
    ]


async def get(stranger: Stranger) -> object:
    """Call by HTTP."""
    return await stranger.http.get("/v1/jobs/none")


async def forge(stranger: Stranger) -> object:
    """Have a page of another site call."""
    return await stranger.http.post("/v1/jobs", headers={"sec-fetch-site": "cross-site"}, json={})


async def begin_a_session(stranger: Stranger) -> object:
    """Have a token that is none changed into a cookie."""
    return await stranger.http.post("/v1/session", headers={"authorization": "Bearer mp_none"})


async def ask_for_nothing(stranger: Stranger) -> object:
    """Ask for a path that there is not."""
    return await stranger.http.get("/nothing")


async def break_a_body(stranger: Stranger) -> object:
    """Send a malformed body after headers that are well formed."""
    url = stranger.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = b"POST /v1/session:clear HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"no chunk\r\n")
    answer = await reader.read()
    writer.close()
    return answer


DEEDS: Final[Sequence[Deed]] = (
    call,
    call_and_leave,
    send_large_metadata,
    call_nothing,
    check_health,
    reflect,
    get,
    forge,
    begin_a_session,
    ask_for_nothing,
    break_a_body,
)


async def test_lines_of_strangers(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Each call has a line, or two with that of the audit log, only while there are few; none is of a fault."""
    assert server.http is not None
    lines: dict[str, list[Any]] = {}
    errors: list[BaseException] = []
    async with (
        connect(server.address) as rpc,
        http_client(server.http) as http,
    ):
        for do in DEEDS:
            with capture_logs() as written:
                deeds = (do(Stranger(rpc, http)) for _ in range(CALLS))
                outcomes = await asyncio.gather(*deeds, return_exceptions=True)
            errors += [each for each in outcomes if isinstance(each, BaseException)]
            lines[do.__name__] = [line for line in written if line["log_level"] != "debug"]
    assert [error for error in errors if not isinstance(error, grpc.aio.AioRpcError)] == []
    assert [name for name, written in lines.items() if len(written) > LINES] == []
    assert [line for written in lines.values() for line in written if line["log_level"] == "error"] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
