"""The server's log: one line per call, no payloads, and tracebacks of defects by id."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from milepost.v1 import GetJobRequest
from tests.support.bad_requests import struct
from tests.support.command import terminal
from tests.support.refused import refused
from tests.support.rpc import connect, log_line
from tests.support.server import ServerProcess

SECRET = "a-payload-that-nobody-else-is-to-read"


async def test_each_call_has_one_line(server: ServerProcess) -> None:
    """At its end, in JSON: method, status and reason, duration, and peer."""
    async with connect(server.address) as rpc:
        job = await rpc.submit()
        await rpc.log(job.job_id)
        await refused(rpc.jobs.GetJob(GetJobRequest(job_id="nowhere")))
        await refused(rpc.jobs.GetJob(GetJobRequest()))
        async with rpc.session() as session:
            await session.take()
            call = rpc.watch(job.job_id)
            await call.read()
            call.cancel()
            await session.call.done_writing()
            assert await session.call.read() == grpc.aio.EOF
        health: Any = health_pb2_grpc.HealthStub(rpc.channel)
        await health.Check(health_pb2.HealthCheckRequest())
    server.stop()
    log = server.log()
    assert [line["event"] for line in (log[0], *log[-2:])] == ["serving", "stopping", "stopped"]
    assert all(line["level"] == "info" and line["timestamp"].endswith("Z") for line in log)
    lines = [line for line in log if line["event"] == "call"]

    assert sorted(
        (line["method"].rpartition("/")[2], line["code"], line.get("reason", "")) for line in lines
    ) == [
        ("Check", "OK", ""),
        ("GetJob", "INVALID_ARGUMENT", "INVALID_FIELD"),
        ("GetJob", "NOT_FOUND", "JOB_NOT_FOUND"),
        ("SubmitJob", "OK", ""),
        ("WatchJob", "CANCELLED", ""),
        ("WatchJob", "OK", ""),
        ("Work", "OK", ""),
    ]
    assert all(line["seconds"] >= 0 and line["peer"].startswith("ipv4:127.0.0.1:") for line in lines)
    about = {(line["method"].rpartition("/")[2], line.get("job_id", "")) for line in lines}
    assert about == {
        ("Check", ""),
        ("GetJob", ""),
        ("GetJob", "nowhere"),
        ("SubmitJob", job.job_id),
        ("WatchJob", job.job_id),
        ("Work", ""),
    }


async def test_no_payload_is_logged(server: ServerProcess) -> None:
    """Neither of jobs, nor of reports, nor of refused requests."""
    async with connect(server.address) as rpc:
        async with rpc.session() as session:
            job = await rpc.submit(input=struct({"x": SECRET}), labels={"l": SECRET})
            await session.take()
            await session.report(job.job_id, "", 1, log_line(SECRET))
            await session.receive("rejected")
        await refused(rpc.submit(kind=SECRET.upper()))
        await refused(rpc.submit(input=struct({"x": SECRET, "y": float("nan")})))
    server.stop()

    assert "SubmitJob" in server.log_path.read_text()
    assert SECRET not in server.log_path.read_text().lower()


async def test_a_defect_gives_nothing_away(server: ServerProcess) -> None:
    """The client gets an id; the log has the traceback under it, without values of variables."""
    server.expected_fault = "no such table: inputs"
    async with connect(server.address) as rpc:
        job = await rpc.submit(input=struct({"x": SECRET}))
        with closing(sqlite3.connect(server.data / "milepost.db")) as database:
            database.execute("ALTER TABLE inputs RENAME TO elsewhere")
        refusal = await refused(rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id)))
    server.stop()

    (line,) = [line for line in server.log() if line["level"] == "error"]
    assert (refusal.code, refusal.reason) == ("INTERNAL", "")
    assert refusal.message == f"The server failed. Its log says why, under the id {line['error_id']}."
    assert "no such table" in json.dumps(line)
    assert job.job_id not in json.dumps(line)
    assert SECRET not in server.log_path.read_text()


async def test_on_a_terminal_it_is_for_people(tmp_path: Path) -> None:
    """Only the ready line is JSON."""
    async with terminal(
        "serve", "--address", "127.0.0.1:0", "--data", tmp_path, env={"NO_COLOR": "1"}
    ) as shown:
        await shown.shows(lambda text: "serving" in text and '"epoch"' in text and text.endswith("\n"))
        ready = next(json.loads(line) for line in shown.text.splitlines() if line.startswith("{"))
        async with connect(ready["address"]) as rpc:
            job = await rpc.submit()
            await refused(rpc.jobs.GetJob(GetJobRequest(job_id="\x1b[2J")))
        await shown.shows(lambda text: "GetJob" in text)
        text = shown.text

    calls = [line for line in text.splitlines() if "Job " in line]
    assert re.fullmatch(rf"\d\d:\d\d:\d\d SubmitJob OK \d+ ms 127\.0\.0\.1 {job.job_id}", calls[0])
    assert re.fullmatch(r"\d\d:\d\d:\d\d GetJob INVALID_ARGUMENT INVALID_FIELD \d+ ms 127\.0\.0\.1", calls[1])
    assert sum(line.startswith("{") for line in text.splitlines()) == 1
    assert re.search(r"\[info +\] serving address=", text)
