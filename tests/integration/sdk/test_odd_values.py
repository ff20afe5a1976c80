"""No value that a handler returns or reports fails its job: it is converted as closely as possible."""

from __future__ import annotations

import contextlib
import datetime
import math
import sys
from pathlib import PurePosixPath
from typing import Any, cast

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

from milepost.client import Client, JobContext, SyncClient
from milepost.client._worker.handlers import RunMode
from milepost.contract.limits import RESULT_SIZE
from milepost.v1 import Dispatch, Event, Severity
from tests.support.isolating import at_bench
from tests.support.rpc import state_name
from tests.support.server import Server

UNKNOWN = AnyMessage(type_url="type.googleapis.com/not.Known", value=b"x")
"""A message that has no JSON form in a process that does not know its type."""


def returning(job: JobContext) -> Any:
    """Return the requested value."""
    job.raise_if_cancelled()
    match job.input["what"]:
        case "numbers":
            return {"loss": math.nan, "rows": 2**53 + 1, "bound": [-math.inf], "n": 3}
        case "values":
            when = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
            return {"when": when, "path": PurePosixPath("/srv"), "ids": {2, 1}, 5: b"x", "name": "a\udcff"}
        case "list":
            return [1, 2]
        case "large":
            return {"text": "x" * 5_000_000, "n": 3}
        case "many":
            return {"rows": [{"id": number} for number in range(100_000)], "n": 3}
        case "deep":
            deep: list[object] = []
            deep.append(deep)
            return {"deep": deep, "n": 3}
        case "unreadable":
            return UNKNOWN
    sys.exit("asked for nothing")


async def reporting(job: JobContext) -> dict[str, int]:
    """Report invalid values."""
    async with job.stage("s", total=math.nan) as stage:
        stage.update(math.nan, total=-1)
        stage.advance(math.inf)
        stage.update(3, message=cast("Any", PurePosixPath("at/x")))
    job.log("epoch", loss=math.nan, where=PurePosixPath("/x"))
    job.log(cast("Any", ValueError("no text")))
    job.emit("metrics", {"loss": math.inf})
    job.artifact("a", "file:///a", size_bytes=cast("Any", math.nan), sha256="none")
    return {"done": 1}


def warnings(events: list[Event]) -> list[str]:
    """The warnings in a job's log."""
    logged = [event.log_written for event in events if event.HasField("log_written")]
    return [line.text for line in logged if line.severity == Severity.SEVERITY_WARNING]


@pytest.mark.parametrize(
    ("run", "whats"),
    [
        ("thread", ("numbers", "values", "list", "large", "many", "deep", "unreadable")),
        ("process", ("numbers", "large", "unreadable")),
    ],
)
async def test_no_result_is_lost(shared_server: Server, run: RunMode, whats: tuple[str, ...]) -> None:
    """NaN, large integers, dates, lists, large or deep values: the job has SUCCEEDED, with warnings."""
    async with at_bench(shared_server.address, returning, run) as bench:
        ended = {}
        for what in whats:
            job, events = await bench.run({"what": what})
            assert state_name(job) == "SUCCEEDED"
            assert warnings(events)
            assert job.proto.result.ByteSize() <= RESULT_SIZE
            ended[what] = await bench.client.result(job.job_id)

    expected = {
        "numbers": {"loss": "NaN", "rows": "9007199254740993", "bound": ["-Infinity"], "n": 3},
        "values": {
            "when": "2026-01-02T00:00:00+00:00",
            "path": "/srv",
            "ids": [1, 2],
            "5": "x",
            "name": "a\\udcff",
        },
        "list": {"value": [1, 2]},
        "unreadable": {"value": str(UNKNOWN)},
    }
    assert all(ended[what] == result for what, result in expected.items() if what in whats)
    assert all(result["n"] == 3 for what, result in ended.items() if what not in expected)
    assert len(ended["large"]["text"]) > RESULT_SIZE - 200


async def test_no_report_fails_a_job(shared_server: Server) -> None:
    """Numbers, messages, fields, events, artifacts: each is reported as closely as possible."""
    async with at_bench(shared_server.address, reporting, None) as bench:
        job, events = await bench.run()
    lines = [event.log_written for event in events if event.HasField("log_written")]
    epoch = next(line for line in lines if line.text == "epoch")

    assert (state_name(job), dict(job.result)) == ("SUCCEEDED", {"done": 1.0})
    assert (job.stages[0].current, job.stages[0].message) == (3, "at/x")
    assert dict(epoch.fields) == {"loss": "NaN", "where": "/x"}
    assert "no text" in [line.text for line in lines]
    assert [dict(event.custom.json) for event in events if event.HasField("custom")] == [{"loss": "Infinity"}]
    assert [(artifact.uri, artifact.size_bytes) for artifact in job.artifacts] == [("file:///a", 0)]
    assert len(warnings(events)) == 9


async def test_no_result_of_a_block_is_lost(shared_server: Server) -> None:
    """With `attach`, with and without asyncio."""
    async with Client(shared_server.address) as client:
        job_id = (await client.submit("step", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
        async with client.attach(job_id) as job:
            job.result = {"loss": math.nan, "text": "x" * 2_000_000}
        result = await client.result(job_id)
    with SyncClient(shared_server.address) as plain, plain.start("step") as started:
        started.result = cast("Any", [1])

    assert result["loss"] == "NaN"
    with SyncClient(shared_server.address) as plain:
        assert plain.result(started.id) == {"value": [1]}


async def test_any_exception_ends_the_job_of_a_block(shared_server: Server) -> None:
    """Also one that Python itself cannot show: text is the column of a parser's error."""
    error = SyntaxError("boo", ("file", 1, cast("Any", "9"), "text"))
    with SyncClient(shared_server.address) as plain:
        with contextlib.suppress(Exception), plain.start("step") as started:
            raise error
        job = plain.get(started.id)

    assert (state_name(job), job.proto.failure.code) == ("FAILED", "SyntaxError")
    assert "cannot be shown" in job.proto.failure.detail
