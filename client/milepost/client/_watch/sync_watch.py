"""Watches for code without asyncio."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar, Unpack

from milepost.client._client import Client
from milepost.client._options import WatchOptions
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_cursor import OnGap
from milepost.client._watch.job_watch import JobWatch
from milepost.client._watch.jobs_cursor import Item
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client._watch.subscriptions import Subscribed, Subscriptions
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
_OfJob = TypeVar("_OfJob", bound=Event | Job)


class _Resuming(Iterator[_Item], Generic[_Item]):
    """What all watches have in common: plain iterators, and context managers that end the stream."""

    def __init__(
        self,
        watch: ReconnectingStream[_Item, WatchJobRequest, WatchJobResponse]
        | ReconnectingStream[_Item, WatchJobsRequest, WatchJobsResponse],
        background: EventLoopThread,
    ) -> None:
        self._resuming = watch
        self._background = background
        self._ready: deque[_Item] = deque()
        self._unread = False

    @property
    def epoch(self) -> str:
        """See `Watch.epoch`."""
        return self._resuming.epoch

    @property
    def head(self) -> int:
        """See `Watch.head`."""
        return self._resuming.head

    @property
    def caught_up(self) -> bool:
        """See `Watch.caught_up`."""
        return self._resuming.caught_up

    @property
    def connection(self) -> Connection:
        """See `Watch.connection`."""
        return self._resuming.connection

    @property
    def reconnects(self) -> int:
        """See `Watch.reconnects`."""
        return self._resuming.reconnects

    def opened(self) -> None:
        """See `Watch.opened`."""
        self._background.run(self._resuming.opened())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        if not self._ready:
            self._before()
            self._ready.extend(self._background.run(self._resuming.batch()))
            if not self._ready:
                raise StopIteration
        item = self._ready.popleft()
        self._yielded(item)
        return item

    def _before(self) -> None:
        """All that had come was given out."""

    def _yielded(self, item: _Item) -> None:
        """An item is given out."""

    @property
    def _has_unread(self) -> bool:
        return self._unread or bool(self._ready)

    def close(self) -> None:
        """Ends the watch: the stream is cancelled at the server. Jobs go on."""
        self._unread = self._has_unread
        self._ready.clear()
        with contextlib.suppress(RuntimeError):  # the client may be closed by now
            self._background.run(self._resuming.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _SyncOfJob(_Resuming[_OfJob]):
    """What watches of one job have in common."""

    def __init__(self, watch: JobWatch[_OfJob], background: EventLoopThread) -> None:
        super().__init__(watch, background)
        self._watch = watch
        self._cursor = watch.cursor

    @property
    def cursor(self) -> int:
        """See `Watch.cursor`."""
        return self._cursor if self._has_unread else self._watch.cursor

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

    def _yielded(self, item: _OfJob) -> None:
        self._cursor = item.sequence if isinstance(item, Event) else item.last_sequence


class SyncWatch(_SyncOfJob[Event]):
    """The events of a job, as `Watch` has them: a plain iterator, and a context manager that ends the stream."""


class SyncStateWatch(_SyncOfJob[Event | Job]):
    """A job as it stands and its events, as `StateWatch` has them."""


class SyncJobsWatch(_Resuming[Item]):
    """What happens to all jobs that match, as `JobsWatch` has it."""

    def __init__(self, watch: JobsWatch, background: EventLoopThread) -> None:
        super().__init__(watch, background)
        self._watch = watch
        self._position = watch.position

    @property
    def position(self) -> int | None:
        """See `JobsWatch.position`."""
        return self._position if self._has_unread else self._watch.position

    def _before(self) -> None:
        self._position = self._watch.position


class SyncSubscriptions(Iterator[Subscribed]):
    """Watches that come and go, as `Subscriptions` has them: a plain iterator, and a context manager that ends them.

    Another thread may add and discard while one iterates.
    """

    def __init__(self, client: Client, background: EventLoopThread) -> None:
        self._background = background
        self._subscriptions = Subscriptions(client)

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

        self._background.run(add())

    def discard(self, job_id: str) -> None:
        """See `Subscriptions.discard`."""

        async def discard() -> None:
            self._subscriptions.discard(job_id)

        self._background.run(discard())

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
        for item in self._background.run(self._next()):
            return item
        raise StopIteration

    def close(self) -> None:
        """Ends all of the watches. Jobs go on."""
        with contextlib.suppress(RuntimeError):  # the client may be closed by now
            self._background.run(self._subscriptions.aclose())

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
