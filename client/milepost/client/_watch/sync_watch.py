"""Watches for code without asyncio: plain iterators over the watches of an event loop thread."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar, Unpack

from milepost.client._options import WatchOptions
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_watch import JobWatch
from milepost.client._watch.jobs_cursor import Item
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client._watch.subscriptions import Subscribed, Subscriptions
from milepost.client._watch.watch_cursor import OnGap
from milepost.v1 import (
    Estimate,
    Event,
    Job,
    Waiting,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)

__all__ = ["SyncJobsWatch", "SyncStateWatch", "SyncSubscriptions", "SyncWatch"]

_Item = TypeVar("_Item")
_JobItem = TypeVar("_JobItem", bound=Event | Job)


class _SyncWatchBase(Iterator[_Item], Generic[_Item]):
    """Base of all synchronous watches: plain iterators, and context managers that cancel the stream."""

    def __init__(
        self,
        watch: ReconnectingStream[_Item, WatchJobRequest, WatchJobResponse]
        | ReconnectingStream[_Item, WatchJobsRequest, WatchJobsResponse],
        loop_thread: EventLoopThread,
    ) -> None:
        self._stream = watch
        self._loop_thread = loop_thread
        self._ready: deque[_Item] = deque()
        self._unread = False

    @property
    def epoch(self) -> str:
        """See `Watch.epoch`."""
        return self._stream.epoch

    @property
    def head(self) -> int:
        """See `Watch.head`."""
        return self._stream.head

    @property
    def caught_up(self) -> bool:
        """See `Watch.caught_up`."""
        return self._stream.caught_up

    @property
    def connection(self) -> Connection:
        """See `Watch.connection`."""
        return self._stream.connection

    @property
    def reconnects(self) -> int:
        """See `Watch.reconnects`."""
        return self._stream.reconnects

    def opened(self) -> None:
        """See `Watch.opened`."""
        self._loop_thread.run(self._stream.opened())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        if not self._ready:
            self._on_all_yielded()
            self._ready.extend(self._loop_thread.run(self._stream.batch()))
            if not self._ready:
                raise StopIteration
        item = self._ready.popleft()
        self._on_yield(item)
        return item

    def _on_all_yielded(self) -> None:
        """Note that every received item was yielded."""

    def _on_yield(self, item: _Item) -> None:
        """Note that this item is yielded."""

    @property
    def _has_unread(self) -> bool:
        return self._unread or bool(self._ready)

    def close(self) -> None:
        """End the watch: cancel the stream at the server. Jobs continue."""
        self._unread = self._has_unread
        self._ready.clear()
        with contextlib.suppress(RuntimeError):  # the client is closed
            self._loop_thread.run(self._stream.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _SyncJobWatch(_SyncWatchBase[_JobItem]):
    """Base of the synchronous watches of one job."""

    def __init__(self, watch: JobWatch[_JobItem], loop_thread: EventLoopThread) -> None:
        super().__init__(watch, loop_thread)
        self._watch = watch
        self._yielded_sequence = watch.cursor

    @property
    def cursor(self) -> int:
        """See `Watch.cursor`."""
        return self._yielded_sequence if self._has_unread else self._watch.cursor

    @property
    def fraction(self) -> float | None:
        """See `Watch.fraction`."""
        return self._watch.fraction

    @property
    def fraction_known(self) -> bool:
        """See `Watch.fraction_known`."""
        return self._watch.fraction_known

    @property
    def estimate(self) -> Estimate | None:
        """See `Watch.estimate`."""
        return self._watch.estimate

    @property
    def waiting(self) -> Waiting | None:
        """See `Watch.waiting`."""
        return self._watch.waiting

    def _on_yield(self, item: _JobItem) -> None:
        self._yielded_sequence = item.sequence if isinstance(item, Event) else item.last_sequence


class SyncWatch(_SyncJobWatch[Event]):
    """The events of a job, like `Watch`: a plain iterator, and a context manager that cancels the stream."""


class SyncStateWatch(_SyncJobWatch[Event | Job]):
    """The state of a job and its events, like `StateWatch`."""


class SyncJobsWatch(_SyncWatchBase[Item]):
    """The events of all jobs that match, like `JobsWatch`."""

    def __init__(self, watch: JobsWatch, loop_thread: EventLoopThread) -> None:
        super().__init__(watch, loop_thread)
        self._watch = watch
        self._yielded_position = watch.position

    @property
    def position(self) -> int | None:
        """See `JobsWatch.position`."""
        return self._yielded_position if self._has_unread else self._watch.position

    def estimate_of(self, job: Job) -> Estimate | None:
        """See `JobsWatch.estimate_of`."""
        return self._watch.estimate_of(job)

    def _on_all_yielded(self) -> None:
        self._yielded_position = self._watch.position


class SyncSubscriptions(Iterator[Subscribed]):
    """Watches added and removed at run time, like `Subscriptions`: a plain iterator and a context manager.

    Another thread may add and discard while one thread iterates.
    """

    def __init__(self, subscriptions: Subscriptions, loop_thread: EventLoopThread) -> None:
        self._loop_thread = loop_thread
        self._subscriptions = subscriptions

    def add(
        self,
        job_id: str,
        *,
        snapshot: bool = False,
        on_gap: OnGap = "raise",
        **options: Unpack[WatchOptions],
    ) -> None:
        """See `Subscriptions.add`."""

        async def add() -> None:
            self._subscriptions.add(job_id, snapshot=snapshot, on_gap=on_gap, **options)

        self._loop_thread.run(add())

    def discard(self, job_id: str) -> None:
        """See `Subscriptions.discard`."""

        async def discard() -> None:
            self._subscriptions.discard(job_id)

        self._loop_thread.run(discard())

    def cursor(self, job_id: str) -> int:
        """See `Subscriptions.cursor`."""
        return self._subscriptions.cursor(job_id)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._subscriptions

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Subscribed:
        for item in self._loop_thread.run(self._next()):
            return item
        raise StopIteration

    def close(self) -> None:
        """End all watches. Jobs continue."""
        with contextlib.suppress(RuntimeError):  # the client is closed
            self._loop_thread.run(self._subscriptions.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _next(self) -> tuple[Subscribed, ...]:
        async for item in self._subscriptions:
            return (item,)
        return ()
