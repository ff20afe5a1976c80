"""The server's answers over HTTP match its OpenAPI document, and have no other fields."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from milepost.client import JobContext
from tests.support.forking import Forkery
from tests.support.http_watch import http_client
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server with HTTP."""
    with ServerProcess(tmp_path_factory.mktemp("openapi") / "data", forkery=forkery, http=True) as started:
        yield started


@pytest.fixture
async def http(server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its HTTP."""
    async with http_client(server.url) as client:
        yield client


class Answers:
    """The document, with which answers are compared: a field that it does not have is a fault, too."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = document["paths"]
        self._components = copy.deepcopy(document["components"])
        for name, schema in self._components["schemas"].items():
            if name != "Event":  # part of a whole that is closed
                _close(schema)
        self.seen: set[tuple[str, str, str]] = set()

    def check(self, path: str, response: httpx.Response) -> Any:
        """Validate a response against the document; return its content."""
        verb = response.request.method.lower()
        described = self._paths[path][verb]["responses"]
        self.seen.add((verb, path, str(response.status_code)))
        answer = described.get(str(response.status_code), described["default"])
        answer = self._components["responses"]["Error"] if "$ref" in answer else answer
        content = response.json()
        self._validate(answer["content"]["application/json"]["schema"], content)
        return content

    def check_item(self, path: str, item: Any) -> None:
        """Validate one event of a stream against the document."""
        content = self._paths[path]["get"]["responses"]["200"]["content"]
        assert content["text/event-stream"] == content["application/x-ndjson"]
        self._validate(content["text/event-stream"]["schema"], item)

    def _validate(self, schema: Any, content: Any) -> None:
        OAS31Validator({**schema, "components": self._components}).validate(content)


def _close(schema: Any) -> None:
    """Make the schema reject unknown fields."""
    match schema:
        case {"allOf": [_, {"properties": properties}]}:
            schema["unevaluatedProperties"] = False
            for each in properties.values():
                _close(each)
        case {"properties": properties}:
            schema.setdefault("unevaluatedProperties", False)
            for each in properties.values():
                _close(each)
        case {"items": items}:
            _close(items)
        case {"additionalProperties": dict() as values}:
            _close(values)


async def rich(job: JobContext) -> dict[str, Any]:
    """A job with an event of nearly every kind."""
    job.plan(["fetch", "work"])
    with job.stage("fetch"):
        job.log("fetching", fields={"url": "x"})
    with job.stage("work", total=2, unit="files") as stage:
        stage.advance(1)
        stage.advance(1)
    job.emit("topic", {"title": "x", "n": 1})
    job.artifact("out.txt", uri="file:///out.txt")
    return {"done": True, "n": 3}


async def test_answers_and_streams(server: ServerProcess, http: httpx.AsyncClient) -> None:
    """Of every route, refused calls among them; and each event of streams, in both of their forms."""
    answers = Answers((await http.get("/v1/openapi.json")).json())
    async with working(server.address, rich=rich):
        submission = {"kind": "rich", "labels": {"room": "blue"}, "input": {"path": "a"}, "timeout": "60s"}
        job = answers.check("/v1/jobs", await http.post("/v1/jobs", json=submission))["job"]
        path = f"/v1/jobs/{job['jobId']}"
        lines = (await http.get(f"{path}:watch", headers={"accept": "application/x-ndjson"})).text
    parent = answers.check("/v1/jobs", await http.post("/v1/jobs", json={"kind": "none"}))["job"]["jobId"]
    child = {"kind": "none", "parentJobId": parent}
    answers.check("/v1/jobs", await http.post("/v1/jobs", json=child))
    answers.check("/v1/jobs/{job_id}", await http.get(f"/v1/jobs/{parent}"))
    for suffix in ("share", "revokeShares", "cancel"):
        answers.check(
            f"/v1/jobs/{{job_id}}:{suffix}", await http.post(f"/v1/jobs/{parent}:{suffix}", json={})
        )
    answers.check("/v1/jobs", await http.get("/v1/jobs", params={"filter.labels.room": "blue"}))
    answers.check("/v1/jobs/{job_id}", await http.get(path))
    everything = (await http.get("/v1/jobs:watch", params={"no_follow": "true"})).text
    answers.check("/v1/jobs/{job_id}", await http.delete(path))
    answers.check("/v1/whoami", await http.get("/v1/whoami"))
    answers.check("/v1/kinds/{kind}/history", await http.get("/v1/kinds/archive/history"))
    answers.check("/v1/jobs", await http.post("/v1/jobs", json={"kind": "not a kind"}))
    answers.check("/v1/jobs/{job_id}", await http.get(path))
    answers.check("/v1/session", await http.post("/v1/session"))
    answers.check("/v1/jobs/{job_id}:watch", await http.get(f"{path}:watch"))

    items = [json.loads(line) for line in lines.splitlines()]
    for item in items:
        answers.check_item("/v1/jobs/{job_id}:watch", item)
    names = [item["event"] for item in items]
    assert (names[0], names[-1]) == ("opened", "end")
    assert {"stages_planned", "stage_progressed", "log_written", "custom", "artifact_added"} <= set(names)
    of_jobs = list(server_sent(everything))
    for item in of_jobs:
        answers.check_item("/v1/jobs:watch", item)
    assert {item["event"] for item in of_jobs} > {"opened", "cancel_requested", "job_ended", "caught_up"}
    assert ("get", "/v1/jobs/{job_id}:watch", "404") in answers.seen


def server_sent(text: str) -> Iterator[dict[str, Any]]:
    """The events of a stream, as browsers read them; their data is JSON."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found: dict[str, Any] = {"event": fields["event"], "data": json.loads(fields["data"])}
            yield {**found, "id": fields["id"]} if "id" in fields else found
