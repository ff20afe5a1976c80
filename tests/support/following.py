"""Subscribers that resume after each crash of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from milepost.v1 import JobFilter, WatchJobRequest, WatchJobsRequest, WatchJobsResponse
from tests.support.reporting import BROKEN
from tests.support.rpc import Rpc
from tests.support.validators import Recording

__all__ = ["follow", "follow_all"]


async def follow(rpc: Rpc, job_id: str, seen: Recording) -> None:
    """Follow a job to its end; resume after the last sequence whenever the stream breaks."""
    ended = False
    while not ended:
        cursor = seen.cursor or 0
        request = WatchJobRequest(job_id=job_id, after_sequence=cursor)
        code = await seen.record(rpc.jobs.WatchJob(request, wait_for_ready=True), cursor)
        assert code in (grpc.StatusCode.OK, *BROKEN)
        ended = any(event.HasField("job_ended") for event in seen.streams[-1].events)


async def follow_all(rpc: Rpc, jobs: int, seen: Recording) -> None:
    """Follow all jobs of the kind until ``jobs`` have ended; resume after the last position."""
    ended = 0

    async def until_all_ended(request: WatchJobsRequest) -> AsyncIterator[WatchJobsResponse]:
        nonlocal ended
        call = rpc.jobs.WatchJobs(request, wait_for_ready=True)
        async for frame in call:
            yield frame
            ended += sum(event.HasField("job_ended") for event in frame.events.events)
            if ended == jobs:
                call.cancel()
                return

    while ended < jobs:
        cursor = seen.cursor or 0
        request = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), after_position=cursor)
        code = await seen.record(until_all_ended(request), cursor)
        assert code in (grpc.StatusCode.OK, *BROKEN)
    seen.streams[-1].code = None  # the subscriber left
