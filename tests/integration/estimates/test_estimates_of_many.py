"""Estimates in the statuses of watches of many jobs, whichever way they come."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import JobEstimate, JobFilter, JobState, Status, WatchJobRequest, WatchJobsRequest
from tests.support.connect_watch import ConnectHttpJobs
from tests.support.http_watch import HttpJobs
from tests.support.rpc import Rpc, connect, log_line, succeeded
from tests.support.server import ServerProcess
from tests.support.staged_runs import RUN, ended, run, started

_NIGHTLY = [pytest.param(each, marks=pytest.mark.nightly) for each in ("sse", "ndjson", "connect")]


@pytest.fixture(params=["grpc", *_NIGHTLY])
async def rpc(request: pytest.FixtureRequest, web_server: ServerProcess) -> AsyncIterator[Rpc]:
    """A client of the server's services, whose watches come by gRPC or over HTTP."""
    async with connect(web_server.address) as connected:
        if request.param == "connect":
            connected.jobs = cast("Any", ConnectHttpJobs(web_server.url, "proto", connected.jobs))
        elif request.param != "grpc":
            connected.jobs = cast("Any", HttpJobs(web_server.url, request.param, connected.jobs))
        yield connected


@pytest.fixture
def kind() -> str:
    """A kind without a history."""
    return f"kind-{uuid.uuid4().hex[:8]}"


async def next_status(watch: Any) -> Status:
    """The next status of a stream."""
    async with asyncio.timeout(120):
        while not (frame := await watch.read()).HasField("status"):
            pass
    status: Status = frame.status
    return status


async def estimates_of(watch: Any) -> list[JobEstimate]:
    """Those of the next status that has any."""
    while not (status := await next_status(watch)).job_estimates:
        pass
    return list(status.job_estimates)


async def estimate_of(watch: Any, job_id: str) -> JobEstimate:
    """The next one of a job. That of the one before it may change first, if a busy machine lets it become overdue."""
    while True:
        (found,) = await estimates_of(watch)
        if found.job_id == job_id:
            return found


async def test_a_stream_that_is_never_idle_has_estimates(rpc: Rpc, kind: str) -> None:
    """A new estimate is sent between events, without a wait for the stream to be idle."""
    async with rpc.session(kinds=[kind]) as session:
        await run(rpc, session, *RUN, succeeded(), kind=kind)
        job_id = (await rpc.submit(kind=kind)).job_id
        _, token = await session.take()
        watch = rpc.jobs.WatchJobs(
            WatchJobsRequest(
                from_latest=True, filter=JobFilter(job_ids=[job_id]), status_interval=Duration(seconds=2)
            )
        )

        async def keep_busy() -> None:
            for number in count(1):
                await session.report(job_id, token, number, log_line("still here"))
                await session.acknowledged(number)
                await asyncio.sleep(0.2)

        busy = asyncio.create_task(keep_busy())
        try:
            found = await estimates_of(watch)
        finally:
            busy.cancel()
            watch.cancel()

    assert [each.job_id for each in found] == [job_id]


@pytest.mark.parametrize("watched", ["one", "many"])
async def test_who_asks_at_intervals_has_estimates(rpc: Rpc, kind: str, watched: str) -> None:
    """A stream that ends at the head ends with the status that is due, if its request says that it takes statuses."""
    async with rpc.session(kinds=[kind]) as session:
        await run(rpc, session, *RUN, succeeded(), kind=kind)
        job_id = (await rpc.submit(kind=kind)).job_id
        await session.take()

        async def frames(**fields: Any) -> list[Any]:
            fields |= {"from_latest": True, "no_follow": True}
            watch: Any
            if watched == "one":
                watch = rpc.jobs.WatchJob(WatchJobRequest(job_id=job_id, **fields))
            else:
                watch = rpc.jobs.WatchJobs(WatchJobsRequest(filter=JobFilter(job_ids=[job_id]), **fields))
            return [frame async for frame in watch]

        without = await frames()
        *before, last = await frames(status_interval=Duration(seconds=10))
        estimates = (
            [last.status.estimate] if watched == "one" else [e.estimate for e in last.status.job_estimates]
        )

    assert [[frame.WhichOneof("frame") for frame in each] for each in (without, before)] == [
        ["opened", "caught_up"],
        ["opened", "caught_up"],
    ]
    assert [estimate.sample_size for estimate in estimates] == [1]


async def test_a_status_has_the_estimates_of_jobs_that_run(rpc: Rpc, kind: str) -> None:
    """Of those that match, once for each that is worth a status: of a job that has started, and of the next one."""

    def watch(wanted: JobFilter) -> Any:
        return rpc.jobs.WatchJobs(
            WatchJobsRequest(from_latest=True, filter=wanted, status_interval=Duration(seconds=1))
        )

    async with rpc.session(kinds=[kind], max_concurrency=2) as session:
        await run(rpc, session, *RUN, succeeded(), kind=kind)
        matching = watch(JobFilter(kinds=[kind]))
        others = [
            watch(JobFilter(kinds=["other"])),
            watch(JobFilter(kinds=[kind], states=[JobState.JOB_STATE_QUEUED])),
        ]
        job_id = (await rpc.submit(kind=kind)).job_id
        _, token = await session.take()
        first = await estimate_of(matching, job_id)
        await session.report(job_id, token, 1, started("load"), ended("load"), succeeded())
        await session.acknowledged(3)
        next_id = (await rpc.submit(kind=kind)).job_id
        await session.take()
        second = await estimate_of(matching, next_id)
        others_said = [list((await next_status(other)).job_estimates) for other in others]
        for each in (matching, *others):
            each.cancel()

    assert [(each.job_id, each.estimate.sample_size) for each in (first, second)] == [
        (job_id, 1),
        (next_id, 2),
    ]
    assert others_said == [[], []]
