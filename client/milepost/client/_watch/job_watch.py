"""Watches of one job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import Metadata
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_cursor import JobCursor
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client.errors import MilepostError
from milepost.contract.job_states import has_ended
from milepost.v1 import (
    Estimate,
    Event,
    GetJobRequest,
    Job,
    Status,
    Waiting,
    WatchJobRequest,
    WatchJobResponse,
)

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["FollowWatch", "JobWatch", "StateWatch", "Watch"]

Item = TypeVar("Item", bound=Event | Job | Status)


class JobWatch(ReconnectingStream[Item, WatchJobRequest, WatchJobResponse]):
    """Base of the watches of one job."""

    def __init__(
        self,
        channel: LazyChannel,
        job_id: str,
        cursor: JobCursor,
        *,
        on_state: Callable[[Connection], None] | None = None,
        on_waiting: Callable[[Waiting | None], None] | None = None,
        timeout: float = 30.0,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(
            channel,
            cursor,
            timeout=timeout,
            on_state=on_state,
            backoff=backoff,
        )
        self._job_id = job_id
        self._cursor: JobCursor = cursor
        self._yielded_sequence = cursor.sequence
        self._on_waiting = on_waiting
        self._notified_waiting: Waiting | None = None

    @property
    def job_id(self) -> str:
        """The job."""
        return self._job_id

    @property
    def cursor(self) -> int:
        """The sequence to continue after: of the last event that was yielded, or filtered out since."""
        return self._yielded_sequence if self._has_unread else self._cursor.sequence

    @property
    def fraction(self) -> float | None:
        """Fraction of the job that is done, from the last status of an idle stream; None before the first."""
        return self._cursor.fraction

    @property
    def fraction_known(self) -> bool:
        """Whether the number of stages or children is known, so that `fraction` can be shown as a percentage.

        False before the first status, and for a job without planned stages.
        """
        return self._cursor.fraction_known

    @property
    def estimate(self) -> Estimate | None:
        """Estimated remaining time as of its `as_of`, from the last status; None without evidence.

        The server makes none while the job is queued or being cancelled: see `Waiting.run` of `waiting` for the former.
        """
        return self._cursor.estimate

    @property
    def waiting(self) -> Waiting | None:
        """Why the QUEUED job has not started, from the last status; None if unknown or not QUEUED.

        The server sends it soon if the job waits for anything but its place in the queue, and with each status of an
        idle stream.
        """
        return self._cursor.waiting

    @property
    def _name(self) -> str:
        return f"job {self._job_id}"

    @property
    def _is_complete(self) -> bool:
        return self._cursor.has_last

    def _open(
        self, metadata: Metadata, *, finite: bool
    ) -> grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]:
        request = self._cursor.request(finite=finite)
        return self._channel.track(self._channel.jobs().WatchJob(request, metadata=metadata))

    def _accept(self, frame: WatchJobResponse) -> Sequence[Item]:
        # The items include jobs only if the cursor requested them, and then the watch is a StateWatch.
        items = cast("Sequence[Item]", self._cursor.accept(frame))
        with self._keeping(items):
            self._notify_waiting()
        return items

    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        return cast("Sequence[Item] | None", self._cursor.recover(error))

    def _on_yield(self, items: Sequence[Item], *, all_read: bool) -> None:
        super()._on_yield(items, all_read=all_read)
        last = items[-1]
        if all_read:
            self._yielded_sequence = self._cursor.sequence
        elif isinstance(last, Event):
            self._yielded_sequence = last.sequence

    async def _call_server(self, timeout: float) -> Job:
        request = GetJobRequest(job_id=self._job_id)
        response = await self._channel.call(lambda: self._channel.jobs().GetJob, request, timeout)
        self._cursor.accept_present(response.job, response.waiting if response.HasField("waiting") else None)
        self._notify_waiting()
        return response.job

    def _items_of_job(self, job: Job) -> Sequence[Item] | None:
        return cast("Sequence[Item]", self._cursor.accept_job(job)) if self._cursor.accepts_jobs else None

    def _notify_waiting(self) -> None:
        if self._notified_waiting != self._cursor.waiting:
            self._notified_waiting = self._cursor.waiting
            if self._on_waiting is not None:
                self._on_waiting(self._notified_waiting)

    async def _has_ended(self) -> bool:
        job = await self._call_server(self._timeout)
        # A later job with the id may have as many events.
        same = (job.epoch, job.last_sequence) == (self._cursor.epoch, self._cursor.sequence)
        return has_ended(job) and same


class Watch(JobWatch[Event]):
    """The events of a job: each exactly once and in order, across reconnects and server restarts.

    An async iterator, and an async context manager that cancels the stream at the server on exit. Cancelling a wait for
    the next event, as `asyncio.wait_for` does, loses nothing: the next wait continues.
    """


class FollowWatch(JobWatch[Event | Job | Status]):
    """The items of `Client.follow`: state, events, and each status whose estimate is new."""


class StateWatch(JobWatch[Event | Job]):
    """The current state of a job and its next events; and again the state, if events are no longer available.

    Like `Watch`, but with messages of two types: a `Job` replaces all events up to its ``last_sequence``, and the next
    `Event` follows that sequence. Fold events into the job with `milepost.fold`::

        async for item in client.watch(job_id, snapshot=True, on_gap="snapshot"):
            if isinstance(item, Job):
                fold = Fold(item)
            else:
                fold.apply(item)
    """
