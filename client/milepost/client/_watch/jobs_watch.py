"""Watch of all jobs that match a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import Metadata
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.jobs_cursor import Item, JobsCursor
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client.errors import JobNotFound, MilepostError
from milepost.v1 import Estimate, GetJobRequest, Job, ListJobsRequest, WatchJobsRequest, WatchJobsResponse

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["JobsWatch"]


class JobsWatch(ReconnectingStream[Item, WatchJobsRequest, WatchJobsResponse]):
    """The events of all jobs that match, in one stream: each exactly once, and those of each job in order.

    An async iterator of messages, and an async context manager that cancels the stream at the server on exit:

    - `Event`: an event of a job.
    - `Job`: the current state of a job, which replaces all its events up to ``last_sequence``. With ``snapshot=True``
      the watch starts with these; also a job that matches later comes as a `Job`, unless its first event matches.
    - `Deleted`: a job was deleted.
    - `Trimmed`: the server dropped the older events of a job; consumers that have them are not affected.
    - `Gap`: the watch cannot continue, and all jobs come again; only with ``on_gap="snapshot"``.
    """

    def __init__(
        self,
        channel: LazyChannel,
        cursor: JobsCursor,
        *,
        on_state: Callable[[Connection], None] | None = None,
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
        self._cursor: JobsCursor = cursor
        self._yielded_position = cursor.position

    @property
    def position(self) -> int | None:
        """The position at which another watch can continue; None if it would start over.

        Events of one batch share a position. A watch that is closed within a batch is at the position before it, so
        that some events repeat in the watch that continues there; `batches` avoids this.
        """
        return self._yielded_position if self._has_unread else self._cursor.position

    def estimate_of(self, job: Job) -> Estimate | None:
        """The last estimate that the server sent for a job; None without evidence, and unless the job runs.

        No item of the watch has it: it comes with statuses (`Status.job_estimates`), at most once in each
        `status_interval`, which is 10 s by default. Count it down since its `as_of`.

        Args:
            job: The job as its events say, such as `Fold.job`; an estimate ends with its attempt.
        """
        return self._cursor.estimate_of(job)

    @property
    def _name(self) -> str:
        return "watch of jobs"

    def _open(
        self, metadata: Metadata, *, finite: bool
    ) -> grpc.aio.UnaryStreamCall[WatchJobsRequest, WatchJobsResponse]:
        request = self._cursor.request(finite=finite)
        return self._channel.track(self._channel.jobs().WatchJobs(request, metadata=metadata))

    def _accept(self, frame: WatchJobsResponse) -> Sequence[Item]:
        return self._cursor.accept(frame)

    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        return self._cursor.recover(error)

    def _on_yield(self, items: Sequence[Item], *, all_read: bool) -> None:
        super()._on_yield(items, all_read=all_read)
        if all_read:
            self._yielded_position = self._cursor.position

    async def _call_server(self, timeout: float) -> None:
        request = ListJobsRequest(page_size=1)
        await self._channel.call(lambda: self._channel.jobs().ListJobs, request, timeout)

    async def _fetch_missing(self) -> Sequence[Item]:
        while self._cursor.missing:
            job_id = self._cursor.missing[0]
            if items := self._cursor.accept_missing(job_id, await self._get_job(job_id)):
                return items
        return ()

    async def _get_job(self, job_id: str) -> Job | None:
        request = GetJobRequest(job_id=job_id)
        try:
            return (await self._channel.call(lambda: self._channel.jobs().GetJob, request, self._timeout)).job
        except JobNotFound:
            return None
