"""Connect as the Connect project's own client for Python speaks it, beside gRPC, at a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    GetHistoryRequest,
    GetJobRequest,
    JobFilter,
    ListJobsRequest,
    RevokeSharesRequest,
    ShareJobRequest,
    SubmitJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
    WhoAmIRequest,
    job_service_pb2,
)
from tests.support.connect_client import CODECS, ConnectJobs
from tests.support.forking import Forkery
from tests.support.proxy import CuttableProxy
from tests.support.rpc import Rpc, connect, eventually
from tests.support.server import ServerProcess

METHODS = {method.name for method in job_service_pb2.DESCRIPTOR.services_by_name["JobService"].methods}


async def refused(call: Awaitable[Any]) -> ConnectError:
    """The error that a call ends with."""
    with pytest.raises(ConnectError) as raised:
        await call
    return raised.value


async def frames_of(watch: AsyncIterator[Any]) -> list[Any]:
    """All frames of a watch."""
    return [frame async for frame in watch]


def detail(error: ConnectError, message: Message) -> Any:
    """The detail of an error of this type."""
    name = message.DESCRIPTOR.full_name
    (found,) = (each for each in error.details if each.type_name == name)
    message.ParseFromString(found.message_bytes)
    return message


@pytest.mark.parametrize("codec", CODECS)
async def test_every_method(url: str, rpc: Rpc, codec: str) -> None:
    """Each does over Connect what it does over gRPC."""
    called = set()
    async with ConnectJobs(url, codec) as jobs:

        async def call(method: str, request: Message) -> Any:
            called.add(method)
            return await jobs.call(method, request)

        async def watched(method: str, request: Message) -> list[Any]:
            called.add(method)
            return await frames_of(jobs.watch(method, request))

        request = SubmitJobRequest(kind=rpc.kind, labels={"room": "blå"})
        request.input.update({"path": "a.wav", "deep": {"n": [1, 2.5, None]}})
        submitted = (await call("SubmitJob", request)).job
        job_id = submitted.job_id
        only = JobFilter(kinds=[rpc.kind])
        assert submitted == await rpc.get(job_id)
        assert (await call("GetJob", GetJobRequest(job_id=job_id))).job == submitted
        assert list((await call("ListJobs", ListJobsRequest(filter=only))).jobs) == [submitted]
        assert (await call("WhoAmI", WhoAmIRequest())).subject == "anonymous"
        assert (await call("GetHistory", GetHistoryRequest(kind=rpc.kind))).runs == 0
        shared = await call("ShareJob", ShareJobRequest(job_id=job_id, ttl=Duration(seconds=60)))
        assert shared.token.startswith("mps_")
        await call("RevokeShares", RevokeSharesRequest(job_id=job_id))
        cancelled = (await call("CancelJob", CancelJobRequest(job_id=job_id, reason="enough"))).job
        assert cancelled == await rpc.get(job_id)

        events = await rpc.log(job_id)
        opened, *frames = await watched("WatchJob", WatchJobRequest(job_id=job_id))
        assert opened.opened.epoch == submitted.epoch
        assert [event for frame in frames for event in frame.events.events] == events
        assert frames[-1].WhichOneof("frame") == "caught_up"
        frames = await watched("WatchJobs", WatchJobsRequest(filter=only, no_follow=True))
        assert [event for frame in frames for event in frame.events.events] == events

        await call("DeleteJob", DeleteJobRequest(job_id=job_id))
        error = await refused(jobs.call("GetJob", GetJobRequest(job_id=job_id)))
        assert detail(error, ErrorInfo()).reason == "JOB_NOT_FOUND"

    assert called == METHODS


@pytest.mark.parametrize("codec", CODECS)
async def test_a_refusal_has_its_reason_and_its_fields(url: str, codec: str) -> None:
    """In calls, and at the end of streams."""
    async with ConnectJobs(url, codec) as jobs:
        missing = await refused(jobs.call("GetJob", GetJobRequest(job_id="none")))
        unwatched = await refused(frames_of(jobs.watch("WatchJob", WatchJobRequest(job_id="none"))))
        wrong = await refused(jobs.call("SubmitJob", SubmitJobRequest(kind="not a kind")))
        ahead = await refused(frames_of(jobs.watch("WatchJobs", WatchJobsRequest(after_position=2**60))))

    assert (missing.code, unwatched.code, ahead.code) == (Code.NOT_FOUND, Code.NOT_FOUND, Code.OUT_OF_RANGE)
    assert missing.message == unwatched.message
    infos = [detail(error, ErrorInfo()) for error in (missing, unwatched, wrong, ahead)]
    assert [info.reason for info in infos] == [
        "JOB_NOT_FOUND",
        "JOB_NOT_FOUND",
        "INVALID_FIELD",
        "SEQUENCE_AHEAD",
    ]
    assert dict(infos[0].metadata) == {"job_id": "none"}
    assert wrong.code == Code.INVALID_ARGUMENT
    assert [each.field for each in detail(wrong, BadRequest()).field_violations] == ["kind"]


@pytest.mark.parametrize("codec", CODECS)
async def test_large_messages(url: str, rpc: Rpc, codec: str) -> None:
    """Inputs of near the limit come back whole; a larger request is refused with a reason."""
    async with ConnectJobs(url, codec) as jobs:
        request = SubmitJobRequest(kind=rpc.kind)
        request.input.update({"text": "ß" * 400_000})
        job = (await jobs.call("SubmitJob", request)).job
        first = await anext(
            frame
            async for frame in jobs.watch("WatchJob", WatchJobRequest(job_id=job.job_id, no_follow=True))
            if frame.HasField("events")
        )
        request.input.update({"text": "x" * (5 << 20)})
        refusal = await refused(jobs.call("SubmitJob", request))

    assert job.input["text"] == "ß" * 400_000
    assert first.events.events[0].job_submitted.job.input["text"] == "ß" * 400_000
    assert (refusal.code, detail(refusal, ErrorInfo()).reason) == (Code.INVALID_ARGUMENT, "TOO_LARGE")


async def test_a_live_watch(url: str, rpc: Rpc) -> None:
    """Events arrive as they happen, and the stream ends by itself with the job."""
    job = await rpc.submit()
    seen: list[str] = []
    caught_up = asyncio.Event()

    async def follow() -> None:
        async with ConnectJobs(url, "json") as jobs:
            async for frame in jobs.watch("WatchJob", WatchJobRequest(job_id=job.job_id)):
                seen.extend(event.WhichOneof("payload") for event in frame.events.events)
                if frame.HasField("caught_up"):
                    caught_up.set()

    following = asyncio.create_task(follow())
    await caught_up.wait()
    assert seen == ["job_submitted"]
    await rpc.cancel(job.job_id)
    await following

    assert seen == ["job_submitted", "cancel_requested", "job_ended"]


async def test_a_client_that_leaves_ends_its_watch(web_server: ServerProcess, rpc: Rpc) -> None:
    """At once, although nothing is sent to it: the server's log has the end of the call."""
    job = await rpc.submit()
    async with ConnectJobs(web_server.url, "proto") as jobs:
        watch = jobs.watch("WatchJob", WatchJobRequest(job_id=job.job_id))
        await anext(watch)
        await aclose(watch)

    async def has_ended() -> bool:
        return [
            line["code"] for line in web_server.log() if line.get("job_id") == job.job_id and is_watch(line)
        ] == ["CANCELLED"]

    await eventually(has_ended)


def is_watch(line: dict[str, Any]) -> bool:
    """Whether a line of the log is that of a watch."""
    return str(line.get("method", "")).endswith("/WatchJob")


async def aclose(watch: Any) -> None:
    """Leave a watch, as leaving a loop over it does."""
    await watch.aclose()


async def test_a_server_that_stops_says_so(tmp_path: Path, forkery: Forkery) -> None:
    """A watch ends with DRAINING, so that clients resume: neither as if it were complete, nor cut."""
    with ServerProcess(tmp_path / "data", forkery=forkery, http=True) as server:
        async with connect(server.address) as rpc, ConnectJobs(server.url, "proto") as jobs:
            job = await rpc.submit()
            watch = jobs.watch("WatchJob", WatchJobRequest(job_id=job.job_id))
            await anext(watch)
            stopping = asyncio.to_thread(server.stop)
            error, status = await asyncio.gather(refused(frames_of(watch)), stopping)

    assert (error.code, detail(error, ErrorInfo()).reason) == (Code.UNAVAILABLE, "DRAINING")
    assert status == 0


async def test_a_cut_stream_is_an_error(web_server: ServerProcess, rpc: Rpc) -> None:
    """A stream without its last envelope is an error to the client, however quietly the connection ends."""
    job = await rpc.submit()
    with CuttableProxy(web_server.url.removeprefix("http://")) as proxy:
        async with ConnectJobs(f"http://{proxy.address}", "proto") as jobs:
            watch = jobs.watch("WatchJob", WatchJobRequest(job_id=job.job_id))
            await anext(watch)
            proxy.cut()
            error = await refused(frames_of(watch))

    assert error.code in (Code.UNAVAILABLE, Code.INTERNAL)
