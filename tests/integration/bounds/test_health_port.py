"""The bounds of the port for health checks, and that what comes to either port costs the other one nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs

from bench.abuse.raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Connection, message, request_headers
from milepost.server.rpc import call_starts, floods
from milepost.server.runtime import flood_barrier
from milepost.server.runtime.server import Server, Settings
from tests.support.flooding import flood_with_metadata, flood_with_resets
from tests.support.rpc import eventually

_CHECK = "/grpc.health.v1.Health/Check"
_GET_JOB = "/milepost.v1.JobService/GetJob"

_HOST = "127.0.0.2"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server in this process, with a port for health checks."""
    server = Server(Settings("127.0.0.1:0", None, health_address="127.0.0.1:0"))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def check(connection: Connection, address: str) -> None:
    """Make a health check, and wait for its answer."""
    stream = connection.new_stream()
    connection.write(HEADERS, END_HEADERS, stream, request_headers(_CHECK, address))
    connection.write(DATA, END_STREAM, stream, message(b""))

    async def is_answered() -> bool:
        assert not connection.closed.is_set()
        return stream in connection.ended

    await eventually(is_answered)


@pytest.mark.parametrize("resets", [False, True])
async def test_a_host_that_floods_the_port_with_metadata_loses_that_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, resets: bool
) -> None:
    """Its other connections go on, those to the other port are not even counted, and the log names it."""
    monkeypatch.setattr(floods, "FLOOD_PERIOD", 600.0)
    async with Connection.open(server.health_address, from_host=_HOST) as other:
        with capture_logs() as lines:
            await flood_with_metadata(server.health_address, _HOST, _CHECK, resets=resets)
        await check(other, server.health_address)
        async with Connection.open(server.address, from_host=_HOST) as main:
            await check(main, server.address)
    assert [line["host"] for line in lines if line["event"] == "host floods with metadata"] == [
        f"ipv4:{_HOST}"
    ]


async def test_a_flood_of_the_main_port_leaves_health_checks_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node's probes may come from the address that its clients have, too."""
    monkeypatch.setattr(floods, "FLOOD_PERIOD", 600.0)
    await flood_with_metadata(server.address, _HOST, _GET_JOB)
    async with Connection.open(server.health_address, from_host=_HOST) as probe:
        await check(probe, server.health_address)


async def test_a_host_that_leaves_its_checks_at_once_loses_that_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does at the main port."""
    monkeypatch.setattr(floods, "LEFT_CALLS", 20)
    monkeypatch.setattr(floods, "FLOOD_PERIOD", 600.0)
    with capture_logs() as lines:
        await flood_with_resets(server.health_address, _HOST, _CHECK)
    assert "host floods with calls that it leaves" in [line["event"] for line in lines]


async def test_silent_connections_to_the_port_are_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of each port are counted for themselves."""
    monkeypatch.setattr(flood_barrier, "SILENT_CONNECTIONS", 0)
    looked_at = set[int]()
    look = flood_barrier._shut_down_silent

    def note(port: int, before: Any) -> Any:
        looked_at.add(port)
        return look(port, before)

    monkeypatch.setattr(flood_barrier, "_shut_down_silent", note)

    async def are_bounded() -> bool:
        return looked_at == {
            int(address.rpartition(":")[2]) for address in (server.address, server.health_address)
        }

    await eventually(are_bounded)


async def test_checks_do_not_wait_while_calls_of_the_main_port_begin_one_at_a_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each port has the order of its own calls, and so counts those that are left while they wait."""
    readings = count(step=600.0)
    monkeypatch.setattr(call_starts, "thread_time", lambda: next(readings))
    monkeypatch.setattr(call_starts, "LONGEST_REST", 600.0)
    monkeypatch.setattr(call_starts, "CAREFUL_TIME", 600.0)
    await flood_with_metadata(server.address, _HOST, _GET_JOB, resets=True)
    async with Connection.open(server.health_address) as probe:
        await check(probe, server.health_address)


async def test_checks_do_not_wait_for_memory_that_other_calls_have(server: Server) -> None:
    """Those of the main port may have all of theirs."""
    arriving = server.memory.arriving
    assert arriving.try_acquire(arriving.limit)
    async with Connection.open(server.health_address) as probe:
        await check(probe, server.health_address)
