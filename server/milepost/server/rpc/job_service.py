"""JobService: decode, call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from milepost.server.access.current_principal import current_caller, current_principal
from milepost.server.calls.response_stream import ResponseStream
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.service.identity import Identity
from milepost.server.service.jobs import Jobs
from milepost.v1 import (
    CancelJobRequest,
    DeleteJobRequest,
    DeleteJobResponse,
    GetHistoryRequest,
    GetHistoryResponse,
    GetJobRequest,
    ListJobsRequest,
    RevokeSharesRequest,
    RevokeSharesResponse,
    ShareJobRequest,
    ShareJobResponse,
    SubmitJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
    WhoAmIRequest,
    WhoAmIResponse,
)

_Context = grpc.aio.ServicerContext[Any, Any]


class JobService:
    """The service for submitting, watching and cancelling jobs."""

    def __init__(self, jobs: Jobs, identity: Identity) -> None:
        self._identity = identity
        self._jobs = jobs

    async def SubmitJob(self, request: SubmitJobRequest, context: _Context) -> JobResponse:
        """See the contract."""
        return await self._jobs.submit(current_principal(), request, current_caller())

    async def GetJob(self, request: GetJobRequest, context: _Context) -> JobResponse:
        """See the contract."""
        return await self._jobs.get(current_principal(), request, current_caller())

    async def ListJobs(self, request: ListJobsRequest, context: _Context) -> bytes:
        """See the contract."""
        return await self._jobs.list(current_principal(), request, current_caller())

    async def CancelJob(self, request: CancelJobRequest, context: _Context) -> JobResponse:
        """See the contract."""
        return await self._jobs.cancel(current_principal(), request, current_caller())

    async def DeleteJob(self, request: DeleteJobRequest, context: _Context) -> DeleteJobResponse:
        """See the contract."""
        return await self._jobs.delete(current_principal(), request, current_caller())

    async def WatchJob(self, request: WatchJobRequest, stream: ResponseStream) -> None:
        """See the contract. Writes serialised responses."""
        await self._jobs.watch_job(current_principal(), request, current_caller(), stream.write)

    async def WatchJobs(self, request: WatchJobsRequest, stream: ResponseStream) -> None:
        """See the contract. Writes serialised responses."""
        await self._jobs.watch_jobs(current_principal(), request, current_caller(), stream.write)

    async def ShareJob(self, request: ShareJobRequest, context: _Context) -> ShareJobResponse:
        """See the contract."""
        return await self._jobs.share(current_principal(), request, current_caller())

    async def RevokeShares(self, request: RevokeSharesRequest, context: _Context) -> RevokeSharesResponse:
        """See the contract."""
        return await self._jobs.revoke_shares(current_principal(), request, current_caller())

    async def WhoAmI(self, request: WhoAmIRequest, context: _Context) -> WhoAmIResponse:
        """See the contract."""
        return self._identity.describe(current_principal(), current_caller())

    async def GetHistory(self, request: GetHistoryRequest, context: _Context) -> GetHistoryResponse:
        """See the contract."""
        return await self._jobs.history(current_principal(), request, current_caller())
