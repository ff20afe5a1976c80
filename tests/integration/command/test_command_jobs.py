"""`milepost submit`, `get`, `list` and `cancel` against a real server."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from milepost.client import Client, JobContext
from milepost.v1 import Dispatch, Event, Job, JobState, RetryPolicy, Stage, StageState
from tests.support.command import milepost
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def address(shared_server: ServerProcess) -> str:
    """The address of the shared server."""
    return shared_server.address


@pytest.fixture
async def client(address: str) -> AsyncIterator[Client]:
    """A client of the shared server."""
    async with Client(address) as connected:
        yield connected


async def good(job: JobContext) -> dict[str, object]:
    """Succeeds."""
    return {"files": 3}


async def test_each_submit_option_is_a_field_of_the_job(
    address: str, client: Client, kind: str, tmp_path: Path
) -> None:
    """Each option is a field of the job."""
    file = tmp_path / "input.json"
    file.write_text('{"path": "/srv", "deep": {"n": 1}}')
    await client.submit(kind, job_id=f"{kind}-parent")
    outcome = await milepost(
        *("submit", kind, "--input", f"@{file}", "--set", "deep.n=2", "--set", "name=x y"),
        *("--job-id", kind, "--owner", "ann", "--label", "team=photos", "--label", "env=test"),
        *("--parent", f"{kind}-parent", "--stage", "scan", "--stage", '{"stageId":"hash","total":5}'),
        *(
            "--timeout",
            "1m30s",
            "--max-attempts",
            "3",
            "--workload",
            "7.5",
            "--workload-unit",
            "GB",
            "--planned-children",
            "3",
            "--external",
        ),
        *("--request-id", kind, "--output", "json"),
        address=address,
    )
    job = await client.get(kind)
    printed = ParseDict(outcome.objects[0], Job())

    assert (outcome.status, outcome.err, printed) == (0, "", job.proto)
    assert job.input == {"path": "/srv", "deep": {"n": 2.0}, "name": "x y"}
    assert (job.owner, dict(job.labels)) == ("ann", {"team": "photos", "env": "test"})
    assert (
        job.parent_job_id,
        job.timeout.seconds,
        job.workload,
        job.workload_unit,
        job.planned_children,
    ) == (f"{kind}-parent", 90, 7.5, "GB", 3)
    assert (job.dispatch, job.retry_policy) == (Dispatch.DISPATCH_EXTERNAL, RetryPolicy(max_attempts=3))
    assert list(job.stages) == [
        Stage(stage_id="scan", state=StageState.STAGE_STATE_PENDING, planned=True),
        Stage(
            stage_id="hash",
            state=StageState.STAGE_STATE_PENDING,
            total=5,
            planned=True,
            fraction_known=True,
        ),
    ]


async def test_options_are_read_from_the_environment(address: str, client: Client, kind: str) -> None:
    """Each option has a variable."""
    environment = {
        "MILEPOST_OUTPUT": "json",
        "MILEPOST_SUBMIT_JOB_ID": kind,
        "MILEPOST_SUBMIT_INPUT": "-",
        "MILEPOST_SUBMIT_LABEL": "a=1 b=2",
    }
    outcome = await milepost("submit", kind, address=address, env=environment, stdin=b'{"from": "stdin"}')
    job = await client.get(kind)

    assert job == ParseDict(outcome.objects[0], Job())
    assert (dict(job.labels), job.input) == ({"a": "1", "b": "2"}, {"from": "stdin"})


async def test_a_request_may_be_repeated(address: str, kind: str) -> None:
    """The same request_id and content give the same job."""
    outcomes = [await milepost("submit", kind, "--request-id", kind, address=address) for _ in range(2)]

    assert [outcome.status for outcome in outcomes] == [0, 0]
    assert outcomes[0].out == outcomes[1].out


async def test_the_events_of_a_submission_as_json(address: str, client: Client, kind: str) -> None:
    """With --watch, each event a line; the first one has the job."""
    async with working(address, **{kind: good}):
        outcome = await milepost("submit", kind, "--watch", "-o", "json", address=address)
    events = [ParseDict(line, Event()) for line in outcome.objects]

    assert (outcome.status, outcome.complaints) == (0, [])
    assert events == [event async for event in client.watch(events[0].job_id)]


async def test_the_end_of_a_submission_as_json(address: str, client: Client, kind: str) -> None:
    """With --wait, the job as it ended."""
    async with working(address, **{kind: good}):
        outcome = await milepost("submit", kind, "--wait", "-o", "json", address=address)
    (job,) = (ParseDict(line, Job()) for line in outcome.objects)

    assert (outcome.status, outcome.complaints, job.state) == (0, [], JobState.JOB_STATE_SUCCEEDED)
    assert MessageToDict(job.result) == {"files": 3}


async def test_a_job_as_it_stands(address: str, client: Client, kind: str) -> None:
    """As text, and as JSON."""
    await client.submit(kind, {"path": "/srv"}, job_id=kind, stages=["scan"])
    text = await milepost("get", kind, address=address)
    as_json = await milepost("get", kind, "--output", "json", address=address)

    assert " ".join(text.out.splitlines()[:3]).split() == ["job", kind, "kind", kind, "state", "queued"]
    assert "stage      scan: pending\n" in text.out
    assert await client.get(kind) == ParseDict(as_json.objects[0], Job())


async def test_a_list_of_jobs(address: str, client: Client, kind: str) -> None:
    """Filtered, the newest first, over many pages, within the limit."""
    for number in range(5):
        await client.submit(
            kind,
            job_id=f"{kind}-{number}",
            owner=f"owner {number % 2}",
            labels={"even": str(number % 2 == 0)},
        )
    await client.cancel(f"{kind}-4")

    async def ids(*arguments: str) -> list[str]:
        outcome = await milepost("list", "--kind", kind, *arguments, "-o", "json", address=address)
        return [line["jobId"].removeprefix(f"{kind}-") for line in outcome.objects]

    assert await ids() == ["4", "3", "2", "1", "0"]
    assert await ids("--oldest-first", "--limit", "0") == ["0", "1", "2", "3", "4"]
    assert await ids("--limit", "2") == ["4", "3"]
    assert await ids("--owner", "owner 1") == ["3", "1"]
    assert await ids("--label", "even=True") == ["4", "2", "0"]
    assert await ids("--state", "cancelled", "--state", "LOST") == ["4"]
    assert await ids("--parent", f"{kind}-0") == []


async def test_a_table_of_jobs(address: str, client: Client, kind: str) -> None:
    """Without a terminal nothing is truncated; stderr says that there are more, for programs as JSON."""
    for number in range(3):
        await client.submit(kind, job_id=f"{kind}-{number}")
    outcome = await milepost("list", "--kind", kind, "--limit", "2", address=address)
    rows = [line.split() for line in outcome.out.splitlines()]

    assert [rows[0], *(row[:-1] for row in rows[1:])] == [
        ["JOB", "KIND", "STATE", "DONE", "TOOK", "AGE"],
        [f"{kind}-2", kind, "queued", "0%"],
        [f"{kind}-1", kind, "queued", "0%"],
    ]
    assert outcome.err == "There are more jobs than these 2; --limit 0 shows all.\n"
    one = await milepost("list", "--kind", kind, "--limit", "1", address=address)
    assert one.err == "There are more jobs than this one; --limit 0 shows all.\n"
    for_programs = await milepost("list", "--kind", kind, "--limit", "2", "-o", "json", address=address)
    assert json.loads(for_programs.err) == {"truncated": {"limit": 2}}


async def test_a_job_is_cancelled(address: str, client: Client, kind: str) -> None:
    """The job has reason and requester; a second request changes nothing (rule 17)."""
    await client.submit(kind, job_id=kind)
    first = await milepost("cancel", kind, "--reason", "enough", address=address)
    second = await milepost("cancel", kind, "-o", "json", address=address)
    job = await client.get(kind)

    assert (first.status, first.out) == (0, f"{kind} cancelled\n")
    assert (0, job.proto) == (second.status, ParseDict(second.objects[0], Job()))
    assert job.cancellation.reason == "enough"


async def test_an_error_as_json(address: str) -> None:
    """With --output json, stderr has an object for programs."""
    outcome = await milepost("get", "nobody", "--output", "json", address=address)
    error = json.loads(outcome.err)["error"]

    assert (
        outcome.status,
        outcome.out,
        error["status"],
        error["reason"],
        error["metadata"],
    ) == (4, "", 4, "JOB_NOT_FOUND", {"job_id": "nobody"})
