"""What a stream or a call held is free once that has ended, without the garbage collector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, TypeAlias

import grpc.aio
import httpx
import pytest

from milepost.server.base.refusal import Refusal
from milepost.server.budgets.byte_budget import ByteBudget, Charge
from milepost.server.calls.call_record import CallRecord
from milepost.server.dispatch.worker_session import Session
from milepost.server.rpc import interceptor
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.runtime.server import Server
from milepost.server.watching.job_stream import JobStream
from milepost.server.watching.jobs_stream import JobsStream
from milepost.v1 import (
    Claim,
    Dispatch,
    GetJobRequest,
    JobFilter,
    LogWritten,
    Release,
    Update,
    WatchJobRequest,
    WatchJobsRequest,
    WorkRequest,
)
from milepost.web.service import ServiceError
from tests.support.http_watch import http_client
from tests.support.instances import instances
from tests.support.refused import refused
from tests.support.rpc import Rpc, connect, eventually

Follow: TypeAlias = Callable[[Server, Rpc, str], Awaitable[None]]


async def watch_job(server: Server, rpc: Rpc, job_id: str) -> None:
    """Watch a job, until it is caught up, and leave."""
    await _read_and_cancel(rpc.jobs.WatchJob(WatchJobRequest(job_id=job_id)))


async def watch_jobs(server: Server, rpc: Rpc, job_id: str) -> None:
    """Watch several jobs, until they are caught up, and leave."""
    await _read_and_cancel(rpc.jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(job_ids=[job_id]))))


async def watch_job_over_http(server: Server, rpc: Rpc, job_id: str) -> None:
    """Watch a job as a browser does, and leave."""
    async with http_client(server.http) as http:
        headers = {"accept": "text/event-stream"}
        async with http.stream("GET", f"/v1/jobs/{job_id}:watch", headers=headers) as response:
            async for line in response.aiter_lines():
                if "caught_up" in line:
                    return


async def watch_past_a_gap_over_http(server: Server, rpc: Rpc, job_id: str) -> None:
    """Come back to another epoch, which a gap and a snapshot answer, and leave."""
    names = []
    async with http_client(server.http) as http:
        headers = {"accept": "text/event-stream", "last-event-id": "another:1"}
        async with http.stream("GET", f"/v1/jobs/{job_id}:watch", headers=headers) as response:
            async for line in response.aiter_lines():
                names.append(line.removeprefix("event: "))
                if "caught_up" in line:
                    break
    assert "gap" in names


async def watch_at_the_head_over_http(server: Server, rpc: Rpc, job_id: str) -> None:
    """Ask for what is new, where nothing is: sending ends the watch."""
    job = await rpc.get(job_id)
    async with http_client(server.http) as http:
        answer = await http.get(
            f"/v1/jobs/{job_id}:watch?no_follow=true",
            headers={"accept": "text/event-stream", "last-event-id": f"{job.epoch}:{job.last_sequence}"},
        )
    assert answer.status_code == httpx.codes.NO_CONTENT


async def get(server: Server, rpc: Rpc, job_id: str) -> None:
    """Get a job."""
    await rpc.get(job_id)


async def get_a_missing_job(server: Server, rpc: Rpc, job_id: str) -> None:
    """Over gRPC."""
    assert (await refused(rpc.jobs.GetJob(GetJobRequest(job_id="missing")))).code == "NOT_FOUND"


async def send_much_metadata(server: Server, rpc: Rpc, job_id: str) -> None:
    """As before the client has learned of core's limit, which is the same: the server refuses the call by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interceptor, "METADATA_SIZE", 0)
        answer = await refused(rpc.jobs.GetJob(GetJobRequest(job_id=job_id)))
    assert answer.metadata == {"limit": "metadata"}


async def send_no_hello(server: Server, rpc: Rpc, job_id: str) -> None:
    """Open a session with another message than the first."""
    call = rpc.workers.Work()
    await call.write(WorkRequest())
    assert (await refused(call.read())).code == "INVALID_ARGUMENT"


async def reflect_on_nothing(server: Server, rpc: Rpc, job_id: str) -> None:
    """Ask for reflection, in bytes that are no message."""
    call: grpc.aio.StreamStreamCall[bytes, bytes] = rpc.channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", lambda data: data
    )(iter([b"\xff"]))
    assert (await refused(call.read())).code == "INVALID_ARGUMENT"


async def watch_a_missing_job_over_http(server: Server, rpc: Rpc, job_id: str) -> None:
    """As a browser does."""
    async with http_client(server.http) as http:
        answer = await http.get("/v1/jobs/missing:watch", headers={"accept": "text/event-stream"})
    assert answer.status_code == httpx.codes.NOT_FOUND


async def ask_for_a_missing_job(server: Server, rpc: Rpc, job_id: str) -> None:
    """By Connect."""
    await _refused_by_connect(server, b'{"job_id":"missing"}', "json", httpx.codes.NOT_FOUND)


async def send_a_malformed_request(server: Server, rpc: Rpc, job_id: str) -> None:
    """By Connect, as bytes that are no message."""
    await _refused_by_connect(server, b"\xff", "proto", httpx.codes.BAD_REQUEST)


async def _refused_by_connect(server: Server, body: bytes, codec: str, code: int) -> None:
    async with http_client(server.http) as http:
        headers = {"content-type": f"application/{codec}"}
        answer = await http.post("/milepost.v1.JobService/GetJob", content=body, headers=headers)
    assert answer.status_code == code


async def claim_in_vain(server: Server, rpc: Rpc, job_id: str) -> None:
    """Claim a job that has ended, and leave."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    await rpc.cancel(job.job_id)
    async with rpc.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=job.job_id))
        await session.receive("rejected")


async def work(server: Server, rpc: Rpc, job_id: str) -> None:
    """Take the job, and leave."""
    async with rpc.session(kinds=["k"]) as session:
        await session.take()


async def report_what_does_not_fit(server: Server, rpc: Rpc, job_id: str) -> None:
    """Report a line of a stage that the job does not have: the report is accepted without it."""
    async with rpc.session(kinds=["k"]) as session:
        job, token = await session.take()
        line = LogWritten(text="hello", stage_id="missing")
        await session.report(job.job_id, token, 1, Update(log_written=line))
        await session.receive("rejected")


async def lose(server: Server, rpc: Rpc, job_id: str) -> None:
    """Watch a job, and be gone when the first response is sent."""
    async with _failing_to_send():
        call = rpc.jobs.WatchJob(WatchJobRequest(job_id=job_id))
    call.cancel()


async def lose_worker(server: Server, rpc: Rpc, job_id: str) -> None:
    """Take the job, and be gone when the next response is sent."""
    async with rpc.session(kinds=["k"]) as session:
        await session.take()
        async with _failing_to_send():
            await session.send(release=Release(job_id="not-held"))


@asynccontextmanager
async def _failing_to_send() -> AsyncIterator[None]:
    """Wait at the end until a response could not be sent, as where gRPC learns of that before it cancels the call."""
    failed = asyncio.Event()

    async def fail(writer: ResponseWriter, response: object) -> None:
        failed.set()
        raise import_module("grpc._cython.cygrpc").ExecuteBatchError("the client has gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResponseWriter, "__call__", fail)
        yield
        await failed.wait()


async def _read_and_cancel(call: grpc.aio.UnaryStreamCall[Any, Any]) -> None:
    async for frame in call:
        if "caught_up" in str(frame):
            call.cancel()
            return
    raise AssertionError("the watch ended before it had caught up")


@pytest.mark.parametrize(
    ("follow", "kind"),
    [
        (watch_job, JobStream),
        (watch_jobs, JobsStream),
        (watch_job_over_http, JobStream),
        (watch_past_a_gap_over_http, JobStream),
        (watch_at_the_head_over_http, JobStream),
        (work, Session),
        (lose, JobStream),
        (lose_worker, Session),
        (claim_in_vain, Session),
        (ask_for_a_missing_job, ServiceError),
        (send_a_malformed_request, Refusal),
        (watch_a_missing_job_over_http, JobStream),
        (get, Charge),
        (get_a_missing_job, CallRecord),
        (send_much_metadata, CallRecord),
        (send_no_hello, CallRecord),
        (reflect_on_nothing, CallRecord),
        (work, ByteBudget),
        (report_what_does_not_fit, Refusal),
    ],
)
async def test_what_has_ended_is_free(
    memory_server: Server, no_collector: None, follow: Follow, kind: type[object]
) -> None:
    """Thousands of streams that are left at once would otherwise hold their memory until the next full collection.

    So would the requests of refused calls, which the budgets of memory count no more.
    """
    async with connect(memory_server.address) as rpc:
        job = await rpc.submit(kind="k")
        # What another test of this process has left is not this one's.
        before = {id(each): each for each in instances(kind)}
        await follow(memory_server, rpc, job.job_id)

        async def are_free() -> bool:
            return all(id(each) in before for each in instances(kind))

        await eventually(are_free)
