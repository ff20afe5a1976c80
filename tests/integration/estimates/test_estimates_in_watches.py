"""Estimates in what watches begin with: snapshots, and the first status of a queued job."""

from __future__ import annotations

import asyncio

from google.protobuf.duration_pb2 import Duration

from milepost.v1 import JobFilter, Status, WaitingFor, WatchJobsRequest
from tests.support.rpc import Rpc, WatchCall, succeeded
from tests.support.staged_runs import RUN, run

HOUR = Duration(seconds=3600)


async def first_status(watch: WatchCall) -> Status:
    """The first status of a stream."""
    async with asyncio.timeout(120):
        async for frame in watch:
            if frame.HasField("status"):
                watch.cancel()
                return frame.status
    raise AssertionError("the stream ended without a status")


async def test_a_queued_job_has_a_status_at_once(rpc: Rpc) -> None:
    """Although it waits for its turn only: it says how long such a job takes, and its place in the queue."""
    async with rpc.session(max_concurrency=1) as session:
        await run(rpc, session, *RUN, succeeded())
        await rpc.submit()
        await session.take()
        job_id = (await rpc.submit()).job_id
        status = await first_status(rpc.watch(job_id, status_interval=HOUR))
    waiting = status.waiting
    assert waiting.waiting_for == WaitingFor.WAITING_FOR_TURN
    assert (waiting.run.sample_size, waiting.jobs_ahead, waiting.jobs_waiting) == (1, 0, 1)


async def test_a_snapshot_has_the_estimate(rpc: Rpc) -> None:
    """Of a job that runs, in a watch of that job and in one of many; a job that has ended has none."""
    async with rpc.session() as session:
        ended = await run(rpc, session, *RUN, succeeded())
        running = (await rpc.submit()).job_id
        await session.take()
        estimates = {}
        for job_id in (ended, running):
            watch = rpc.watch(job_id, from_snapshot=True)
            async for frame in watch:
                if frame.HasField("snapshot"):
                    estimates[job_id] = frame.snapshot.job.estimate.sample_size
                    break
            watch.cancel()
        request = WatchJobsRequest(
            from_snapshot=True, no_follow=True, filter=JobFilter(job_ids=[ended, running])
        )
        listed = {
            frame.snapshot.job.job_id: frame.snapshot.job.estimate.sample_size
            async for frame in rpc.jobs.WatchJobs(request)
            if frame.HasField("snapshot")
        }
    assert estimates == {ended: 0, running: 1}
    assert listed == {ended: 0, running: 1}
