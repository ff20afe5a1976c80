"""JobService: validate, call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from milepost.server import decide
from milepost.server.base.callers import caller_of
from milepost.server.base.slices import Slices
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.journal import Journal
from milepost.server.log.event_log import EventLog
from milepost.server.rpc import job_listing, validation
from milepost.server.submissions import Submissions
from milepost.server.watching.watches import Watches
from milepost.v1 import (
    CancelJobRequest,
    CancelJobResponse,
    DeleteJobRequest,
    DeleteJobResponse,
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
    """The service for submitting, watching and cancelling jobs."""

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        submissions: Submissions,
        watches: Watches,
        waits: WaitReasons,
        slices: Slices,
    ) -> None:
        self._log = log
        self._journal = journal
        self._submissions = submissions
        self._watches = watches
        self._waits = waits
        self._slices = slices

    async def SubmitJob(self, request: SubmitJobRequest, context: _Context) -> SubmitJobResponse:
        """See the contract."""
        await self._slices.run(validation.submit(request), lambda: context.peer())
        return SubmitJobResponse(job=await self._submissions.submit(request, caller_of(context.peer())))

    async def GetJob(self, request: GetJobRequest, context: _Context) -> GetJobResponse:
        """See the contract."""
        validation.job_id(request.job_id)
        job = await self._journal.find(request.job_id, caller=caller_of(context.peer()))
        return GetJobResponse(job=job, waiting=self._waits.of_job(job))

    async def ListJobs(self, request: ListJobsRequest, context: _Context) -> ListJobsResponse:
        """See the contract."""
        validation.list_jobs(request)
        return await job_listing.page(self._log, request, caller_of(context.peer()))

    async def CancelJob(self, request: CancelJobRequest, context: _Context) -> CancelJobResponse:
        """See the contract."""
        validation.cancel(request)
        decision = decide.cancel_requested(request, self._journal.ages.age)
        await self._journal.commit(request.job_id, decision)
        return CancelJobResponse(job=await self._journal.find(request.job_id))

    async def DeleteJob(self, request: DeleteJobRequest, context: _Context) -> DeleteJobResponse:
        """See the contract."""
        validation.job_id(request.job_id)
        await self._journal.delete(request.job_id)
        return DeleteJobResponse()

    async def WatchJob(self, request: WatchJobRequest, context: _Context) -> None:
        """See the contract. Sends serialised responses."""
        validation.watch_job(request)
        await self._watches.watch_job(request, context.peer(), context.write)

    async def WatchJobs(self, request: WatchJobsRequest, context: _Context) -> None:
        """See the contract. Sends serialised responses."""
        validation.watch_jobs(request)
        await self._watches.watch_jobs(request, context.peer(), context.write)
