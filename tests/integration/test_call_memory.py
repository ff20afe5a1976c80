"""How much memory calls may use: of requests that arrive, and of responses that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest

from bench.abuse.raw_http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    Connection,
    message,
    request_headers,
)
from milepost.client import Client
from milepost.client.errors import LimitReached
from milepost.server.rpc import call_memory
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import Dispatch, GetJobRequest, ReportJobRequest
from tests.support.refused import refused
from tests.support.rpc import connect, eventually

_MIB = 1 << 20
_REPORT_JOB = "/milepost.v1.WorkerService/ReportJob"
_GET_JOB = "/milepost.v1.JobService/GetJob"


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server in this process with the least memory for calls that it can be given: 8 MiB for one caller."""
    server = Server(Settings("127.0.0.1:0", None, request_memory=16 * _MIB, response_memory=16 * _MIB))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "method", ["JobService/GetJob", "JobService/WatchJob", "WorkerService/Work", "AdminService/ListWorkers"]
)
async def test_a_call_without_a_request_is_answered(method: str) -> None:
    """Whatever method it is of."""
    async with serving() as server, grpc.aio.insecure_channel(server.address) as channel:
        call: Any = channel.stream_unary(f"/milepost.v1.{method}")(iter(()))
        refusal = await refused(call)
        assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_a_request_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is refused, and what has arrived of it is given back."""
    monkeypatch.setattr(call_memory, "ARRIVAL_TIMEOUT", 0.2)
    async with serving() as server, Connection.open(server.address) as connection:
        stream = connection.new_stream()
        connection.write(HEADERS, END_HEADERS, stream, request_headers(_REPORT_JOB, server.address))
        await connection.send(stream, message(b"x" * 1_000, 4 * _MIB))
        await until_reset(connection, 1)
        assert server.memory.arriving.used == 0


async def test_requests_that_arrive_slowly_leave_room_for_others() -> None:
    """Each is charged as the largest; those without room are refused, and ordinary calls are answered."""
    async with serving() as server, Connection.open(server.address) as connection:
        for _ in range(4):
            stream = connection.new_stream()
            connection.write(HEADERS, END_HEADERS, stream, request_headers(_REPORT_JOB, server.address))
            await connection.send(stream, message(b"x" * 1_000, 4 * _MIB))
        # A caller has 16 MiB for what arrives, large requests three quarters of it, and one may have 8 MiB.
        await until_reset(connection, 3)
        assert server.memory.arriving.used == call_memory.LARGEST_MESSAGE
        async with connect(server.address) as rpc:
            job = await rpc.submit()
            assert (await rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.job_id == job.job_id


async def test_a_large_request_at_work_is_charged() -> None:
    """For as long as it is at work."""
    async with serving() as server, connect(server.address) as rpc:
        request = ReportJobRequest(job_id="j" * (3 * _MIB))
        assert (await refused(rpc.workers.ReportJob(request))).code == "INVALID_ARGUMENT"
        assert server.memory.requests.used == 0


async def test_responses_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the caller is refused, with the option that it is; what is read is given back."""
    monkeypatch.setattr(call_memory, "RESPONSE_TIMEOUT", 0.2)
    async with serving() as server, connect(server.address) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, input={"text": "x" * 1_000_000})
        request = GetJobRequest(job_id=job.job_id)
        async with Connection.open(server.address, [(INITIAL_WINDOW_SIZE, 1_000)]) as connection:
            for _ in range(3):
                stream = connection.new_stream()
                connection.write(HEADERS, END_HEADERS, stream, request_headers(_GET_JOB, server.address))
                connection.write(DATA, END_STREAM, stream, message(request.SerializeToString()))

            async def are_unread() -> bool:
                return server.memory.responses.used > 6_000_000

            await eventually(are_unread)
            refusal = await refused(rpc.jobs.GetJob(request))
            assert (refusal.code, refusal.reason, refusal.metadata) == (
                "RESOURCE_EXHAUSTED",
                "LIMIT_REACHED",
                {"limit": "response-memory"},
            )
            assert refusal.retry_delay
            small = await rpc.submit()
            assert (await rpc.jobs.GetJob(GetJobRequest(job_id=small.job_id))).job.job_id == small.job_id

        async def is_empty() -> bool:
            return server.memory.responses.used == 0

        await eventually(is_empty)
        assert (await rpc.jobs.GetJob(request)).job.input == job.input
        await eventually(is_empty)


async def test_the_sdk_calls_again_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as the server says, within its timeout; beyond that it says which limit it is."""
    monkeypatch.setattr(call_memory, "RESPONSE_TIMEOUT", 0.01)
    monkeypatch.setattr(call_memory, "RETRY_DELAY", 0.05)
    async with serving() as server, Client(server.address, timeout=20) as client:
        job = await client.submit("k", {"text": "x" * 1_000_000}, dispatch=Dispatch.DISPATCH_EXTERNAL)
        server.memory.responses.charge(16 * _MIB)
        before = server.call_count
        getting = asyncio.create_task(client.get(job.job_id))

        async def was_called_again() -> bool:
            return server.call_count >= before + 2

        await eventually(was_called_again)
        server.memory.responses.release(16 * _MIB)
        assert (await getting).input == job.input
        server.memory.responses.charge(16 * _MIB)
        async with Client(server.address, timeout=0.2) as hasty:
            with pytest.raises(LimitReached) as raised:
                await hasty.get(job.job_id)
            assert raised.value.metadata == {"limit": "response-memory"}
        server.memory.responses.release(16 * _MIB)


async def until_reset(connection: Connection, count: int) -> None:
    """Wait until the server has reset so many streams."""

    async def are_reset() -> bool:
        return len(connection.reset) >= count

    await eventually(are_reset)
    await asyncio.sleep(0)
    assert len(connection.reset) == count
