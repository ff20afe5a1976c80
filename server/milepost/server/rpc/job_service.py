"""JobService: validate, call, encode."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio

from milepost.contract import limits
from milepost.contract.job_states import has_ended, state_name
from milepost.server import decide
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.journal import Journal
from milepost.server.log.event_log import Conflict, EventLog
from milepost.server.rpc import job_listing, validation
from milepost.server.rpc.refusal import job_not_ended, job_not_found
from milepost.server.runtime.timestamps import SECOND, nanoseconds
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
        watching: Watches,
        waits: WaitReasons,
    ) -> None:
        self._log = log
        self._journal = journal
        self._submissions = submissions
        self._watching = watching
        self._waits = waits

    async def SubmitJob(self, request: SubmitJobRequest, context: _Context) -> SubmitJobResponse:
        """See the contract."""
        validation.submit(request)
        return SubmitJobResponse(job=await self._submissions.submit(request))

    async def GetJob(self, request: GetJobRequest, context: _Context) -> GetJobResponse:
        """See the contract."""
        validation.job_id(request.job_id)
        job = await self._journal.find(request.job_id)
        return GetJobResponse(job=job, waiting=self._waits.of_job(job))

    async def ListJobs(self, request: ListJobsRequest, context: _Context) -> ListJobsResponse:
        """See the contract."""
        validation.list_jobs(request)
        return await job_listing.page(self._log, request)

    async def CancelJob(self, request: CancelJobRequest, context: _Context) -> CancelJobResponse:
        """See the contract."""
        validation.cancel(request)
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

    async def DeleteJob(self, request: DeleteJobRequest, context: _Context) -> DeleteJobResponse:
        """See the contract."""
        validation.job_id(request.job_id)
        job = await self._journal.find(request.job_id)
        if not has_ended(job):
            raise job_not_ended(job.job_id, state_name(job))
        try:
            await asyncio.shield(self._log.delete(request.job_id))
        except Conflict:  # somebody else has deleted it meanwhile
            raise job_not_found(request.job_id) from None
        return DeleteJobResponse()

    async def WatchJob(self, request: WatchJobRequest, context: _Context) -> None:
        """See the contract. Sends serialised responses."""
        validation.watch_job(request)
        await self._watching.watch_job(request, context.peer(), context.write)

    async def WatchJobs(self, request: WatchJobsRequest, context: _Context) -> None:
        """See the contract. Sends serialised responses."""
        validation.watch_jobs(request)
        await self._watching.watch_jobs(request, context.peer(), context.write)
