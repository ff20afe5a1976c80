"""Following a job's log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar, cast

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.fork_safety import grpc
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_cursor import Cursor
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client.errors import MilepostError
from milepost.contract.job_states import has_ended
from milepost.contract.limits import STATUS_INTERVAL
from milepost.v1 import Estimate, Event, GetJobRequest, Job, Waiting, WatchJobRequest, WatchJobResponse

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["Connection", "JobWatch", "StateWatch", "Watch", "silence"]

# An idle stream is heard every status_interval. After this many of them, and a margin, it counts as dead.
_SILENT_INTERVALS: Final = 2.5
_SILENT_MARGIN: Final = 5.0

Item = TypeVar("Item", bound=Event | Job)


def silence(status_interval: float | None) -> float:
    """After how many seconds without a word a stream is given up."""
    return _SILENT_INTERVALS * (status_interval or STATUS_INTERVAL) + _SILENT_MARGIN


class JobWatch(ReconnectingStream[Item, WatchJobRequest, WatchJobResponse]):
    """What watches of one job have in common."""

    def __init__(
        self,
        channel: LazyChannel,
        job_id: str,
        position: Cursor,
        *,
        on_state: Callable[[Connection], None] | None = None,
        on_waiting: Callable[[Waiting | None], None] | None = None,
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
        self._job_id = job_id
        self._position = position
        self._cursor = position.sequence
        self._on_waiting = on_waiting
        self._told_waiting: Waiting | None = None

    @property
    def job_id(self) -> str:
        """The job."""
        return self._job_id

    @property
    def cursor(self) -> int:
        """What to continue after: the sequence of the last event that was yielded, or that was hidden since."""
        return self._cursor if self._has_unread else self._position.sequence

    @property
    def fraction(self) -> float | None:
        """How much of the job is done, as the server said last on an idle stream; None if it has not yet."""
        return self._position.fraction

    @property
    def fraction_known(self) -> bool:
        """Whether `fraction` rests on a known number of stages or children, so that a percentage of it can be shown.

        False before the first status, and for a job whose stages nobody has planned.
        """
        return self._position.fraction_known

    @property
    def estimate(self) -> Estimate | None:
        """How long the job will still take, as the server said last on an idle stream; None without evidence."""
        return self._position.estimate

    @property
    def waiting(self) -> Waiting | None:
        """What the job waits for while it is QUEUED, as the server said last; None where it has said nothing.

        The server says it soon where the job waits for anything but its turn, and with each status of an idle stream.
        """
        return self._position.waiting

    @property
    def _name(self) -> str:
        return f"job {self._job_id}"

    @property
    def _ended(self) -> bool:
        return self._position.ended

    def _open(self, *, finite: bool) -> grpc.aio.UnaryStreamCall[WatchJobRequest, WatchJobResponse]:
        request = self._position.request(finite=finite)
        return self._channel.keep(
            self._channel.jobs().WatchJob(request, metadata=self._channel.target.metadata)
        )

    def _take(self, frame: WatchJobResponse) -> Sequence[Item]:
        # Jobs are among the items only where they were asked for, and then the watch is one that has them.
        items = cast("Sequence[Item]", self._position.take(frame))
        self._tell_waiting()
        return items

    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        return cast("Sequence[Item] | None", self._position.recover(error))

    def _yielded(self, items: Sequence[Item], *, whole: bool) -> None:
        last = items[-1]
        if whole:
            self._cursor = self._position.sequence
        elif isinstance(last, Event):
            self._cursor = last.sequence

    async def _ask(self, timeout: float) -> Job:
        request = GetJobRequest(job_id=self._job_id)
        response = await self._channel.call(self._channel.jobs().GetJob, request, timeout)
        self._position.waiting = response.waiting if response.HasField("waiting") else None
        self._tell_waiting()
        return response.job

    def _told(self, job: Job) -> Sequence[Item] | None:
        return cast("Sequence[Item]", self._position.take_job(job)) if self._position.takes_jobs else None

    def _tell_waiting(self) -> None:
        if self._told_waiting != self._position.waiting:
            self._told_waiting = self._position.waiting
            if self._on_waiting is not None:
                self._on_waiting(self._told_waiting)

    async def _is_over(self) -> bool:
        job = await self._ask(self._timeout)
        return has_ended(job) and job.last_sequence == self._position.sequence


class Watch(JobWatch[Event]):
    """The events of a job: every one once, in order, across lost connections and restarted servers.

    An async iterator, and an async context manager that ends the stream at the server when it is left. Cancelling a
    wait for the next event, as `asyncio.wait_for` does, loses nothing: go on with the next one.
    """


class StateWatch(JobWatch[Event | Job]):
    """A job as it stands, and the events that happen next; and again the job, where events cannot be had any more.

    Like `Watch`, but that there are messages of two types: a `Job` stands for all events up to its ``last_sequence``,
    the first `Event` after it is the next one. Fold the one into the other with `milepost.fold`::

        async for item in client.watch(job_id, snapshot=True, on_gap="snapshot"):
            if isinstance(item, Job):
                fold = Fold(item)
            else:
                fold.apply(item)
    """
