"""Watches for code without asyncio: plain iterators over the watches of an event loop thread."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar, Unpack

from milepost.client._options import WatchOptions
from milepost.client._transport import after_fork
from milepost.client._transport.event_loop_thread import THREAD_OF_PARENT, EventLoopThread
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.job_watch import JobWatch
from milepost.client._watch.jobs_cursor import Item
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.reconnecting_stream import ReconnectingStream
from milepost.client._watch.subscriptions import Ended, Subscribed, Subscriptions
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


class _Batch(NamedTuple):
    """Items that came together.

    Attributes:
        items: The items.
        cursor: The cursor of the stream when it had read them, which is also past events that are filtered.
        epoch: The epoch of `cursor`.
    """

    items: Sequence[Any]
    cursor: int | None
    epoch: str


class _Place(NamedTuple):
    """Where the iteration stands in a batch. Replaced in one step, since a signal may interrupt between any two.

    Attributes:
        batch: The batch.
        yielded: How many of its items were yielded.
        cursor: The cursor after the last of them.
        epoch: The epoch of `cursor`.
    """

    batch: _Batch
    yielded: int
    cursor: int | None
    epoch: str


class _SyncWatchBase(Iterator[_Item], Generic[_Item]):
    """Base of all synchronous watches: plain iterators, and context managers that cancel the stream.

    A signal whose handler raises, as Ctrl-C does, may interrupt a `for` loop anywhere. Then the next iteration yields
    the item that this one did not, and the cursor is before it. After `next()` the signal may come before its caller
    has the item: then that is lost, and the cursor is past it.
    """

    def __init__(
        self,
        watch: ReconnectingStream[_Item, WatchJobRequest, WatchJobResponse]
        | ReconnectingStream[_Item, WatchJobsRequest, WatchJobsResponse],
        loop_thread: EventLoopThread,
    ) -> None:
        self._stream = watch
        self._loop_thread = loop_thread
        # The batch after that of `_place`. The loop's thread stores it here, since the wait for it may be interrupted.
        self._fetched: _Batch | None = None
        self._reading = asyncio.Lock()  # a wait that is interrupted as it begins leaves its coroutine running
        batch = _Batch((), self._stream_cursor, watch.epoch)
        self._place = _Place(batch, 0, batch.cursor, batch.epoch)
        self._closed = False
        after_fork.register(self)

    def after_fork(self) -> None:
        """See `Inherited`: the parent reads the stream."""
        self._loop_thread = THREAD_OF_PARENT

    @property
    def epoch(self) -> str:
        """See `Watch.epoch`."""
        return self._place.epoch

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
        self._note_cursor(self._loop_thread.run(self._wait_until_opened()))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        if self._place.yielded == len(self._place.batch.items):
            self._next_batch()
        batch, yielded, cursor, _ = self._place
        item: _Item = batch.items[yielded]
        # Not that of the stream, from which an interrupted wait may read on meanwhile.
        is_last = yielded + 1 == len(batch.items)
        cursor = batch.cursor if is_last else self._cursor_after(item, cursor)
        place = _Place(batch, yielded + 1, cursor, batch.epoch)
        # Python handles signals at calls and jumps, of which there is none from here to the caller.
        self._place = place
        return item

    def _next_batch(self) -> None:
        """Go on to the next batch.

        Raises:
            StopIteration: There is none.
        """
        fetched = self._fetched or self._loop_thread.run(self._fetch())
        if not fetched.items:
            self._note_cursor(fetched)
            raise StopIteration
        place = self._place._replace(batch=fetched, yielded=0)
        self._place, self._fetched = place, None

    def _note_cursor(self, read: _Batch) -> None:
        """Take the cursor of what was read without items, unless there is something to yield."""
        if not self._closed and self._fetched is None and self._place.yielded == len(self._place.batch.items):
            self._place = self._place._replace(cursor=read.cursor, epoch=read.epoch)

    async def _fetch(self) -> _Batch:
        """Fetch the next batch, unless an iteration that was interrupted has; an empty one at the end."""
        async with self._reading:
            if self._fetched is None:
                batch = self._read(await self._stream.batch())
                if not batch.items:
                    return batch
                self._fetched = batch
            return self._fetched

    async def _wait_until_opened(self) -> _Batch:
        async with self._reading:
            await self._stream.opened()
            return self._read(())

    def _read(self, items: Sequence[_Item]) -> _Batch:
        return _Batch(items, self._stream_cursor, self._stream.epoch)

    @property
    @abstractmethod
    def _stream_cursor(self) -> int | None:
        """The cursor of the stream, once all of its items are yielded."""

    @abstractmethod
    def _cursor_after(self, item: _Item, cursor: int | None) -> int | None:
        """The cursor once this item is yielded, and others of its batch are not; before it was `cursor`."""

    def close(self) -> None:
        """End the watch: cancel the stream at the server. Jobs continue."""
        self._loop_thread.refuse_own_thread()  # before anything is dropped: it could not cancel the stream
        self._closed = True  # what was received and not yielded is dropped: the cursor stays before it
        self._place = self._place._replace(batch=self._place.batch._replace(items=()), yielded=0)
        self._fetched = None
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
        self._watch = watch
        super().__init__(watch, loop_thread)

    @property
    def cursor(self) -> int:
        """See `Watch.cursor`."""
        return self._place.cursor or 0

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

    @property
    def _stream_cursor(self) -> int:
        return self._watch.cursor

    def _cursor_after(self, item: _JobItem, cursor: int | None) -> int:
        return item.sequence if isinstance(item, Event) else item.last_sequence


class SyncWatch(_SyncJobWatch[Event]):
    """The events of a job, like `Watch`: a plain iterator, and a context manager that cancels the stream."""


class SyncStateWatch(_SyncJobWatch[Event | Job]):
    """The state of a job and its events, like `StateWatch`."""


class SyncJobsWatch(_SyncWatchBase[Item]):
    """The events of all jobs that match, like `JobsWatch`."""

    def __init__(self, watch: JobsWatch, loop_thread: EventLoopThread) -> None:
        self._watch = watch
        super().__init__(watch, loop_thread)

    @property
    def position(self) -> int | None:
        """See `JobsWatch.position`."""
        return self._place.cursor

    def estimate_of(self, job: Job) -> Estimate | None:
        """See `JobsWatch.estimate_of`."""
        return self._watch.estimate_of(job)

    @property
    def _stream_cursor(self) -> int | None:
        return self._watch.position

    def _cursor_after(self, item: Item, cursor: int | None) -> int | None:
        return cursor  # the position of a batch holds once all of it is yielded


class SyncSubscriptions(Iterator[Subscribed]):
    """Watches added and removed at run time, like `Subscriptions`: a plain iterator and a context manager.

    Another thread may add and discard while one thread iterates. A signal whose handler raises interrupts the iteration
    without loss, as in a watch of one job.
    """

    def __init__(self, subscriptions: Subscriptions, loop_thread: EventLoopThread) -> None:
        self._loop_thread = loop_thread
        self._subscriptions = subscriptions
        # The next item, and the cursor of its job before it. The loop's thread stores it here, as for a single watch.
        self._fetched: tuple[Subscribed, int] | None = None
        self._reading = asyncio.Lock()
        after_fork.register(self)

    def after_fork(self) -> None:
        """See `Inherited`: the parent reads the streams."""
        self._loop_thread = THREAD_OF_PARENT

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
            fetched = self._fetched  # read once: the iterating thread may take it in between
            if fetched is not None and fetched[0].job_id == job_id:
                self._fetched = None

        self._loop_thread.run(discard())

    def cursor(self, job_id: str) -> int:
        """See `Subscriptions.cursor`."""

        def read() -> int:
            fetched = self._fetched
            if fetched is not None and fetched[0].job_id == job_id:
                return fetched[1]
            return self._subscriptions.cursor(job_id)

        async def read_between_steps() -> (
            int
        ):  # within one, a watch may be past events that it has not handed over
            return read()

        with contextlib.suppress(RuntimeError):  # the client is closed, or a callback asks within a step
            return self._loop_thread.run(read_between_steps())
        return read()

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._subscriptions or job_id == self._fetched_end

    def __len__(self) -> int:
        return len(self._subscriptions) + (self._fetched_end is not None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Subscribed:
        fetched = self._fetched
        while fetched is None:
            is_closed = self._loop_thread.run(self._fetch())
            if is_closed:
                raise StopIteration
            fetched = self._fetched  # None if another thread has discarded its job
        item, _ = fetched
        self._fetched = None
        return item

    def close(self) -> None:
        """End all watches. Jobs continue."""
        self._loop_thread.refuse_own_thread()  # as above
        self._fetched = None
        with contextlib.suppress(RuntimeError):  # the client is closed
            self._loop_thread.run(self._subscriptions.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _fetched_end(self) -> str | None:
        """The job whose end was fetched, and not yielded; None if there is none."""
        fetched = self._fetched
        return fetched[0].job_id if fetched is not None and isinstance(fetched[0], Ended) else None

    async def _fetch(self) -> bool:
        """Fetch the next item, unless an iteration that was interrupted has; return whether this is closed instead."""
        async with self._reading:
            if self._fetched is None:
                subscription = await self._subscriptions._next_ready()
                if subscription is None:
                    return True
                # First, since another thread may look in between.
                self._fetched = subscription.first, subscription.cursor
                self._subscriptions._pop(subscription)
            return False
