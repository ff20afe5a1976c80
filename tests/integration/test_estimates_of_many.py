"""Estimates in the statuses of watches of many jobs, whichever way they come."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.v1 import JobEstimate, JobFilter, JobState, Status, WatchJobsRequest
from tests.support.connect_watch import ConnectHttpJobs
from tests.support.http_watch import HttpJobs
from tests.support.rpc import Rpc, connect, succeeded
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
    async with asyncio.timeout(30):
        while not (frame := await watch.read()).HasField("status"):
            pass
    status: Status = frame.status
    return status


async def estimates_of(watch: Any) -> list[JobEstimate]:
    """Those of the next status that has any."""
    while not (status := await next_status(watch)).job_estimates:
        pass
    return list(status.job_estimates)


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
        (first,) = await estimates_of(matching)
        await session.report(job_id, token, 1, started("load"), ended("load"), succeeded())
        await session.acknowledged(3)
        next_id = (await rpc.submit(kind=kind)).job_id
        await session.take()
        (second,) = await estimates_of(matching)
        others_said = [list((await next_status(other)).job_estimates) for other in others]
        for each in (matching, *others):
            each.cancel()

    assert [(each.job_id, each.estimate.sample_size) for each in (first, second)] == [
        (job_id, 1),
        (next_id, 2),
    ]
    assert others_said == [[], []]
