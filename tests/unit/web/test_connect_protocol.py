"""The Connect protocol over HTTP, with a backend that answers what the test says."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from milepost.v1 import (
    CaughtUp,
    Events,
    GetJobRequest,
    GetJobResponse,
    Job,
    Opened,
    WatchJobRequest,
    WatchJobResponse,
)
from milepost.web.app import web_app
from milepost.web.http_errors import service_error
from milepost.web.request_body import BODY_SIZE
from milepost.web.service import ServiceError
from tests.support.app_server import serving
from tests.support.http_watch import http_client
from tests.support.rotating import until
from tests.support.scripted_jobs import ScriptedJobs

GET_JOB = "/milepost.v1.JobService/GetJob"
WATCH_JOB = "/milepost.v1.JobService/WatchJob"
FRAMES = [
    WatchJobResponse(opened=Opened(epoch="e", head_sequence=7)),
    WatchJobResponse(events=Events(position=3)),
    WatchJobResponse(caught_up=CaughtUp(sequence=7)),
]


@asynccontextmanager
async def client_of(jobs: ScriptedJobs) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the backend; yield a client of it."""
    async with serving(web_app(jobs)) as url, http_client(url) as client:
        yield client


def enveloped(message: bytes, flags: int = 0) -> bytes:
    """A message in its envelope."""
    return struct.pack(">BI", flags, len(message)) + message


def envelopes(body: bytes) -> list[tuple[int, bytes]]:
    """The flags and messages of a body, whole."""
    found = []
    position = 0
    while position < len(body):
        flags, length = struct.unpack_from(">BI", body, position)
        position += 5
        assert len(body) >= position + length
        found.append((flags, body[position : position + length]))
        position += length
    return found


def refusal(code: int = code_pb2.NOT_FOUND) -> ServiceError:
    """An error with a reason."""
    return service_error(code, "There is none: ß.", reason="JOB_NOT_FOUND", metadata={"job_id": "j"})


def kind(codec: str, *, streaming: bool) -> dict[str, str]:
    """The header that names the codec."""
    return {"content-type": f"application/{'connect+' if streaming else ''}{codec}"}


async def test_a_call_in_binary_and_in_json() -> None:
    """Bodies are messages; fields that the server does not know are ignored, since a client may be newer."""
    jobs = ScriptedJobs(GetJobResponse(job=Job(job_id="j", last_sequence=2**60)))
    async with client_of(jobs) as client:
        binary = await client.post(
            GET_JOB,
            content=GetJobRequest(job_id="j").SerializeToString() + b"\xf8\x07\x01",
            headers=kind("proto", streaming=False),
        )
        text = await client.post(
            GET_JOB,
            content=b'{"jobId": "j", "fromTheFuture": 1}',
            headers={"content-type": "application/json; charset=utf-8", "connect-protocol-version": "1"},
        )

    assert (binary.status_code, binary.headers["content-type"]) == (200, "application/proto")
    assert GetJobResponse.FromString(binary.content) == jobs.answer
    assert (text.status_code, text.headers["content-type"]) == (200, "application/json")
    assert text.json() == {"job": {"jobId": "j", "lastSequence": str(2**60)}}
    assert {binary.headers["cache-control"], text.headers["cache-control"]} == {"no-store"}
    assert [request.job_id for request in jobs.requests] == ["j", "j"]


CODES = [
    (code_pb2.CANCELLED, 499, "canceled"),
    (code_pb2.UNKNOWN, 500, "unknown"),
    (code_pb2.INVALID_ARGUMENT, 400, "invalid_argument"),
    (code_pb2.DEADLINE_EXCEEDED, 504, "deadline_exceeded"),
    (code_pb2.NOT_FOUND, 404, "not_found"),
    (code_pb2.ALREADY_EXISTS, 409, "already_exists"),
    (code_pb2.PERMISSION_DENIED, 403, "permission_denied"),
    (code_pb2.RESOURCE_EXHAUSTED, 429, "resource_exhausted"),
    (code_pb2.FAILED_PRECONDITION, 400, "failed_precondition"),
    (code_pb2.ABORTED, 409, "aborted"),
    (code_pb2.OUT_OF_RANGE, 400, "out_of_range"),
    (code_pb2.UNIMPLEMENTED, 501, "unimplemented"),
    (code_pb2.INTERNAL, 500, "internal"),
    (code_pb2.UNAVAILABLE, 503, "unavailable"),
    (code_pb2.DATA_LOSS, 500, "data_loss"),
    (code_pb2.UNAUTHENTICATED, 401, "unauthenticated"),
]


async def test_an_error_has_its_code_and_its_details() -> None:
    """As the protocol has them: the code as text, details in base64 without padding, and readable beside it."""
    jobs = ScriptedJobs()
    async with client_of(jobs) as client:
        for code, http_code, name in CODES:
            jobs.error = refusal(code)
            response = await client.post(GET_JOB, content=b"{}", headers=kind("json", streaming=False))
            streamed = await client.post(
                WATCH_JOB, content=enveloped(b"{}"), headers=kind("json", streaming=True)
            )

            error = response.json()
            (detail,) = error["details"]
            assert (response.status_code, error["code"], error["message"]) == (
                http_code,
                name,
                "There is none: ß.",
            )
            assert detail["type"] == "google.rpc.ErrorInfo"
            info = ErrorInfo.FromString(base64.b64decode(detail["value"] + "=="))
            assert (info.reason, dict(info.metadata)) == ("JOB_NOT_FOUND", {"job_id": "j"})
            assert "=" not in detail["value"]
            assert detail["debug"]["reason"] == "JOB_NOT_FOUND"
            # A stream has begun by then: its end says why.
            assert streamed.status_code == 200
            assert [(flags, json.loads(end)) for flags, end in envelopes(streamed.content)] == [
                (2, {"error": error})
            ]


@pytest.mark.parametrize("codec", ["proto", "json"])
async def test_a_stream_and_its_end(codec: str) -> None:
    """Frames pass through the binary codec as they are; the last envelope says that the stream is complete."""
    jobs = ScriptedJobs(frames=FRAMES)
    jobs.stays_open = False
    request = WatchJobRequest(job_id="j")
    message = request.SerializeToString() if codec == "proto" else b'{"jobId": "j"}'
    async with client_of(jobs) as client:
        response = await client.post(
            WATCH_JOB, content=enveloped(message), headers=kind(codec, streaming=True)
        )

    *frames, end = envelopes(response.content)
    assert response.headers["content-type"] == f"application/connect+{codec}"
    assert response.headers["cache-control"] == "no-store, no-transform"
    assert end == (2, b"{}")
    assert [flags for flags, _ in frames] == [0, 0, 0]
    if codec == "proto":
        assert [frame for _, frame in frames] == [frame.SerializeToString() for frame in FRAMES]
    else:
        assert [json.loads(frame) for _, frame in frames] == [
            {"opened": {"epoch": "e", "headSequence": "7"}},
            {"events": {"position": "3"}},
            {"caughtUp": {"sequence": "7"}},
        ]


async def test_what_fails_after_frames_is_no_end() -> None:
    """The frames arrive, and then the reason, such as that the server is draining: a client resumes."""
    jobs = ScriptedJobs(frames=FRAMES, error=refusal(code_pb2.UNAVAILABLE))
    async with client_of(jobs) as client:
        response = await client.post(WATCH_JOB, content=enveloped(b""), headers=kind("proto", streaming=True))

    *frames, (flags, end) = envelopes(response.content)
    assert [WatchJobResponse.FromString(frame) for _, frame in frames] == FRAMES
    assert (flags, json.loads(end)["error"]["code"]) == (2, "unavailable")


async def test_the_timeout_of_a_call() -> None:
    """Ends a call, and a stream after its frames."""
    jobs = ScriptedJobs(frames=FRAMES)
    jobs.delay = 60.0
    async with client_of(jobs) as client:
        response = await client.post(
            GET_JOB,
            content=b"{}",
            headers={**kind("json", streaming=False), "connect-timeout-ms": "20"},
        )
        streamed = await client.post(
            WATCH_JOB,
            content=enveloped(b"{}"),
            headers={**kind("json", streaming=True), "connect-timeout-ms": "20"},
        )

    expected = {"code": "deadline_exceeded", "message": "The call took longer than its timeout of 0.02 s."}
    assert (response.status_code, response.json()) == (504, expected)
    assert json.loads(envelopes(streamed.content)[-1][1]) == {"error": expected}
    assert jobs.watching == 0


async def test_what_the_protocol_does_not_have() -> None:
    """Other verbs, other content types (a stream is none of a unary call), and other methods."""
    async with client_of(ScriptedJobs()) as client:
        verb = await client.get(GET_JOB)
        unary_kind = await client.post(WATCH_JOB, content=b"{}", headers=kind("json", streaming=False))
        stream_kind = await client.post(GET_JOB, content=b"{}", headers=kind("json", streaming=True))
        no_kind = await client.post(GET_JOB, content=b"{}")
        method = await client.post("/milepost.v1.JobService/Fly", headers=kind("json", streaming=False))

    assert (verb.status_code, verb.headers["allow"]) == (405, "POST")
    streams = "application/connect+proto, application/connect+json"
    assert (unary_kind.status_code, unary_kind.headers["accept-post"]) == (415, streams)
    assert (stream_kind.status_code, no_kind.status_code) == (415, 415)
    assert stream_kind.headers["accept-post"] == "application/proto, application/json"
    assert method.status_code == 404


WRONG_HEADERS: list[tuple[dict[str, str], str, str]] = [
    ({"connect-protocol-version": "2"}, "invalid_argument", "version 1"),
    ({"connect-timeout-ms": "-1"}, "invalid_argument", "ten digits"),
    ({"connect-timeout-ms": "1_000"}, "invalid_argument", "ten digits"),
    ({"connect-timeout-ms": "12345678901"}, "invalid_argument", "ten digits"),
    ({"content-encoding": "br", "connect-content-encoding": "br"}, "unimplemented", "identity, gzip"),
]


async def test_headers_that_ask_for_what_there_is_not() -> None:
    """Are refused, in both kinds of calls, with what there is."""
    jobs = ScriptedJobs()
    async with client_of(jobs) as client:
        for headers, code, said in WRONG_HEADERS:
            response = await client.post(
                GET_JOB, content=b"{}", headers={**kind("json", streaming=False), **headers}
            )
            streamed = await client.post(
                WATCH_JOB, content=enveloped(b"{}"), headers={**kind("json", streaming=True), **headers}
            )

            errors = [response.json(), json.loads(envelopes(streamed.content)[-1][1])["error"]]
            assert [error["code"] for error in errors] == [code, code]
            assert [said in error["message"] for error in errors] == [True, True]

    assert jobs.requests == []


MALFORMED = [
    b"",
    b"\x00\x00",
    enveloped(b"{}")[:-1],
    enveloped(b"{}") + b"\x00",
    enveloped(b"{}") * 2,
    enveloped(b"{}", 2),
    enveloped(gzip.compress(b"{}"), 1),
    enveloped(b"[]"),
    enveloped(b'{"jobId": 7}'),
    enveloped(b"[" * 100_000),
    enveloped(b'{"filter":' * 5000 + b"1" + b"}" * 5000),
    enveloped(b"\xff\xfe"),
]


async def test_a_malformed_request_is_an_invalid_argument() -> None:
    """None, two, a part of one, flags that there are not, or no message of the method."""
    async with client_of(ScriptedJobs()) as client:
        for body in MALFORMED:
            response = await client.post(WATCH_JOB, content=body, headers=kind("json", streaming=True))

            ((flags, end),) = envelopes(response.content)
            assert (flags, json.loads(end)["error"]["code"]) == (2, "invalid_argument")


@pytest.mark.parametrize("codec", ["proto", "json"])
async def test_a_compressed_request(codec: str) -> None:
    """Clients may compress requests with gzip; what is inflated counts as arrived."""
    jobs = ScriptedJobs(GetJobResponse(), frames=FRAMES, error=refusal())
    message: Message = GetJobRequest(job_id="j" * 10_000)
    body = message.SerializeToString() if codec == "proto" else b'{"jobId": "%s"}' % (b"j" * 10_000)
    async with client_of(jobs) as client:
        for path, content, streaming in (
            (GET_JOB, gzip.compress(body), False),
            (WATCH_JOB, enveloped(gzip.compress(body), 1), True),
            (WATCH_JOB, enveloped(body), True),
        ):
            # Names of encodings have no case.
            headers = {"connect-content-encoding": "gzip"} if streaming else {"content-encoding": "GZip"}
            await client.post(path, content=content, headers={**kind(codec, streaming=streaming), **headers})

    assert [request.job_id for request in jobs.requests] == ["j" * 10_000] * 3
    assert jobs.arrived > 3 * len(body)


BAD_GZIP = [
    (gzip.compress(bytes(BODY_SIZE + 1)), "TOO_LARGE"),
    (gzip.compress(b"{}")[:-9], "INVALID_FIELD"),
    (gzip.compress(b"{}") * 2, "INVALID_FIELD"),
    (b"{}", "INVALID_FIELD"),
]


async def test_compression_is_bounded() -> None:
    """A small body that inflates beyond the limit of all bodies is refused; so is what is no gzip, or more."""
    headers = {**kind("json", streaming=False), "content-encoding": "gzip"}
    async with client_of(ScriptedJobs()) as client:
        for content, reason in BAD_GZIP:
            response = await client.post(GET_JOB, content=content, headers=headers)

            error: dict[str, Any] = response.json()
            assert (error["code"], error["details"][0]["debug"]["reason"]) == ("invalid_argument", reason)


async def test_a_client_that_leaves_ends_its_watch_at_once() -> None:
    """Although nothing is sent to it, by which the server would notice."""
    jobs = ScriptedJobs(frames=FRAMES)
    async with client_of(jobs) as client:
        headers = kind("proto", streaming=True)
        async with client.stream("POST", WATCH_JOB, content=enveloped(b""), headers=headers) as response:
            await anext(response.aiter_bytes())
            assert jobs.watching == 1
        await until(lambda: jobs.watching == 0)

    assert jobs.sent == len(FRAMES)


async def test_a_client_that_does_not_read_stalls_its_watch() -> None:
    """The backend is not asked for more than what sockets and one buffer hold."""
    frame = WatchJobResponse(opened=Opened(epoch="x" * (1 << 16)))
    jobs = ScriptedJobs(frames=[frame] * 1000)
    jobs.stays_open = False
    async with client_of(jobs) as client:
        headers = kind("proto", streaming=True)
        async with client.stream("POST", WATCH_JOB, content=enveloped(b""), headers=headers) as response:
            stalled = -1
            while stalled != jobs.sent:
                stalled = jobs.sent
                for _ in range(20):  # each lets the server go on as far as it can
                    await client.post(GET_JOB, content=b"", headers=kind("proto", streaming=False))
            body = b"".join([chunk async for chunk in response.aiter_bytes()])

    assert 0 < stalled < 500
    assert [frame for _, frame in envelopes(body)[:-1]] == [frame.SerializeToString()] * 1000
