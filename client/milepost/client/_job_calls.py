"""The unary calls of a client, and the lists that it fetches page by page."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Unpack

from google.protobuf.duration_pb2 import Duration

from milepost.client._arguments import (
    build_request,
    check_flags,
    check_names,
    check_seconds,
    check_text,
    to_job_states,
)
from milepost.client._conversion import to_duration, to_stages, to_struct
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import JobQuery, SubmitOptions
from milepost.client._transport.channel import LazyChannel
from milepost.v1 import (
    CancelJobRequest,
    ConnectedWorker,
    DeleteJobRequest,
    Dispatch,
    GetHistoryRequest,
    GetHistoryResponse,
    GetJobRequest,
    GetJobResponse,
    JobFilter,
    ListJobsRequest,
    ListWorkersRequest,
    RevokeSharesRequest,
    ShareJobRequest,
    ShareJobResponse,
    Stage,
    SubmitJobRequest,
    Waiting,
    WhoAmIRequest,
    WhoAmIResponse,
)

__all__ = ["JobCalls", "job_filter", "submit_request"]


class JobCalls:
    """The unary calls over one channel, each with the same timeout in seconds."""

    def __init__(self, channel: LazyChannel, timeout: float) -> None:
        check_seconds(timeout=timeout)
        self._channel = channel
        self._timeout = timeout

    async def submit(self, request: SubmitJobRequest) -> JobSnapshot:
        """See `Client.submit`."""
        response = await self._channel.call(lambda: self._channel.jobs().SubmitJob, request, self._timeout)
        return JobSnapshot(response.job)

    async def get(self, job_id: str) -> GetJobResponse:
        """See `Client.get` and `waiting`."""
        check_text(job_id=job_id)
        request = build_request(GetJobRequest, job_id=job_id)
        return await self._channel.call(lambda: self._channel.jobs().GetJob, request, self._timeout)

    async def waiting(self, job_id: str) -> Waiting | None:
        """Why a QUEUED job has not started; None if it is not QUEUED.

        `Waiting.waiting_for` says whether the job waits for its place in the queue, for workers that may reconnect, for
        a claim, or for a worker that takes its kind; in the last case `Waiting.nearest_kinds` lists similar kinds that
        connected workers do take. `Watch.waiting` follows the same value.

        Raises:
            JobNotFound: There is no such job.
        """
        response = await self.get(job_id)
        return response.waiting if response.HasField("waiting") else None

    async def cancel(self, job_id: str, reason: str, grace_period: float | timedelta | None) -> JobSnapshot:
        """Request the cancellation of a job and its children, and return its new state.

        The server cancels a queued job at once; a running job is CANCELLING until its worker has stopped. For a job
        that has ended this returns its final state, without an error.

        Args:
            job_id: The job.
            reason: Reason, for people.
            grace_period: Seconds for the worker to stop before the server ends the job as CANCELLED; None for 30.

        Raises:
            JobNotFound: There is no such job.
        """
        check_text(job_id=job_id)
        request = build_request(
            CancelJobRequest,
            job_id=job_id,
            reason=reason,
            grace_period=_duration(grace_period, "grace_period"),
        )
        response = await self._channel.call(lambda: self._channel.jobs().CancelJob, request, self._timeout)
        return JobSnapshot(response.job)

    async def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its log. Its artifacts remain where they are.

        Raises:
            JobNotFound: There is no such job.
            JobNotEnded: The job has not ended; cancel it first.
        """
        check_text(job_id=job_id)
        request = build_request(DeleteJobRequest, job_id=job_id)
        await self._channel.call(lambda: self._channel.jobs().DeleteJob, request, self._timeout)

    async def list(
        self, filter_: JobFilter, order_by: str, page_size: int
    ) -> AsyncGenerator[JobSnapshot, None]:
        """See `Client.list`."""
        request = build_request(ListJobsRequest, filter=filter_, order_by=order_by, page_size=page_size)
        while True:
            page = await self._channel.call(lambda: self._channel.jobs().ListJobs, request, self._timeout)
            for job in page.jobs:
                yield JobSnapshot(job)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def whoami(self) -> WhoAmIResponse:
        """The principal of this client: its identity and rights. Needs a credential, but no scope."""
        return await self._channel.call(lambda: self._channel.jobs().WhoAmI, WhoAmIRequest(), self._timeout)

    async def history(self, kind: str, owner: str = "") -> GetHistoryResponse:
        """The history of a kind: the runs that its estimates rest on.

        It covers the latest runs that succeeded, at most 32: the median and the 90th percentile of their durations,
        their stages, and how good estimates of these runs are in hindsight, each from the runs before it. Of a kind
        without runs everything is 0 and empty.

        Args:
            kind: The kind.
            owner: Owner of the jobs; empty for jobs without an owner, or for the only owner of the client's credential.

        Raises:
            InvalidField: `kind` or `owner` is out of bounds.
        """
        check_text(kind=kind)
        request = build_request(GetHistoryRequest, kind=kind, owner=owner)
        return await self._channel.call(lambda: self._channel.jobs().GetHistory, request, self._timeout)

    async def share(self, job_id: str, *, ttl: float | timedelta | None, cancel: bool) -> ShareJobResponse:
        """A token with which somebody else reads a job and its children, and with `cancel` cancels them.

        Args:
            job_id: The job.
            ttl: Lifetime in seconds, at most 7 days; None for 15 minutes.
            cancel: Whether the token may cancel the job, which takes the right to do so.

        Raises:
            JobNotFound: There is no such job.
            InvalidField: `ttl` is out of bounds.
        """
        check_text(job_id=job_id)
        check_flags(cancel=cancel)
        request = build_request(
            ShareJobRequest, job_id=job_id, scopes=["read", "cancel"] if cancel else ["read"]
        )
        if ttl is not None:
            request.ttl.CopyFrom(to_duration(ttl, "ttl"))
        return await self._channel.call(lambda: self._channel.jobs().ShareJob, request, self._timeout)

    async def revoke_shares(self, job_id: str) -> None:
        """Revoke all tokens that `share` has made for a job; their open streams end within seconds.

        Raises:
            JobNotFound: There is no such job.
        """
        check_text(job_id=job_id)
        request = build_request(RevokeSharesRequest, job_id=job_id)
        await self._channel.call(lambda: self._channel.jobs().RevokeShares, request, self._timeout)

    async def workers(self, kind: str, page_size: int) -> AsyncGenerator[ConnectedWorker, None]:
        """The workers connected to the server or to any node of its cluster, in the order of their ids.

        Args:
            kind: Workers that take jobs of this kind; empty for all.
            page_size: Workers per page; 0 for the server's default.

        Raises:
            InvalidField: A field is out of bounds.
        """
        request = build_request(ListWorkersRequest, kind=kind, page_size=page_size)
        while True:
            page = await self._channel.call(lambda: self._channel.admin().ListWorkers, request, self._timeout)
            for worker in page.workers:
                yield worker
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def submit_request(
    kind: str,
    input_values: Mapping[str, Any] | None,
    dispatch: Dispatch.ValueType,
    start_deadline: float | timedelta | None,
    *,
    request_id: str = "",
    stages: Sequence[Stage | str] = (),
    timeout: float | timedelta | None = None,
    attempt_timeout: float | timedelta | None = None,
    **options: Any,
) -> SubmitJobRequest:
    """The request of `Client.submit`.

    Raises:
        TypeError: A value is not of its option's type, a value of the input is not JSON, or there is no such option.
        ValueError: A number of the input is not finite, or not exact as a double.
    """
    check_names(options, SubmitOptions, "submitting a job")
    check_text(kind=kind)
    return build_request(
        SubmitJobRequest,
        kind=kind,
        request_id=request_id or str(uuid.uuid4()),
        input=to_struct(input_values, "input") if input_values is not None else None,
        dispatch=dispatch,
        stages=to_stages(stages),
        start_deadline=_duration(start_deadline, "start_deadline"),
        timeout=_duration(timeout, "timeout"),
        attempt_timeout=_duration(attempt_timeout, "attempt_timeout"),
        **options,
    )


def job_filter(**query: Unpack[JobQuery]) -> JobFilter:
    """The filter that a query means.

    Raises:
        TypeError: There is no such condition, or a value is not of its type.
        ValueError: There is no such state.
    """
    check_names(query, JobQuery, "filtering jobs")
    states = to_job_states(query.pop("states", ()))
    return build_request(JobFilter, **query, states=states)


def _duration(seconds: float | timedelta | None, name: str) -> Duration | None:
    return to_duration(seconds, name) if seconds is not None else None
