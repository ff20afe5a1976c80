"""How much memory calls may use: of requests that arrive, and of responses that nobody reads."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
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
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import job_not_found
from milepost.server.budgets import response_room
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls import call_memory
from milepost.server.calls.call_memory import CallMemory
from milepost.server.rpc import work_stream
from milepost.server.runtime.server import Server, Settings
from milepost.server.service.jobs import Jobs
from milepost.v1 import (
    Claim,
    Dispatch,
    GetJobRequest,
    Hello,
    JobFilter,
    ReportJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
    WorkRequest,
    admin_service_pb2,
    job_service_pb2,
    worker_service_pb2,
)
from tests.support.refused import refused
from tests.support.rpc import connect, eventually, log_line

_MIB = 1 << 20
_REPORT_JOB = "/milepost.v1.WorkerService/ReportJob"
_WORK = "/milepost.v1.WorkerService/Work"
_GET_JOB = "/milepost.v1.JobService/GetJob"
_CHECK = "/grpc.health.v1.Health/Check"

FILES: tuple[Any, ...] = (job_service_pb2, worker_service_pb2, admin_service_pb2)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server in this process with the least memory for calls that it can be given: 8 MiB for one caller."""
    memory = 16 * _MIB
    settings = Settings(
        "127.0.0.1:0", None, health_address="127.0.0.1:0", request_memory=memory, response_memory=memory
    )
    server = Server(settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def paths() -> list[str]:
    """The methods of all services."""
    services = [service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()]
    return [f"/{service.full_name}/{method.name}" for service in services for method in service.methods]


async def ended(address: str, path: str) -> tuple[str, str]:
    """How a call without a request ends."""
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.stream_unary(path)(iter(()))
        refusal = await refused(call)
    return refusal.code, refusal.reason


@pytest.mark.parametrize("path", paths())
async def test_a_call_without_a_request_is_answered(path: str) -> None:
    """Whatever method it is of."""
    async with serving() as server:
        assert await ended(server.address, path) == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_a_health_check_without_a_request_is_answered() -> None:
    """At either port."""
    async with serving() as server:
        for address in (server.address, server.health_address):
            assert await ended(address, _CHECK) == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_a_request_that_never_arrives_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is refused, and the memory of what has arrived is released."""
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


def hold_loop(seconds: float) -> None:
    """Keep everybody waiting."""
    time.sleep(seconds)


async def test_a_server_that_is_busy_does_not_take_requests_for_slow() -> None:
    """While the event loop is held again and again, what has arrived is noticed late; without room it is received."""
    loop = asyncio.get_running_loop()
    memory = CallMemory(requests=_MIB).of("caller")
    passes = 0

    class Context:
        """Of a call whose request is noticed after many long passes of the event loop."""

        async def read(self) -> bytes:
            nonlocal passes
            begun = loop.time()
            while passes <= call_memory._CHECKS or loop.time() < begun + 2 * call_memory._ARRIVAL_GRACE:
                hold_loop(call_memory._ARRIVAL_GRACE / call_memory._CHECKS)
                await asyncio.sleep(0)
                passes += 1
            return b"request"

    context: Any = Context()
    data, charge = await memory.receive(context)
    assert (data, passes > call_memory._CHECKS) == (b"request", True)
    charge.release()


async def test_a_large_request_is_charged_while_it_is_handled() -> None:
    """Its memory is charged until the call ends."""
    async with serving() as server, connect(server.address) as rpc:
        request = ReportJobRequest(job_id="j" * (3 * _MIB))
        assert (await refused(rpc.workers.ReportJob(request))).code == "INVALID_ARGUMENT"
        assert server.memory.requests.used == 0


async def test_unread_responses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the caller is refused, with the option that it is; what is read is given back."""
    monkeypatch.setattr(response_room, "RESPONSE_TIMEOUT", 0.2)
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
    monkeypatch.setattr(response_room, "RESPONSE_TIMEOUT", 0.01)
    monkeypatch.setattr(response_room, "RETRY_DELAY", 0.05)
    async with serving() as server, Client(server.address, timeout=120) as client:
        job = await client.submit("k", {"text": "x" * 1_000_000}, dispatch=Dispatch.DISPATCH_EXTERNAL)
        await server.memory.responses.acquire(16 * _MIB)
        before = server.call_count
        getting = asyncio.create_task(client.get(job.job_id))

        async def was_called_again() -> bool:
            return server.call_count >= before + 2

        await eventually(was_called_again)
        server.memory.responses.release(16 * _MIB)
        assert (await getting).input == job.input
        await server.memory.responses.acquire(16 * _MIB)
        monkeypatch.setattr(response_room, "RETRY_DELAY", 600.0)
        async with Client(server.address, timeout=120) as hasty:
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


@pytest.mark.parametrize("many", [False, True])
async def test_unread_snapshots_are_bounded(monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    """Beyond the bound a watch is refused, which waits for room before; small responses go on."""
    monkeypatch.setattr(response_room, "RESPONSE_TIMEOUT", 0.2)
    async with serving() as server, connect(server.address) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, input={"text": "x" * 1_000_000})
        of_many = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), from_snapshot=True)
        of_one = WatchJobRequest(job_id=job.job_id, from_snapshot=True)
        method = "/milepost.v1.JobService/" + ("WatchJobs" if many else "WatchJob")
        request = (of_many if many else of_one).SerializeToString()
        async with Connection.open(server.address, [(INITIAL_WINDOW_SIZE, 1_000)]) as connection:
            for _ in range(5):
                stream = connection.new_stream()
                connection.write(HEADERS, END_HEADERS, stream, request_headers(method, server.address))
                connection.write(DATA, END_STREAM, stream, message(request))

            async def are_refused() -> bool:
                return len(connection.ended) >= 2

            await eventually(are_refused)
            # A caller has 8 MiB, large snapshots three quarters of it, and each counts twice.
            assert len(connection.ended) == 2
            assert 6_000_000 < server.memory.responses.used < 6 * _MIB
            small = await rpc.submit(kind="small")
            watch: Any = rpc.watch(small.job_id)
            assert [(await watch.read()).WhichOneof("frame") for _ in range(3)] == [
                "opened",
                "events",
                "caught_up",
            ]
            watch.cancel()

        async def is_empty() -> bool:
            return server.memory.responses.used == 0

        await eventually(is_empty)
        call: Any = rpc.jobs.WatchJobs(of_many) if many else rpc.jobs.WatchJob(of_one)
        assert (await call.read()).WhichOneof("frame") == "opened"
        assert (await call.read()).snapshot.job.job_id == job.job_id
        await eventually(is_empty)


async def test_assignments_to_a_worker_that_does_not_read_are_bounded() -> None:
    """It is assigned no more than its share; others go on, and another one gets its jobs once it has left."""
    async with serving() as server, connect(server.address) as rpc:
        jobs = [(await rpc.submit(input={"text": "x" * 600_000})).job_id for _ in range(8)]
        async with worker(server, rpc.kind, capacity=100):
            # A session has 8 MiB, large assignments three quarters of it, and each counts twice.
            async def is_full() -> bool:
                return server.memory.responses.used > 4_800_000

            await eventually(is_full)
            assert server.memory.responses.used < 6 * _MIB
            async with rpc.session(kinds=["other"]) as other:
                small = await rpc.submit(kind="other")
                assert (await other.take())[0].job_id == small.job_id
            assert server.memory.responses.used < 6 * _MIB
        # The leases of those that were sent go on; the others are back in the queue at once.
        async with rpc.session() as reading:
            taken = [(await reading.take())[0].job_id for _ in range(3)]
            assert sorted(taken) == sorted(jobs[5:])

        async def is_empty() -> bool:
            return server.memory.responses.used == 0

        await eventually(is_empty)


async def test_reports_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the share of its session the server reads no more of a worker; nothing of it is lost."""
    async with serving() as server, connect(server.address) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with rpc.session(kinds=[]) as session:
            await session.send(claim=Claim(job_id=job.job_id))
            _, token = await session.take()
            held = [server.memory.requests.used]
            charge = ByteBudget.try_acquire

            def noted(budget: ByteBudget, size: int) -> bool:
                granted = charge(budget, size)
                held.append(server.memory.requests.used)
                return granted

            monkeypatch.setattr(ByteBudget, "try_acquire", noted)
            for number in range(10):
                lines = [log_line("x" * 60_000)] * 30
                await session.report(job.job_id, token, number * 30 + 1, *lines)
            await session.acknowledged(300)
        assert len(await rpc.log(job.job_id)) == 302
        # Large reports have three quarters of the 8 MiB of a caller.
        assert 1_800_000 < max(held) <= 6 * _MIB

        async def is_empty() -> bool:
            return server.memory.requests.used == 0

        await eventually(is_empty)


async def test_a_silent_session_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if it has sent a part of a message, whose memory is released."""
    monkeypatch.setattr(work_stream, "SILENCE_TIMEOUT", 0.3)
    monkeypatch.setattr(work_stream, "SILENT_LEASES", 0)
    async with serving() as server, connect(server.address) as rpc:
        async with rpc.session() as silent:
            refusal = await refused(silent.call.read())
            assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "LIMIT_REACHED")
            assert refusal.retry_delay
        async with worker(server, "k", capacity=1) as (connection, stream):
            await connection.send(stream, message(b"x" * 1_000, 4 * _MIB))
            await until_reset(connection, 1)


@asynccontextmanager
async def worker(server: Server, kind: str, capacity: int) -> AsyncIterator[tuple[Connection, int]]:
    """A session of a worker that lets the server send 1,000 bytes and no more."""
    async with Connection.open(server.address, [(INITIAL_WINDOW_SIZE, 1_000)]) as connection:
        stream = connection.new_stream()
        connection.write(HEADERS, END_HEADERS, stream, request_headers(_WORK, server.address))
        hello = WorkRequest(hello=Hello(worker_id="w", kinds=[kind], max_concurrency=capacity))
        await connection.send(stream, message(hello.SerializeToString()))
        yield connection, stream


class _Held:
    """Stands for what a call holds."""


async def test_a_refused_call_leaves_nothing_to_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What its functions held is free at once, as the budgets count nothing of it any more."""
    held: list[weakref.ref[_Held]] = []

    async def refuse(self: Jobs, principal: Principal, request: GetJobRequest, caller: str) -> None:
        here = _Held()
        held.append(weakref.ref(here))
        try:
            raise ValueError(str(here))
        except ValueError as error:
            raise job_not_found(request.job_id) from error

    monkeypatch.setattr(Jobs, "get", refuse)
    async with serving() as server, connect(server.address) as rpc:
        gc.disable()
        try:
            assert (await refused(rpc.jobs.GetJob(GetJobRequest(job_id="j")))).code == "NOT_FOUND"

            async def is_free() -> bool:
                return held[0]() is None

            await eventually(is_free)
        finally:
            gc.enable()
