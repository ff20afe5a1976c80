"""JobService: decode, call, encode."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, NoReturn

import grpc.aio

from milepost.contract import limits
from milepost.server import decide
from milepost.server.edge import requests
from milepost.server.instants import SECOND, nanoseconds
from milepost.server.jobs import listing
from milepost.server.jobs.submissions import Submissions
from milepost.server.journal import Journal
from milepost.server.log.event_log import EventLog
from milepost.server.refusal import Unimplemented
from milepost.server.watching.watch import Watcher
from milepost.v1 import (
    CancelJobRequest,
    CancelJobResponse,
    Delivery,
    GetJobRequest,
    GetJobResponse,
    ListJobsRequest,
    ListJobsResponse,
    SubmitJobRequest,
    SubmitJobResponse,
    WatchJobRequest,
    WatchJobsRequest,
)

_Context = grpc.aio.ServicerContext[Any, Any]


class JobService:
    """For those who submit, follow and cancel jobs."""

    def __init__(self, log: EventLog, journal: Journal, submissions: Submissions, watcher: Watcher) -> None:
        self._log = log
        self._journal = journal
        self._submissions = submissions
        self._watcher = watcher

    async def SubmitJob(self, request: SubmitJobRequest, context: _Context) -> SubmitJobResponse:
        """See the contract."""
        requests.submit(request)
        return SubmitJobResponse(job=await self._submissions.submit(request))

    async def GetJob(self, request: GetJobRequest, context: _Context) -> GetJobResponse:
        """See the contract."""
        requests.job_id(request.job_id)
        return GetJobResponse(job=await self._journal.find(request.job_id))

    async def ListJobs(self, request: ListJobsRequest, context: _Context) -> ListJobsResponse:
        """See the contract."""
        requests.list_jobs(request)
        return await listing.page(self._log, request)

    async def CancelJob(self, request: CancelJobRequest, context: _Context) -> CancelJobResponse:
        """See the contract."""
        requests.cancel(request)
        grace_period = int(limits.GRACE_PERIOD * SECOND)
        if request.HasField("grace_period"):
            grace_period = nanoseconds(request.grace_period)
        await self._journal.act(
            request.job_id,
            lambda opened, now: decide.cancel(
                opened.job, reason=request.reason, requested_by="", grace_period=grace_period, now=now
            ),
        )
        return CancelJobResponse(job=await self._journal.find(request.job_id))

    async def WatchJob(self, request: WatchJobRequest, context: _Context) -> None:
        """See the contract. The frames are serialised already."""
        requests.watch(request)
        if request.HasField("filter"):
            raise Unimplemented(
                "WatchJob does not filter events yet; leave `filter` out and pick them at the client."
            )
        if request.delivery == Delivery.DELIVERY_LATEST:
            raise Unimplemented(
                "WatchJob does not thin progress yet; leave `delivery` out to be sent every event."
            )
        async with aclosing(self._watcher.watch(request)) as frames:
            async for frame in frames:
                await context.write(frame)

    async def WatchJobs(self, request: WatchJobsRequest, context: _Context) -> NoReturn:
        """See the contract."""
        raise Unimplemented("WatchJobs is not served yet; watch each job with WatchJob, or poll ListJobs.")
