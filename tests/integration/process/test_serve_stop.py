"""``milepost serve`` stops gracefully: it ends all streams with a status, and loses nothing acknowledged."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from milepost.server.runtime import server as serving
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import (
    Dispatch,
    GetJobRequest,
    JobState,
    ReportJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
)
from tests.support.refused import refused
from tests.support.rpc import Rpc, StreamEnded, WorkSession, connect, log_line, succeeded
from tests.support.server import ServerProcess

DRAINING = ("UNAVAILABLE", "DRAINING", ())

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def stopped(server: ServerProcess) -> int:
    """Send SIGTERM; return the exit status."""
    return await asyncio.to_thread(server.stop)


async def until_caught_up(call: Any) -> None:
    """Read a watch until it has caught up."""
    while (await call.read()).WhichOneof("frame") != "caught_up":
        pass


async def rest(call: Any) -> list[Any]:
    """Read the rest of a stream."""
    frames = []
    while (frame := await call.read()) is not grpc.aio.EOF:
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("expected", "service"),
    [
        ([SERVING, NOT_SERVING], ""),
        ([SERVING, NOT_SERVING], "milepost.v1.JobService"),
        ([SERVICE_UNKNOWN], "milepost.v2.JobService"),
    ],
)
async def test_watches_of_health_end_when_the_server_stops(
    expected: list[int], service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First that it is not serving, so that nobody new is sent here, then that it is over; nobody waits for them.

    If somebody did, it would be for an hour.
    """
    monkeypatch.setattr(serving, "_STOP_GRACE", 3600.0)
    server = Server(Settings("127.0.0.1:0", tmp_path / "data"))
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=service))
        statuses = [(await watch.read()).status]
        stopping = asyncio.ensure_future(server.stop())
        while len(statuses) < len(expected):
            statuses.append((await watch.read()).status)
        refusal = await refused(watch.read())
        await stopping

    assert (refusal.brief, statuses) == (DRAINING, expected)


async def test_open_reflection_streams_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not wait for an open reflection stream, as tools hold it that show services."""
    monkeypatch.setattr(serving, "_STOP_GRACE", 3600.0)
    server = Server(Settings("127.0.0.1:0", tmp_path / "data"))
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        asking: Any = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        stream = asking()
        for _ in range(2):
            await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            assert (await stream.read()).list_services_response.service
        stopping = asyncio.ensure_future(server.stop())
        refusal = await refused(stream.read())
        await stopping

    assert refusal.brief == DRAINING


async def test_open_watches_are_ended_with_draining(server: ServerProcess) -> None:
    """Rule 6: watches end with UNAVAILABLE, since OK would mean the end of the job, and with a retry delay."""
    async with connect(server.address) as rpc:
        job = await rpc.submit()
        calls = [
            rpc.jobs.WatchJob(WatchJobRequest(job_id=job.job_id)),
            rpc.jobs.WatchJob(WatchJobRequest(job_id=job.job_id, from_latest=True)),
            rpc.jobs.WatchJobs(WatchJobsRequest()),
        ]
        for call in calls:
            await until_caught_up(call)
        stopping = asyncio.ensure_future(stopped(server))
        refusals = await asyncio.gather(*(refused(rest(call)) for call in calls))

        assert [refusal.brief for refusal in refusals] == [DRAINING] * 3
        assert all(refusal.retry_delay for refusal in refusals)
        assert await stopping == 0


async def test_sessions_are_drained(server: ServerProcess) -> None:
    """Sessions get `drain`, then end; workers keep their jobs."""
    async with connect(server.address) as rpc, rpc.session() as session:
        await rpc.submit()
        job, _ = await session.take()
        stopping = asyncio.ensure_future(stopped(server))
        await session.receive("drain")
        refusal = await refused(session.call.read())
        assert (refusal.brief, await stopping) == (DRAINING, 0)

    server.restart()
    async with connect(server.address) as rpc:
        found = (await rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job
    assert (found.state, found.attempt) == (JobState.JOB_STATE_RUNNING, 1)


async def test_a_silent_session_is_ended(server: ServerProcess) -> None:
    """The server does not wait for it."""
    async with connect(server.address) as rpc:
        call = rpc.workers.Work()
        await call.wait_for_connection()
        await rpc.submit()  # after which the server has heard of the session, too
        stopping = asyncio.ensure_future(stopped(server))
        refusal = await refused(call.read())

        assert (refusal.brief, await stopping) == (DRAINING, 0)


class Reporting:
    """Report as fast as possible until the session ends."""

    def __init__(self, job_id: str, token: str, session: WorkSession) -> None:
        self.job_id = job_id
        self._token = token
        self._session = session
        self.acknowledged = 0

    async def write(self) -> None:
        """Send one log line after the other without waiting for acknowledgements."""
        number = 0
        try:
            while True:
                number += 1
                await self._session.report(self.job_id, self._token, number, log_line(str(number)))
        except (grpc.aio.AioRpcError, StreamEnded):
            return  # the server has ended the stream

    async def read(self) -> None:
        """Count the acknowledged reports."""
        while True:
            try:
                response = await self._session.call.read()
            except grpc.aio.AioRpcError:
                return  # the server has ended the stream
            if response.HasField("acknowledged"):
                self.acknowledged = response.acknowledged.report_sequence


async def test_acknowledged_reports_survive_a_stop_under_load(server: ServerProcess) -> None:
    """Rule 12: every report that was acknowledged before a stop under load is in the log."""
    async with connect(server.address) as rpc, rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        worker = Reporting(job.job_id, token, session)
        writing = asyncio.ensure_future(worker.write())
        reading = asyncio.ensure_future(worker.read())
        subscriber = rpc.watch(job.job_id)
        seen = 0
        async for frame in subscriber:
            seen += len(frame.events.events)
            if seen > 200 and worker.acknowledged > 0:
                break
        status = await stopped(server)
        await asyncio.gather(reading, writing)
    # A client of grpc.aio that is writing at that moment may get a write error instead of the status.
    (line,) = [line for line in server.log() if line["event"] == "call" and line["method"].endswith("/Work")]
    assert (line["code"], line["reason"], status) == ("UNAVAILABLE", "DRAINING", 0)

    server.restart()
    async with connect(server.address) as rpc:
        lines = [
            event.log_written.text for event in await rpc.log(job.job_id) if event.HasField("log_written")
        ]
        assert lines == [str(number) for number in range(1, len(lines) + 1)]
        assert len(lines) >= worker.acknowledged > 0
        end = ReportJobRequest(
            job_id=job.job_id, lease_token=token, first_report_sequence=len(lines) + 1, updates=[succeeded()]
        )
        assert (await rpc.workers.ReportJob(end)).report_sequence == len(lines) + 1


async def test_calls_under_way_are_answered(server: ServerProcess) -> None:
    """Each submission that was accepted just before a stop is in the log."""
    async with connect(server.address) as rpc:
        submitting = [asyncio.ensure_future(accepted(rpc)) for _ in range(100)]
        await asyncio.wait(submitting, return_when=asyncio.FIRST_COMPLETED)
        assert await stopped(server) == 0
        ids = [job_id for job_id in await asyncio.gather(*submitting) if job_id]
    assert ids

    server.restart()
    async with connect(server.address) as rpc:
        for job_id in ids:
            assert job_id == (await rpc.jobs.GetJob(GetJobRequest(job_id=job_id))).job.job_id


async def accepted(rpc: Rpc) -> str:
    """Submit a job; return its id, or None if the server was gone."""
    try:
        return (await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:
            raise
        return ""


async def test_a_store_that_fails_ends_the_server(server: ServerProcess) -> None:
    """The server logs it and exits with an error; after a restart it reads the store again."""
    server.expected_fault = "no such table: log"  # it may still be reading past runs
    async with connect(server.address) as rpc:
        with closing(sqlite3.connect(server.data / "milepost.db")) as database:
            database.execute("ALTER TABLE log RENAME TO elsewhere")
        refusal = await refused(rpc.submit())
        status = await asyncio.to_thread(server.wait)
    assert refusal.brief == ("UNAVAILABLE", "STORE_UNAVAILABLE", ())
    assert refusal.retry_delay
    assert status == 1
    assert server.log_path.read_text().splitlines()[-1].startswith("Error: ")
