"""The server in memory and the fake worker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client.errors import JobCancelled, JobFailed, Unauthenticated
from milepost.testing import FakeJob, FakeWorker, MemoryServer, SyncFakeWorker, run_handler_async
from milepost.v1 import JobState, RetryPolicy, Stage
from tests.support.token_files import Tokens


async def nested(job: JobContext) -> dict[str, int]:
    """Every kind of report that changes a fraction."""
    job.plan([Stage(stage_id="outer", weight=2), Stage(stage_id="inner", parent_stage_id="outer"), "rest"])
    with job.stage("outer") as outer, outer.stage("inner", total=4) as inner:
        inner.advance(3)
        inner.update(2)
    with job.stage("rest", total=10, unit="files") as rest:
        rest.advance(4)
        rest.skip()
    job.artifact("a", "file:///a")
    with job.stage("unplanned"):
        pass
    return {"n": 1}


async def test_a_recorded_job_is_that_of_a_server() -> None:
    """`run_handler` records the same job as a worker and a server do."""
    recorded = (await run_handler_async(nested)).job
    async with MemoryServer() as server, Client(server.address) as client:
        worker = Worker(server.address)
        worker.job("test")(nested)
        running = asyncio.create_task(worker.run())
        job_id = (await client.submit("test")).job_id
        assert await client.result(job_id) == {"n": 1}
        served = await client.get(job_id)
        running.cancel()
        await asyncio.wait((running,))
    assert (served.fraction, served.fraction_known) == (recorded.fraction, recorded.fraction_known)
    assert [_without_times(stage) for stage in served.stages] == [
        _without_times(stage) for stage in recorded.stages
    ]
    assert list(served.artifacts) == list(recorded.artifacts)


async def test_progress_and_success() -> None:
    """The application receives the reports of the fake worker."""
    async with (
        MemoryServer() as server,
        Client(server.address) as client,
        FakeWorker(server.address, ["encode", "decode"]) as worker,
    ):
        first = (await client.submit("encode", {"path": "a"}, labels={"x": "y"})).job_id
        await client.submit("decode")
        decode, encode = await worker.take("decode"), await worker.take()
        assert (encode.job_id, encode.kind, encode.input, encode.labels) == (
            first,
            "encode",
            {"path": "a"},
            {"x": "y"},
        )
        encode.progress(5, 20, stage="frames", message="frame 5")
        async with client.watch(first) as watch:
            async for event in watch:
                if event.HasField("stage_progressed"):
                    break
        assert event.stage_progressed.fraction == 0.25
        assert event.stage_progressed.message == "frame 5"
        encode.end_stage("frames")
        encode.context.log("done")
        no_result: Any = ["frame"]
        with pytest.raises(TypeError):
            encode.succeed(no_result)  # and the job goes on
        encode.succeed({"frames": 20})
        decode.succeed()
        assert await client.result(first) == {"frames": 20}
        with pytest.raises(RuntimeError, match="has ended before"):
            encode.succeed()


async def test_failure_and_retry() -> None:
    """A retryable failure leads to another attempt; any other failure is final."""
    async with (
        MemoryServer() as server,
        Client(server.address) as client,
        FakeWorker(server.address, ["encode"]) as worker,
    ):
        job_id = (await client.submit("encode", retry_policy=RetryPolicy(max_attempts=3))).job_id
        (await worker.take()).fail("BUSY", retryable=True)
        second = await worker.take()
        assert second.context.attempt == 2
        second.fail("NO_SPACE", "The disk is full.")
        with pytest.raises(JobFailed) as caught:
            await client.result(job_id)
        assert caught.value.failure.code == "NO_SPACE"


async def test_cancellation() -> None:
    """A cancelled job ends at once by default, or when the test ends it."""
    async with MemoryServer() as server, Client(server.address) as client:
        async with FakeWorker(server.address, ["encode"]) as worker:
            job_id = (await client.submit("encode")).job_id
            job = await worker.take()
            with pytest.raises(RuntimeError, match="Nobody has cancelled"):
                job.stop()
            await client.cancel(job_id)
            with pytest.raises(JobCancelled):
                await client.result(job_id)
            with pytest.raises(RuntimeError, match="has ended before"):
                job.succeed()
        async with FakeWorker(server.address, ["encode"], stops_on_cancel=False) as worker:
            jobs = [(await client.submit("encode")).job_id for _ in range(2)]
            taken = {job.id: job for job in [await worker.take(), await worker.take()]}
            for job_id in jobs:
                await client.cancel(job_id)
                await taken[job_id].wait_cancelled()
            assert (await client.get(jobs[0])).state == JobState.JOB_STATE_CANCELLING
            taken[jobs[0]].stop()
            taken[jobs[1]].succeed({"late": True})
            with pytest.raises(JobCancelled):
                await client.result(jobs[0])
            assert await client.result(jobs[1]) == {"late": True}


@pytest.mark.parametrize("stops_on_cancel", [True, False])
async def test_leaving_gives_jobs_back(stops_on_cancel: bool) -> None:
    """Open jobs go to the next worker; a job that was just ended keeps its end."""
    async with MemoryServer() as server, Client(server.address) as client:
        async with FakeWorker(server.address, ["encode"], stops_on_cancel=stops_on_cancel) as worker:
            job_id = (await client.submit("encode")).job_id
            ended_id = (await client.submit("encode")).job_id
            taken = {job.id: job for job in [await worker.take(), await worker.take()]}
            taken[ended_id].succeed({"n": 1})
        assert await client.result(ended_id) == {"n": 1}
        async with FakeWorker(server.address, ["encode"]) as worker:
            again = await worker.take()
            assert again.id == job_id
            again.succeed()
            assert await client.result(job_id) == {}


async def test_scripts() -> None:
    """A script ends each job, also a waiting one; its exception fails the job."""

    async def script(job: FakeJob) -> None:
        job.progress(0.5)
        await asyncio.sleep(0)
        if job.input:
            raise ValueError("broken")
        job.succeed({"n": 1})

    async with (
        MemoryServer() as server,
        Client(server.address) as client,
        FakeWorker(server.address, ["encode"], script=script),
    ):
        assert await client.result((await client.submit("encode")).job_id) == {"n": 1}
        with pytest.raises(JobFailed, match="broken"):
            await client.result((await client.submit("encode", {"a": 1})).job_id)


async def test_take_says_why_there_is_no_job() -> None:
    """Without a job `take` times out; a worker without a kind is an error."""
    async with MemoryServer() as server, FakeWorker(server.address, ["encode"]) as worker:
        with pytest.raises(TimeoutError, match="No job of kind 'encode' came within 0 s"):
            await worker.take("encode", timeout=0)
    with pytest.raises(RuntimeError, match="enter it"):
        await FakeWorker(server.address, ["encode"]).take()
    with pytest.raises(TypeError, match=r"\['encode'\]"):
        FakeWorker(server.address, "encode")
    with pytest.raises(ValueError, match="needs kinds"):
        FakeWorker(server.address)


def test_without_asyncio() -> None:
    """Server and worker run in their own threads; each server starts empty."""
    for _ in range(2):
        with (
            MemoryServer() as server,
            SyncClient(server.address) as client,
            SyncFakeWorker(server.address, ["encode"]) as worker,
        ):
            assert list(client.list()) == []
            job_id = client.submit("encode").job_id
            worker.take().succeed({"n": 1})
            assert client.result(job_id) == {"n": 1}


def test_a_server_that_does_not_run() -> None:
    """A server has no address before it is entered, and can be entered once."""
    server = MemoryServer()
    with pytest.raises(RuntimeError, match="enter it"):
        _ = server.address
    with server:
        pass
    with pytest.raises(RuntimeError, match="started before"), server:
        pass


def test_without_the_server() -> None:
    """Only the in-memory server needs milepost-server; without it, the error says what to install."""
    program = (
        "import sys; sys.modules['milepost.server'] = None\n"
        "from milepost.testing import FakeWorker, SyncFakeWorker, run_handler\n"
        "from milepost.testing import MemoryServer\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1].endswith("pip install milepost-server")


def _without_times(stage: Stage) -> Stage:
    copy = Stage()
    copy.CopyFrom(stage)
    copy.ClearField("start_time")
    copy.ClearField("end_time")
    return copy


async def test_a_server_with_tokens(tmp_path: Path) -> None:
    """It takes calls with a token of the file only."""
    known = Tokens(tmp_path / "tokens.toml")
    token = known.add("ci", ["team-a"], "submit", "work")
    async with (
        MemoryServer(tokens=known.path) as server,
        Client(server.address, token=token) as client,
        FakeWorker(server.address, ["k"], token=lambda: token) as worker,
        Client(server.address) as stranger,
    ):
        assert (await client.submit("k")).owner == "team-a"
        (await worker.take()).succeed()
        with pytest.raises(Unauthenticated):
            await stranger.whoami()


@pytest.mark.parametrize(("options", "calls"), [({}, 0), ({"log_level": "info"}, 1)])
async def test_the_log_of_a_server(
    options: dict[str, Any], calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line for each call by default; what the test itself logs by structlog is as ever."""
    before = structlog.get_config()["logger_factory"]
    async with MemoryServer(**options) as server, Client(server.address) as client:
        await client.submit("k")
        structlog.get_logger("mine").info("own")
        structlog.get_logger("milepost.test").error("a fault")
    lines = capsys.readouterr().out.splitlines()

    assert sum("SubmitJob" in line for line in lines) == calls
    assert [text for text in ("own", "a fault") if any(text in line for line in lines)] == ["own", "a fault"]
    assert structlog.get_config()["logger_factory"] is before


async def test_a_configuration_that_is_restored_later() -> None:
    """The log of the next server works, where a fixture restores what it found while another one ran."""
    before = structlog.get_config()
    try:
        async with MemoryServer():
            found = structlog.get_config()
        structlog.configure(**found)
        async with MemoryServer():
            structlog.get_logger("milepost.test").error("a fault")
    finally:
        structlog.configure(**before)


def test_a_level_that_there_is_not() -> None:
    """The error names those that there are."""
    with pytest.raises(ValueError, match="There is no log_level='loud': use debug, info, warning, error"):
        MemoryServer(log_level="loud")
