"""The calls of a client: those that are answered at once."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from google.protobuf.duration_pb2 import Duration

from milepost.client._conversion import to_duration, to_stages, to_struct
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._transport.channel import LazyChannel, Target
from milepost.v1 import (
    CancelJobRequest,
    ConnectedWorker,
    DeleteJobRequest,
    Dispatch,
    GetJobRequest,
    GetJobResponse,
    JobFilter,
    JobState,
    ListJobsRequest,
    ListWorkersRequest,
    Retention,
    RetryPolicy,
    Stage,
    SubmitJobRequest,
    Waiting,
)

__all__ = ["Calls"]


class Calls:
    """A connection to a server, and the calls that are answered at once."""

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Nothing is connected yet.

        Args:
            address: The server as ``host:port``; from MILEPOST_ADDRESS, or ``127.0.0.1:7070``, where it is not given.
            token: Who is calling; from MILEPOST_TOKEN where it is not given.
            tls: Encrypts the connection.
            tls_ca: A PEM file with the certificates to trust, and implies `tls`; from MILEPOST_TLS_CA where it is not
                given, else those of the system.
            timeout: The most seconds that a call takes, and that a watch tries to connect for the first time.
        """
        self._channel = LazyChannel(Target.of(address, token=token, tls=tls, tls_ca=tls_ca))
        self._timeout = timeout

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._channel.target.address

    async def submit(
        self,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        job_id: str = "",
        request_id: str = "",
        owner: str = "",
        labels: Mapping[str, str] | None = None,
        parent_job_id: str = "",
        stages: Sequence[Stage | str] = (),
        planned_children: int = 0,
        workload: float = 0.0,
        workload_unit: str = "",
        timeout: float | timedelta | None = None,
        attempt_timeout: float | timedelta | None = None,
        start_deadline: float | timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        priority: int = 0,
        concurrency_key: str = "",
        concurrency_limit: int = 0,
        retention: Retention | None = None,
        dispatch: Dispatch.ValueType = Dispatch.DISPATCH_QUEUE,
    ) -> JobSnapshot:
        """Submits a job. It is durable when this returns.

        Args:
            kind: What sort of work it is; a worker of this kind takes it.
            input: What to work on, as JSON can say it; at most 1 MiB.
            job_id: Its id; empty for one of the server's making.
            request_id: Makes the call safe to repeat: the same request_id and content give the same job again. Empty
                for one of the SDK's making, under which its own retries are safe.
            owner: Whose job it is.
            labels: Marks to list by.
            parent_job_id: The job that it is a part of, and is cancelled with.
            stages: Its stages where they are known beforehand: just ids, or messages with weight, total, title. Only
                with a plan, by this or by `JobContext.plan`, does its fraction say how much is done.
            planned_children: How many children it will have, where it has no stages; 0 where that is not known.
            workload: The job's size in `workload_unit`, for estimates; 0 for unknown.
            workload_unit: What `workload` counts, such as ``"bytes"``.
            timeout: The longest that it may take from the start of its first attempt, in seconds; None for no bound.
            attempt_timeout: The longest that one attempt may run, in seconds; None for no bound.
            start_deadline: The longest that it may wait for its first attempt, in seconds; None for no bound.
            retry_policy: When a failed attempt is followed by another; None for one attempt only. With attempts left,
                exceptions, crashed processes and lost workers are retried; a `JobFailure` where it is retryable, or its
                code is among ``retryable_codes``.
            priority: Jobs of a higher one go first among those of their kind that wait; -1,000 to 1,000.
            concurrency_key: Jobs of the same owner and key take turns, as a user's may; empty for none.
            concurrency_limit: How many of them may be at work for this one to start; 0 with a key for one.
            retention: How long the job and its events are kept; None for as long as the server has it.
            dispatch: Who is to run it: a worker from the queue, or another engine whose code claims it.

        Raises:
            InvalidField: A field is out of its bounds.
            TooLarge: The input is over its limit.
            JobAlreadyExists: There is a job with this id, or this request_id had another content.
            JobNotFound: There is no such parent.
            JobEndedError: The parent has ended.
            LimitReached: There are too many jobs.
            TypeError: The input holds something that JSON cannot say.
            ValueError: The input holds a number that JSON cannot say.
        """
        request = SubmitJobRequest(
            job_id=job_id,
            request_id=request_id or str(uuid.uuid4()),
            kind=kind,
            owner=owner,
            labels=labels,
            parent_job_id=parent_job_id,
            input=to_struct(input, "input") if input is not None else None,
            stages=to_stages(stages),
            planned_children=planned_children,
            workload=workload,
            workload_unit=workload_unit,
            timeout=_duration(timeout),
            attempt_timeout=_duration(attempt_timeout),
            start_deadline=_duration(start_deadline),
            retry_policy=retry_policy,
            priority=priority,
            concurrency_key=concurrency_key,
            concurrency_limit=concurrency_limit,
            retention=retention,
            dispatch=dispatch,
        )
        return JobSnapshot(
            (await self._channel.call(self._channel.jobs().SubmitJob, request, self._timeout)).job
        )

    async def get(self, job_id: str) -> JobSnapshot:
        """The job as it stands.

        Raises:
            JobNotFound: There is no such job.
        """
        return JobSnapshot((await self._get(job_id)).job)

    async def waiting(self, job_id: str) -> Waiting | None:
        """What a QUEUED job waits for at this moment; None where it is not QUEUED.

        `Waiting.waiting_for` says whether it waits for its turn, for workers that may be reconnecting, to be claimed,
        or for a worker where none that is connected takes its kind; `Waiting.nearest_kinds` are then those that
        workers do take. A watch tells the same as it changes: `Watch.waiting`.

        Raises:
            JobNotFound: There is no such job.
        """
        response = await self._get(job_id)
        return response.waiting if response.HasField("waiting") else None

    async def list(
        self,
        *,
        owner: str = "",
        kinds: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        parent_job_id: str = "",
        job_ids: Iterable[str] = (),
        states: Iterable[JobState.ValueType] = (),
        order_by: str = "",
        page_size: int = 0,
    ) -> AsyncGenerator[JobSnapshot, None]:
        """All jobs that match, fetched page by page as they are asked for.

        Args:
            owner: Those of this owner; empty for any.
            kinds: Those of one of these kinds; none for any.
            labels: Those that bear all of these labels.
            parent_job_id: Those that are a part of this one; empty for any.
            job_ids: These; none for any.
            states: Those in one of these states; none for any.
            order_by: ``"submit_time desc"``, the default, or ``"submit_time"``.
            page_size: How many to fetch at once; 0 leaves it to the server.

        Raises:
            InvalidField: A field is out of its bounds.
        """
        request = ListJobsRequest(
            filter=JobFilter(
                owner=owner,
                kinds=kinds,
                labels=labels,
                parent_job_id=parent_job_id,
                job_ids=job_ids,
                states=states,
            ),
            page_size=page_size,
            order_by=order_by,
        )
        while True:
            page = await self._channel.call(self._channel.jobs().ListJobs, request, self._timeout)
            for job in page.jobs:
                yield JobSnapshot(job)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def workers(self, *, kind: str = "", page_size: int = 0) -> AsyncGenerator[ConnectedWorker, None]:
        """The workers that are connected to the server, or to any of its nodes, by their ids.

        Args:
            kind: Those that take jobs of this kind; empty for all.
            page_size: How many to fetch at once; 0 leaves it to the server.

        Raises:
            InvalidField: A field is out of its bounds.
        """
        request = ListWorkersRequest(kind=kind, page_size=page_size)
        while True:
            page = await self._channel.call(self._channel.admin().ListWorkers, request, self._timeout)
            for worker in page.workers:
                yield worker
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def cancel(
        self, job_id: str, *, reason: str = "", grace_period: float | timedelta | None = None
    ) -> JobSnapshot:
        """Asks for a job, and its children, to be cancelled, and returns it as it stands then.

        A queued job is cancelled at once; a running one is CANCELLING until its worker has stopped. A job that has
        ended is returned as it ended, without an error.

        Args:
            job_id: The job.
            reason: Why, for people.
            grace_period: How many seconds its worker has to stop before the job is CANCELLED without it; None for 30.

        Raises:
            JobNotFound: There is no such job.
        """
        request = CancelJobRequest(
            job_id=job_id,
            reason=reason,
            grace_period=to_duration(grace_period) if grace_period is not None else None,
        )
        return JobSnapshot(
            (await self._channel.call(self._channel.jobs().CancelJob, request, self._timeout)).job
        )

    async def delete(self, job_id: str) -> None:
        """Deletes a job that has ended, with its log. What it has made stays where it lies.

        Raises:
            JobNotFound: There is no such job.
            JobNotEnded: It has not ended; cancel it first.
        """
        await self._channel.call(
            self._channel.jobs().DeleteJob, DeleteJobRequest(job_id=job_id), self._timeout
        )

    async def _get(self, job_id: str) -> GetJobResponse:
        request = GetJobRequest(job_id=job_id)
        return await self._channel.call(self._channel.jobs().GetJob, request, self._timeout)

    async def close(self) -> None:
        """Ends the connection and all calls and watches on it. Jobs go on."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _duration(seconds: float | timedelta | None) -> Duration | None:
    return to_duration(seconds) if seconds is not None else None
