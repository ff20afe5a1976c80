"""The client: submit jobs, follow them, cancel them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, Self, Unpack, overload

from milepost.client._attach import AttachCalls, Attached
from milepost.client._job_calls import JobCalls, job_filter, submit_request
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import (
    AttachOptions,
    ConnectionOptions,
    JobQuery,
    JobsWatchOptions,
    OnLost,
    OnUnreachable,
    SubmitOptions,
    WatchOptions,
    describe_options,
    documented_by,
)
from milepost.client._results import result_of
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_watch import StateWatch, Watch
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.subscriptions import Subscriptions
from milepost.client._watch.watch_cursor import OnGap
from milepost.client._watch.watch_factory import (
    final_job,
    fold_snapshots,
    follow_watch,
    watch_job,
    watch_jobs,
)
from milepost.v1 import (
    ConnectedWorker,
    Dispatch,
    GetHistoryResponse,
    ShareJobResponse,
    Waiting,
    WhoAmIResponse,
)

__all__ = ["Client"]


class Client:
    """Client of a Milepost server: submit jobs, follow them, cancel them.

    An async context manager. Any number of tasks share one client and its one connection, which the first call opens::

        async with Client("127.0.0.1:7070") as client:
            job = await client.submit("archive", {"path": "/srv/photos", "output": "/srv/photos.tar.zst"})
            async for job in client.follow(job.job_id):
                print(f"{job.fraction:.0%}")
            print(await client.result(job.job_id))

    Every call may raise `Unreachable` if the server does not answer, and `Unauthenticated` or `PermissionDenied` if it
    rejects the caller. Each method documents its other errors. An expired token raises `TokenExpired`, unless the
    callable or file for tokens has another one: then calls are repeated, and watches and blocks go on.

    Methods that follow jobs (`watch`, `watch_jobs`, `follow`, `result`, `subscriptions`) reconnect without a time
    limit. If the server answers calls but a proxy blocks or buffers long-lived streams, they fall back to polling, log
    a warning, and set the state ``polling`` in the watch's `Connection`.
    """

    @describe_options
    def __init__(
        self, address: str | None = None, *, timeout: float = 30.0, **options: Unpack[ConnectionOptions]
    ) -> None:
        """Configure the client; the first call connects.

        Args:
            address: Server address as ``host:port``. Default: MILEPOST_ADDRESS, else ``127.0.0.1:7070``.
            timeout: Timeout in seconds of each call, of a watch's first connection, and of a node that lags behind a
                watch's cursor.
            options: See `ConnectionOptions`.

        Raises:
            InsecureToken: The token would travel unencrypted beyond this machine.
            TypeError: A value has the wrong type, or there is no such option.
            ValueError: The text cannot be a token, there is a certificate without its key, or `timeout` is negative.
        """
        self._channel = LazyChannel(Target.of(address, **options))
        self._timeout = timeout
        self._calls = JobCalls(self._channel, timeout)
        self._attach_calls = AttachCalls(self._channel, self._calls, timeout)

    @property
    def address(self) -> str:
        """Address of the server."""
        return self._channel.target.address

    @describe_options
    async def submit(
        self,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        dispatch: Dispatch.ValueType = Dispatch.DISPATCH_QUEUE,
        start_deadline: float | timedelta | None = None,
        **options: Unpack[SubmitOptions],
    ) -> JobSnapshot:
        """Submit a job. It is durable when this returns.

        Args:
            kind: Kind of the job; workers register for kinds.
            input: Input of the job: JSON values, at most 1 MiB.
            dispatch: Who runs it: a worker from the queue, or another engine whose code claims it.
            start_deadline: Maximum time from submission to the first attempt; None for no limit.
            options: See `SubmitOptions`.

        Raises:
            InvalidField: A field is out of bounds.
            TooLarge: The input exceeds its limit.
            JobAlreadyExists: A job with this id exists, or this request_id was used with other content.
            JobNotFound: The parent job does not exist.
            JobEndedError: The parent job has ended.
            LimitReached: There are too many jobs.
            TypeError: The input holds a value that JSON cannot represent, or there is no such option.
            ValueError: The input holds a number that JSON cannot represent.
        """
        return await self._calls.submit(submit_request(kind, input, dispatch, start_deadline, **options))

    async def get(self, job_id: str) -> JobSnapshot:
        """The current state of a job.

        Raises:
            JobNotFound: There is no such job.
        """
        return JobSnapshot((await self._calls.get(job_id)).job)

    @documented_by(JobCalls.waiting)
    async def waiting(self, job_id: str) -> Waiting | None:
        """Why a QUEUED job has not started; `help` has the whole text."""
        return await self._calls.waiting(job_id)

    @describe_options
    def list(
        self, *, order_by: str = "", page_size: int = 0, **options: Unpack[JobQuery]
    ) -> AsyncGenerator[JobSnapshot, None]:
        """All jobs that match, fetched page by page during iteration.

        Args:
            order_by: ``"submit_time desc"``, the default, or ``"submit_time"``.
            page_size: Jobs per page; 0 for the server's default.
            options: See `JobQuery`.

        Raises:
            InvalidField: A field is out of bounds.
        """
        return self._calls.list(job_filter(**options), order_by, page_size)

    @documented_by(JobCalls.workers)
    def workers(self, *, kind: str = "", page_size: int = 0) -> AsyncGenerator[ConnectedWorker, None]:
        """The connected workers; `help` has the whole text."""
        return self._calls.workers(kind, page_size)

    @documented_by(JobCalls.share)
    async def share(
        self, job_id: str, *, ttl: float | timedelta | None = None, cancel: bool = False
    ) -> ShareJobResponse:
        """Make a token for a job and its children; `help` has the whole text."""
        return await self._calls.share(job_id, ttl=ttl, cancel=cancel)

    @documented_by(JobCalls.revoke_shares)
    async def revoke_shares(self, job_id: str) -> None:
        """Revoke the tokens of a job; `help` has the whole text."""
        await self._calls.revoke_shares(job_id)

    @documented_by(JobCalls.whoami)
    async def whoami(self) -> WhoAmIResponse:
        """The principal of this client; `help` has the whole text."""
        return await self._calls.whoami()

    @documented_by(JobCalls.history)
    async def history(self, kind: str, owner: str = "") -> GetHistoryResponse:
        """The runs of a kind; `help` has the whole text."""
        return await self._calls.history(kind, owner)

    @documented_by(JobCalls.cancel)
    async def cancel(
        self, job_id: str, *, reason: str = "", grace_period: float | timedelta | None = None
    ) -> JobSnapshot:
        """Request the cancellation of a job and its children; `help` has the whole text."""
        return await self._calls.cancel(job_id, reason, grace_period)

    @documented_by(JobCalls.delete)
    async def delete(self, job_id: str) -> None:
        """Delete a job that has ended; `help` has the whole text."""
        await self._calls.delete(job_id)

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: Literal[False] = False,
        on_gap: Literal["raise"] = "raise",
        **options: Unpack[WatchOptions],
    ) -> Watch: ...

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: Literal[True],
        on_gap: OnGap = "raise",
        **options: Unpack[WatchOptions],
    ) -> StateWatch: ...

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: bool = False,
        on_gap: Literal["snapshot"],
        **options: Unpack[WatchOptions],
    ) -> StateWatch: ...

    @overload
    def watch(
        self, job_id: str, *, snapshot: bool, on_gap: OnGap, **options: Unpack[WatchOptions]
    ) -> Watch | StateWatch: ...

    @describe_options
    def watch(
        self, job_id: str, *, snapshot: bool = False, on_gap: OnGap = "raise", **options: Unpack[WatchOptions]
    ) -> Watch | StateWatch:
        """The events of a job: each exactly once and in order, across reconnects.

        The watch reconnects without a time limit and resumes after its last event. Close it with ``async with`` or
        `Watch.aclose` unless you iterate to its end::

            async with client.watch(job_id, after=41) as watch:
                async for event in watch:
                    print(event.sequence, event.WhichOneof("payload"))

        With ``snapshot`` or ``on_gap="snapshot"`` it also yields `Job` messages; see `StateWatch`.

        Args:
            job_id: The job.
            snapshot: Start with the job's current state, and continue with the next event.
            on_gap: What to do if events are unavailable because the server dropped them or its store was replaced:
                ``"raise"`` an error, or yield a ``"snapshot"`` of the job and continue from there.
            options: See `WatchOptions` and `StreamOptions`.

        Iterating raises:
            JobNotFound: There is no such job, or it was deleted.
            SequenceTrimmed: The server no longer has the events after `after`, or after the last event.
            SequenceAhead: Event `after` does not exist. With its `epoch`, a node has the client's timeout to read it.
            EpochChanged: `after`, or the last event, belongs to another store.
            InvalidField: `payloads` or `status_interval` is out of bounds.
            Unreachable: The first connection failed within the client's timeout.
            StreamsBlocked: No stream gets through, but calls do. With ``on_gap="snapshot"`` it polls and yields jobs.
            ServiceError: An error without a reason came for the eighth time in a row, with nothing new in between.
            ProtocolError: The server skipped or repeated an event.
        """
        return watch_job(self._channel, self._timeout, job_id, snapshot=snapshot, on_gap=on_gap, **options)

    @describe_options
    def watch_jobs(
        self, *, snapshot: bool = False, on_gap: OnGap = "raise", **options: Unpack[JobsWatchOptions]
    ) -> JobsWatch:
        """The events of all jobs that match, as one stream without repetitions or omissions.

        It reconnects like `watch`, and fails as that does; it ends by itself only without `follow`, so close it with
        ``async with``. `JobsWatch` documents the items. A board of all running jobs::

            board: dict[str, Fold] = {}
            async with client.watch_jobs(states=[JobState.JOB_STATE_RUNNING], snapshot=True) as watch:
                async for item in watch:
                    match item:
                        case Job():
                            board[item.job_id] = Fold(item)
                        case Event() if item.job_id in board:
                            board[item.job_id].apply(item)
                        case Deleted():
                            board.pop(item.job_id, None)

        Args:
            snapshot: Start with the current state of every job that matches, and continue with the next event.
            on_gap: What to do if the server cannot resume at the position: ``"raise"`` an error, or yield a `Gap` and
                then, as a ``"snapshot"``, the current state of every job that matches.
            options: See `JobQuery`, `JobsWatchOptions` and `StreamOptions`.

        Iterating raises:
            SequenceTrimmed: The server no longer has all events of matching jobs after the position.
            SequenceAhead: The store has not reached this position yet; as for `watch`.
            EpochChanged: The position belongs to another store.
            InvalidField: A field is out of bounds.
            Unreachable: The first connection failed within the client's timeout.
            StreamsBlocked: The server answers calls, but no stream gets through.
            ProtocolError: The server violated the contract.
        """
        return watch_jobs(self._channel, self._timeout, snapshot=snapshot, on_gap=on_gap, **options)

    def subscriptions(self) -> Subscriptions:
        """Watches of single jobs, added and removed at run time and merged into one; see `Subscriptions`."""
        return Subscriptions(self.watch)

    def follow(
        self,
        job_id: str,
        *,
        on_state: Callable[[Connection], None] | None = None,
        status_interval: float | None = None,
    ) -> AsyncGenerator[JobSnapshot, None]:
        """The state of a job: now, and after each change or each batch of changes, until the job has ended.

        Each item is an immutable snapshot. Show its `fraction` as a percentage only if its `fraction_known` is true.
        Its `estimate` says what the job still takes; a new one counts as a change, and in between count down from its
        `as_of`. Events that the server drops meanwhile, or a replaced store, do not affect the state.

        Args:
            job_id: The job.
            on_state: As for `watch`.
            status_interval: As for `watch`.

        Raises:
            JobNotFound: There is no such job, or it was deleted.
            Unreachable: The first connection failed within the client's timeout.
        """
        return fold_snapshots(
            follow_watch(
                self._channel, self._timeout, job_id, on_state=on_state, status_interval=status_interval
            )
        )

    async def result(self, job_id: str, *, timeout: float | None = None) -> dict[str, Any]:
        """Wait until the job has ended, and return its result; empty if its handler returned nothing.

        JSON has one type of number: whole numbers arrive as ints, others as floats.

        Args:
            job_id: The job.
            timeout: Seconds to wait; None for no limit. The job continues after a timeout.

        Raises:
            JobFailed: The job failed; `failure` says why.
            JobCancelled: The job was cancelled; `cancellation` says by whom and why.
            JobLost: The worker disappeared and no attempts are left.
            TimeoutError: The job did not end in time.
            JobNotFound: There is no such job.
        """
        return result_of(await final_job(self.follow(job_id), job_id, timeout))

    @documented_by(AttachCalls.attach)
    def attach(self, job_id: str, **options: Unpack[AttachOptions]) -> Attached:
        """Claim a job that another engine runs, for a block of code; `help` has the whole text."""
        return self._attach_calls.attach(job_id, **options)

    @documented_by(AttachCalls.start)
    def start(
        self,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        start_deadline: float | timedelta | None = 60.0,
        wait: float | timedelta | None = None,
        instance: str | None = None,
        on_unreachable: OnUnreachable = "raise",
        on_lost: OnLost = "raise",
        worker_id: str | None = None,
        flush_timeout: float = 10.0,
        spool: str | os.PathLike[str] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Attached:
        """Submit a job and claim it at once, for a block of code; `help` has the whole text."""
        attach_options = AttachOptions(
            wait=wait,
            instance=instance,
            on_unreachable=on_unreachable,
            on_lost=on_lost,
            worker_id=worker_id,
            flush_timeout=flush_timeout,
            spool=spool,
        )
        return self._attach_calls.start(kind, input, start_deadline, attach_options, options)

    async def close(self) -> None:
        """Close the connection, and end all calls and watches on it. Jobs continue."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
