"""Undecodable and oversized messages at the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor

from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    GetJobRequest,
    Heartbeat,
    Hello,
    JobFilter,
    ListJobsRequest,
    LogWritten,
    ReportJobRequest,
    SubmitJobRequest,
    Update,
    WatchJobRequest,
    WorkRequest,
    WorkResponse,
    admin_service_pb2,
    job_service_pb2,
    worker_service_pb2,
)
from tests.support.refused import Refused, refused
from tests.support.rpc import Rpc

MALFORMED = Refused(
    "INVALID_ARGUMENT",
    "INVALID_FIELD",
    "milepost.v1",
    message="The request cannot be decoded. Send the message that the method takes; its texts are UTF-8.",
)

SERVICES = (
    job_service_pb2.DESCRIPTOR.services_by_name["JobService"],
    worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"],
    admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"],
)
METHODS = [method for service in SERVICES for method in service.methods]
SUBMIT = SERVICES[0].methods_by_name["SubmitJob"]
GET = SERVICES[0].methods_by_name["GetJob"]
WATCH = SERVICES[0].methods_by_name["WatchJob"]


def field(number: int, value: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """Encode a varint."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def nested_input(depth: int) -> bytes:
    """A submission with an input nested deeper than protobuf encodes or decodes."""
    value = b""
    for _ in range(depth):
        value = field(1, field(1, b"x") + field(2, field(5, value)))
    return field(3, b"k") + field(7, value)


async def raw(rpc: Rpc, method: MethodDescriptor, request: bytes) -> list[bytes]:
    """Call the method with these bytes; return the answer's bytes."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    channel: Any = rpc.channel

    async def one() -> AsyncIterator[bytes]:
        yield request

    if method.client_streaming:
        call = channel.stream_stream(path)(one())
    elif method.server_streaming:
        call = channel.unary_stream(path)(request)
    else:
        call = channel.unary_unary(path)(request)
        return [await call]
    return [response async for response in call]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_bytes_that_are_no_message_are_refused(rpc: Rpc, method: MethodDescriptor) -> None:
    """Every method refuses it with the same text, which reveals nothing about the server."""
    assert await refused(raw(rpc, method, b"\xff\xff\xff\xff")) == MALFORMED


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        (GET, field(1, b"\xff\xfe")),
        (GET, field(1, b"job")[:-1]),
        (GET, b"\x0b"),
        (SUBMIT, nested_input(200)),
        (SUBMIT, field(4, b"\xed\xa0\x80") + field(3, b"k")),
    ],
    ids=["not UTF-8", "cut short", "an open group", "too deep", "half a surrogate pair"],
)
async def test_nearly_messages_are_refused(rpc: Rpc, method: MethodDescriptor, request_: bytes) -> None:
    """Protobuf decodes none of these, and neither does the server."""
    assert await refused(raw(rpc, method, request_)) == MALFORMED


async def test_a_session_that_stutters_ends(rpc: Rpc) -> None:
    """Undecodable bytes end the session; everything before them was processed."""
    hello = WorkRequest(hello=Hello(worker_id="w")).SerializeToString()
    call: Any = rpc.channel.stream_stream("/milepost.v1.WorkerService/Work")()
    await call.write(hello)
    welcome = WorkResponse.FromString(await call.read())
    await call.write(b"\xff\xff\xff\xff")

    assert welcome.WhichOneof("message") == "welcome"
    assert await refused(call.read()) == MALFORMED


async def test_an_unknown_method_is_unimplemented(rpc: Rpc) -> None:
    """Perhaps of a newer version."""
    call: Any = rpc.channel.unary_unary("/milepost.v1.JobService/PauseJob")

    assert (await refused(call(b""))).code == "UNIMPLEMENTED"


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_a_request_over_4_mib_is_refused(rpc: Rpc, method: MethodDescriptor) -> None:
    """It is refused before it is decoded, with the limit; the server goes on."""
    refusal = await refused(raw(rpc, method, field(4, b"x" * 4 * 1024 * 1024)))

    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "TOO_LARGE")
    assert refusal.metadata == {"size": "4194309", "limit": "4194304"}
    assert [job.job_id for job in await _list(rpc)] == []


async def test_a_request_over_twice_4_mib_is_refused_by_grpc(rpc: Rpc) -> None:
    """Over gRPC's own limit the refusal has no reason."""
    refusal = await refused(raw(rpc, SUBMIT, field(4, b"x" * 8 * 1024 * 1024)))

    assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "")


async def test_an_update_that_cannot_be_decoded_is_refused_by_itself(rpc: Rpc) -> None:
    """In a session the rejection has its number, which is used up; the others are accepted, and the session goes on."""
    not_utf8 = field(11, field(3, b"caf\xe9"))
    lines = [Update(log_written=LogWritten(text=text)).SerializeToString() for text in ("before", "after")]
    call: Any = rpc.channel.stream_stream("/milepost.v1.WorkerService/Work")()
    job = await rpc.submit()
    await call.write(WorkRequest(hello=Hello(kinds=[rpc.kind], max_concurrency=1)).SerializeToString())
    assert WorkResponse.FromString(await call.read()).HasField("welcome")
    token = WorkResponse.FromString(await call.read()).assignment.lease_token

    head = field(1, job.job_id.encode()) + field(2, token.encode()) + b"\x18\x01"
    updates = [lines[0], not_utf8, lines[1]]
    await call.write(field(4, head + b"".join(field(4, update) for update in updates)))
    rejected = WorkResponse.FromString(await call.read()).rejected
    acknowledged = WorkResponse.FromString(await call.read()).acknowledged

    assert (rejected.job_id, rejected.field) == (job.job_id, "update")
    assert (rejected.report_sequence, rejected.expected_report_sequence) == (2, 4)
    assert "UTF-8" in rejected.message
    assert acknowledged.report_sequence == 3
    log = await rpc.log(job.job_id)
    assert [event.log_written.text for event in log if event.HasField("log_written")] == ["before", "after"]
    call.cancel()


async def test_a_report_without_a_session_names_the_update_that_cannot_be_decoded(rpc: Rpc) -> None:
    """The report is refused as a whole."""
    job = await rpc.submit()
    async with rpc.session() as session:
        _, token = await session.take()
        head = field(1, job.job_id.encode()) + field(2, token.encode()) + b"\x18\x01"
        line = Update(log_written=LogWritten(text="x")).SerializeToString()
        report = SERVICES[1].methods_by_name["ReportJob"]
        request = head + field(4, line) + field(4, field(11, field(3, b"\xff")))

        assert (await refused(raw(rpc, report, request))).brief == (
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
            ("updates[1].update",),
        )


async def test_a_refusal_arrives_whatever_it_quotes(rpc: Rpc) -> None:
    """Megabytes of invalid input do not make large headers, which gRPC would truncate."""
    emoji = "\U0001f600" * 10_000

    for request in (
        ListJobsRequest(order_by=emoji),
        ListJobsRequest(
            filter=JobFilter(kinds=["\U0001f600" * 200] * 100, job_ids=["\U0001f600" * 200] * 100)
        ),
        ListJobsRequest(filter=JobFilter(labels={f"{emoji}{number}": "" for number in range(50)})),
        ListJobsRequest(filter=JobFilter(kinds=["K"] * 1_000_000)),
    ):
        refusal = await refused(rpc.jobs.ListJobs(request))
        assert (refusal.code, refusal.domain) == ("INVALID_ARGUMENT", "milepost.v1")
        assert refusal.fields


async def test_fields_that_the_server_does_not_know_are_dropped(rpc: Rpc) -> None:
    """Nothing is stored without a check of its bounds."""
    job_id = f"{rpc.kind}-unknown"
    smuggled = field(1000, b"smuggled")
    artifact = Artifact(name="a", uri="file:///a").SerializeToString() + smuggled
    update = Update(artifact_added=ArtifactAdded(artifact=Artifact.FromString(artifact)))
    submission = SubmitJobRequest(job_id=job_id, kind=rpc.kind).SerializeToString() + smuggled
    stage = field(8, field(1, b"stage") + smuggled)

    async with rpc.session() as session:
        await raw(rpc, SUBMIT, submission + stage)
        _, token = await session.take()
        request = ReportJobRequest(
            job_id=job_id, lease_token=token, first_report_sequence=1, updates=[update]
        )
        assert b"smuggled" in request.SerializeToString()
        await rpc.workers.ReportJob(request)

    job = await raw(rpc, GET, GetJobRequest(job_id=job_id).SerializeToString())
    log = await raw(rpc, WATCH, WatchJobRequest(job_id=job_id, no_follow=True).SerializeToString())
    stored = b"".join([*job, *log])
    assert b"stage" in stored
    assert b"file:///a" in stored
    assert b"smuggled" not in stored


async def test_an_empty_message_ends_a_session(rpc: Rpc) -> None:
    """An empty or unknown message; a heartbeat is not empty."""
    async with rpc.session() as session:
        await session.send(heartbeat=Heartbeat())
        await session.send()
        refusal = await refused(session.call.read())

    assert refusal.brief == ("INVALID_ARGUMENT", "INVALID_FIELD", ("message",))


async def _list(rpc: Rpc) -> Any:
    response = await rpc.jobs.ListJobs(ListJobsRequest(filter=JobFilter(kinds=[rpc.kind])))
    return response.jobs
