"""REST: each call does what the same one of gRPC does, and what cannot be done is told as HTTP has it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from structlog.testing import capture_logs

from milepost.server.runtime.server import Server
from milepost.v1 import GetHistoryRequest, GetJobRequest, JobFilter, ListJobsRequest, WhoAmIRequest
from tests.support.http_errors import error_of, info_of
from tests.support.http_watch import http_client
from tests.support.rotating import until
from tests.support.rpc import Rpc, connect


@pytest.fixture
async def web(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server's own HTTP, and of the application that is mounted over a client of the SDK."""
    async with http_client(url) as client:
        yield client


# --- Calls --------------------------------------------------------------------------------------------------------


async def test_the_life_of_a_job(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Submit, get, cancel, delete: the messages of the contract, as JSON."""
    submission = {"kind": rpc.kind, "labels": {"room": "blue"}, "input": {"n": 1.5}, "timeout": "3.5s"}
    submitted = (await web.post("/v1/jobs", json=submission)).json()["job"]
    path = f"/v1/jobs/{submitted['jobId']}"
    found = await rpc.jobs.GetJob(GetJobRequest(job_id=submitted["jobId"]))
    assert (await web.get(path)).json() == MessageToDict(found)
    assert submitted == MessageToDict(found.job)

    cancelled = await web.post(f"{path}:cancel", json={"reason": "enough", "gracePeriod": "0s"})
    assert cancelled.json()["job"]["state"] == "JOB_STATE_CANCELLED"
    assert cancelled.json()["job"]["cancellation"]["reason"] == "enough"
    assert (await web.delete(path)).json() == {}
    assert (await web.get(path)).status_code == 404


async def test_lists(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Filters, order and pages are query parameters; a list takes one for each of its elements."""
    jobs = [await rpc.submit(labels={"n.x": str(number)}) for number in range(3)]
    wanted = {"filter.kinds": rpc.kind, "order_by": "submit_time"}
    listed = await rpc.jobs.ListJobs(
        ListJobsRequest(filter=JobFilter(kinds=[rpc.kind]), order_by="submit_time")
    )
    assert (await web.get("/v1/jobs", params=wanted)).json() == MessageToDict(listed)

    page = (await web.get("/v1/jobs", params=wanted | {"pageSize": "2"})).json()
    rest = await web.get("/v1/jobs", params=wanted | {"page_token": page["nextPageToken"], "page_size": "2"})
    assert [job["jobId"] for job in [*page["jobs"], *rest.json()["jobs"]]] == [job.job_id for job in jobs]

    async def found(*parameters: tuple[str, str]) -> list[str]:
        asked = httpx.QueryParams((("filter.kinds", rpc.kind), ("order_by", "submit_time"), *parameters))
        response = await web.get("/v1/jobs", params=asked)
        return [job["jobId"] for job in response.json().get("jobs", [])]

    assert await found(("filter.labels.n.x", "1")) == [jobs[1].job_id]
    assert await found(("filter.job_ids", jobs[0].job_id), ("filter.jobIds", jobs[2].job_id)) == [
        jobs[0].job_id,
        jobs[2].job_id,
    ]
    assert await found(("filter.states", "RUNNING")) == []
    assert len(await found(("filter.states", "JOB_STATE_QUEUED"), ("filter.states", "running"))) == 3


@pytest.mark.parametrize(
    ("parameter", "hint"),
    [
        ("state", ": did you mean filter.states?"),
        ("filter.kind", ": did you mean filter.kinds?"),
        ("pagesize", ": did you mean page_size?"),
        ("colour", "."),
    ],
)
async def test_an_unknown_parameter_is_told_with_the_nearest(
    web: httpx.AsyncClient, parameter: str, hint: str
) -> None:
    """Whoever guesses a name finds the right one."""
    error = error_of(await web.get("/v1/jobs", params={parameter: "x"}))
    assert error["message"] == f"{parameter} is not a parameter of this call{hint}"


async def test_whoami(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """What gRPC says."""
    assert (await web.get("/v1/whoami")).json() == MessageToDict(await rpc.jobs.WhoAmI(WhoAmIRequest()))


async def test_history(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """What gRPC says; the kind is in the path, and its owner is a parameter."""
    said = await rpc.jobs.GetHistory(GetHistoryRequest(kind=rpc.kind))
    path = f"/v1/kinds/{rpc.kind}/history"
    assert (await web.get(path)).json() == MessageToDict(said)
    assert (await web.get(path, params={"owner": "ann", "kind": rpc.kind})).status_code == 200
    contradicted = await web.get(path, params={"kind": "other"})
    assert info_of(contradicted)["metadata"] == {"field": "kind"}
    refused = await web.get("/v1/kinds/A%20B/history")
    assert info_of(refused)["metadata"] == {"field": "kind"}


async def test_a_large_body_and_a_large_response(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """A submission near the limit comes back as it was sent, in both directions piece by piece."""
    content = {"rows": [{"n": number, "t": "ä" * 20} for number in range(9_000)]}
    submitted = await web.post("/v1/jobs", json={"kind": rpc.kind, "input": content})
    assert submitted.status_code == 200
    found = await web.get(f"/v1/jobs/{submitted.json()['job']['jobId']}")
    assert found.json()["job"]["input"] == content
    assert int(found.headers["content-length"]) == len(found.content)


async def test_head(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """The headers of a GET, without its body."""
    job = await rpc.submit()
    found, head = [await web.request(verb, f"/v1/jobs/{job.job_id}") for verb in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == found.headers["content-length"]


# --- Refusals -----------------------------------------------------------------------------------------------------

JSON_REFUSALS = [
    ("POST", "/v1/jobs", {"foo": 1}, "foo"),
    ("POST", "/v1/jobs", {"kind": "x", "stages": [{"stageId": "a"}, {"colour": "red"}]}, "stages[1].colour"),
    ("POST", "/v1/jobs", {"kind": "x", "priority": "high"}, "priority"),
    ("POST", "/v1/jobs", {"kind": "x", "retryPolicy": {"maxAttempts": 1.5}}, "retryPolicy.maxAttempts"),
    ("POST", "/v1/jobs", {"kind": "NO"}, "kind"),
    ("POST", "/v1/jobs/j:cancel", {"jobId": "k"}, "job_id"),
    ("GET", "/v1/jobs?colour=red", None, "colour"),
    ("GET", "/v1/jobs?filter.colour=red", None, "filter.colour"),
    ("GET", "/v1/jobs?page_size=many", None, "page_size"),
    ("GET", "/v1/jobs?page_size=1&page_size=2", None, "page_size"),
    ("GET", "/v1/jobs?page_size=1&pageSize=2", None, "pageSize"),
    ("GET", "/v1/jobs?filter.labels.a=1&filter.labels.a=2", None, "filter.labels.a"),
    ("GET", "/v1/jobs?filter.states=DONE", None, "filter.states"),
    ("GET", "/v1/jobs/a%3Awatch", None, "job_id"),
    ("GET", "/v1/jobs/a%2Fb", None, "job_id"),
    ("GET", "/v1/jobs/:watch", None, "job_id"),
    ("GET", "/v1/jobs/j:watch?start=middle", None, "start"),
    ("GET", "/v1/jobs/j:watch?start=latest&after_sequence=1", None, "start"),
    ("GET", "/v1/jobs/j:watch?status_interval=soon", None, "status_interval"),
    ("GET", "/v1/jobs/j:watch?delivery=some", None, "delivery"),
]


@pytest.mark.parametrize(("verb", "path", "body", "field"), JSON_REFUSALS)
async def test_invalid_fields(web: httpx.AsyncClient, verb: str, path: str, body: Any, field: str) -> None:
    """The refusal names the field, whether it is in the path, in the query or in the body."""
    response = await web.request(verb, path, json=body)

    info = info_of(response)
    assert (response.status_code, error_of(response)["status"]) == (400, "INVALID_ARGUMENT")
    assert (info["reason"], info["metadata"]["field"]) == ("INVALID_FIELD", field)


async def test_each_answer_is_a_line(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """So a terminal's prompt does not stand behind it: a response, an error, the description of all."""
    job = await rpc.submit()
    for path in (f"/v1/jobs/{job.job_id}", "/v1/jobs/missing", "/v1/jobs/j:watch", "/v3", "/v1/openapi.json"):
        response = await web.get(path)
        assert (response.text.count("\n"), response.text[-2:]) == (1, "}\n")
        assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize(
    ("headers", "encoding", "code"),
    [
        ({}, "utf-8", 200),
        ({}, "utf-8-sig", 200),
        ({"content-type": "application/json; charset=latin-1"}, "utf-8", 200),
        ({"content-type": "application/json; charset=latin-1"}, "latin-1", 400),
        ({"content-type": "application/json; charset=utf-16"}, "utf-16", 400),
        ({"content-encoding": "gzip"}, "utf-8", 400),
        ({"content-encoding": "identity"}, "utf-8", 200),
        ({"content-encoding": "Identity"}, "utf-8", 200),
    ],
)
async def test_encodings_of_bodies(
    web: httpx.AsyncClient, headers: dict[str, str], encoding: str, code: int
) -> None:
    """JSON is UTF-8 with or without a byte order mark, whatever its charset says, and not compressed."""
    body = '{"kind":"x","input":{"a":"é"}}'.encode(encoding)
    response = await web.post("/v1/jobs", content=body, headers=headers)

    assert response.status_code == code
    if code == 200:
        assert response.json()["job"]["input"] == {"a": "é"}
    else:
        wanted = "Content-Encoding" if "content-encoding" in headers else "UTF-8"
        assert wanted in error_of(response)["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"input": {"a": NaN}}', b"[" * 100_000])
async def test_bodies_that_are_no_json_object(web: httpx.AsyncClient, body: bytes) -> None:
    """They are refused, however deep they go."""
    response = await web.post("/v1/jobs", content=body)

    assert (response.status_code, info_of(response)["reason"]) == (400, "INVALID_FIELD")


async def test_bodies_that_are_too_large(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """In bytes, in values, and in bytes of what they say."""
    long = json.dumps({"kind": rpc.kind, "input": {"a": "x" * (9 << 20)}}).encode()
    many = b'{"input":{"a":[' + b"1," * 400_000 + b"1]}}"
    said = json.dumps({"kind": rpc.kind, "input": {"a": "x" * (3 << 20)}}).encode()
    for body in (long, many, said):
        response = await web.post("/v1/jobs", content=body)
        assert (response.status_code, info_of(response)["reason"]) == (413, "TOO_LARGE")


async def test_statuses(web: httpx.AsyncClient, rpc: Rpc) -> None:
    """Each refusal has the HTTP code that belongs to its status, and the reason that gRPC gives."""
    job = await rpc.submit()
    path = f"/v1/jobs/{job.job_id}"
    taken = json.dumps({"kind": "x", "jobId": job.job_id})
    refused = {
        ("GET", "/v1/jobs/missing", None): (404, "NOT_FOUND", "JOB_NOT_FOUND"),
        ("DELETE", path, None): (400, "FAILED_PRECONDITION", "JOB_NOT_ENDED"),
        ("POST", "/v1/jobs", taken): (409, "ALREADY_EXISTS", "JOB_ALREADY_EXISTS"),
        ("GET", "/v1/jobs/missing:watch", None): (404, "NOT_FOUND", "JOB_NOT_FOUND"),
    }
    for (verb, where, body), (code, status, reason) in refused.items():
        response = await web.request(verb, where, content=body)
        assert (response.status_code, error_of(response)["status"]) == (code, status)
        assert info_of(response)["reason"] == reason


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("PUT", "/v1/jobs/j", "DELETE, GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/jobs", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/v1/jobs/j:cancel", "OPTIONS, POST"),
        ("POST", "/v1/jobs/j:watch", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/whoami", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/kinds/archive/history", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_verb_is_405_with_the_allowed_ones(
    web: httpx.AsyncClient, verb: str, path: str, allowed: str
) -> None:
    """405, with those that it has, which OPTIONS lists, too."""
    response, options = [await web.request(each, path) for each in (verb, "OPTIONS")]

    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert (options.status_code, options.headers["allow"]) == (204, allowed)


@pytest.mark.parametrize(
    "path",
    ["/v3", "/v1/job", "/v1/jobs/j:rerun", "/v1/jobs/a/b:watch/", "/v2/jobs", "/v1/jobs/a/v1/jobs/b:cancel"],
)
async def test_unknown_paths_are_404_as_json(web: httpx.AsyncClient, path: str) -> None:
    """404, as JSON, too: also the path of one job below that of another, which a proxy may have let through."""
    response = await web.get(path)

    assert (response.status_code, error_of(response)["status"]) == (404, "NOT_FOUND")


async def test_the_head_of_a_stream_is_recorded_as_a_success(memory_server: Server) -> None:
    """It begins a watch, and leaves it at its first frame, which is all that was asked."""
    assert memory_server.http is not None
    async with connect(memory_server.address) as rpc, http_client(memory_server.http) as client:
        job = await rpc.submit()
        with capture_logs() as lines:
            head = await client.head(f"/v1/jobs/{job.job_id}:watch")
            await until(lambda: any(line["event"] == "call" for line in lines))
    calls = [(line["method"], line["code"]) for line in lines if line["event"] == "call"]
    assert (head.status_code, calls) == (200, [("/milepost.v1.JobService/WatchJob", "OK")])
