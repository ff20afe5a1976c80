"""Following many jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.fork_safety import grpc
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_watch import silence
from milepost.client._watch.jobs_cursor import FeedCursor, Gap, Item
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client.errors import JobNotFound, MilepostError
from milepost.v1 import GetJobRequest, Job, ListJobsRequest, WatchJobsRequest, WatchJobsResponse

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["Gap", "Item", "JobsWatch"]


class JobsWatch(ReconnectingStream[Item, WatchJobsRequest, WatchJobsResponse]):
    """What happens to all jobs that match, in one stream: every event once, and those of each job in order.

    An async iterator of messages, and an async context manager that ends the stream at the server when it is left:

    - `Event`: what happened to a job.
    - `Job`: a job as it stands, which stands for all its events up to ``last_sequence``. The watch begins with these
      where it was asked to; and a job that comes to match later comes like this, unless it does so by its first event.
    - `Deleted`: a job is gone.
    - `Trimmed`: the older events of a job are gone; those who have them are not concerned.
    - `Gap`: what came before cannot be continued, and all jobs come anew; only with ``on_gap="snapshot"``.
    """

    def __init__(
        self,
        channel: LazyChannel,
        position: FeedCursor,
        *,
        on_state: Callable[[Connection], None] | None = None,
        status_interval: float | None = None,
        timeout: float = 30.0,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(
            channel,
            position,
            silence=silence(status_interval),
            timeout=timeout,
            on_state=on_state,
            backoff=backoff,
        )
        self._feed = position
        self._position = position.position

    @property
    def position(self) -> int | None:
        """Where another watch may go on: everything up to there was yielded. None where it would begin anew.

        What comes together has one position. A watch that is left in the middle of it is at the one before, so that
        some events come again to the one that goes on there; `batches` has no middle.
        """
        return self._position if self._has_unread else self._feed.position

    @property
    def _name(self) -> str:
        return "watch of jobs"

    def _open(self, *, finite: bool) -> grpc.aio.UnaryStreamCall[WatchJobsRequest, WatchJobsResponse]:
        request = self._feed.request(finite=finite)
        return self._channel.keep(
            self._channel.jobs().WatchJobs(request, metadata=self._channel.target.metadata)
        )

    def _take(self, frame: WatchJobsResponse) -> Sequence[Item]:
        return self._feed.take(frame)

    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        return self._feed.recover(error)

    def _yielded(self, items: Sequence[Item], *, whole: bool) -> None:
        if whole:
            self._position = self._feed.position

    async def _ask(self, timeout: float) -> None:
        request = ListJobsRequest(page_size=1)
        await self._channel.call(self._channel.jobs().ListJobs, request, timeout)

    async def _settle(self) -> Sequence[Item]:
        while self._feed.missing:
            job_id = self._feed.missing[0]
            if items := self._feed.found(job_id, await self._find(job_id)):
                return items
        return ()

    async def _find(self, job_id: str) -> Job | None:
        request = GetJobRequest(job_id=job_id)
        try:
            return (await self._channel.call(self._channel.jobs().GetJob, request, self._timeout)).job
        except JobNotFound:
            return None
