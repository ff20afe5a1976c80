"""Watches of single jobs, added and removed at run time and merged into one iterator."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias, Unpack

from milepost.client._arguments import check_text
from milepost.client._options import WatchOptions
from milepost.client._watch.job_watch import StateWatch, Watch
from milepost.client._watch.watch_cursor import OnGap
from milepost.client.errors import MilepostError
from milepost.v1 import Event, Job

__all__ = ["Ended", "Subscribed", "Subscriptions"]


@dataclass(frozen=True)
class Ended:
    """A watch ended by itself: nothing more comes of this job, and you may add it again.

    Attributes:
        job_id: The job.
        error: Why, unless the job has ended: `JobNotFound`, `SequenceTrimmed`, `EpochChanged` …
    """

    job_id: str
    error: MilepostError | None = None


Subscribed: TypeAlias = Event | Job | Ended


class _OpenWatch(Protocol):
    """Creates a watch, as `Client.watch` does."""

    def __call__(
        self, job_id: str, *, snapshot: bool, on_gap: OnGap, **options: Unpack[WatchOptions]
    ) -> Watch | StateWatch: ...


class Subscriptions(AsyncIterator[Subscribed]):
    """The events of several jobs, added and removed at run time, as one iterator.

    Each job's events come exactly once and in order, as from `Client.watch`. The jobs alternate, event by event, so
    that none delays the others. A slow consumer applies backpressure: at most one batch per job is buffered. The end of
    a watch is an item, and does not affect the other watches::

        async with client.subscriptions() as subscriptions:
            subscriptions.add("first")
            subscriptions.add("second", after=41)
            async for item in subscriptions:
                if isinstance(item, Ended):
                    print(item.job_id, "has ended" if item.error is None else item.error)
                    if not subscriptions:
                        break
                else:
                    print(item.job_id, item)

    Iteration waits for jobs to be added; `aclose` ends it. One task iterates; any task of the same event loop may add
    and discard.
    """

    def __init__(self, open_watch: _OpenWatch) -> None:
        self._open_watch = open_watch
        self._subscriptions: dict[str, _Subscription] = {}
        # Subscriptions with an item to yield; None wakes the consumer after a close.
        self._ready: asyncio.Queue[_Subscription | None] = asyncio.Queue()
        self._closed = False

    def add(
        self,
        job_id: str,
        *,
        snapshot: bool = False,
        on_gap: OnGap = "raise",
        **options: Unpack[WatchOptions],
    ) -> None:
        """Watch a job, with the options of `Client.watch`.

        Raises:
            ValueError: The job is already subscribed.
            RuntimeError: The subscriptions are closed.
        """
        if self._closed:
            raise RuntimeError("The subscriptions are closed.")
        check_text(job_id=job_id)
        if job_id in self._subscriptions:
            raise ValueError(f"Job {job_id!r} is already subscribed.")
        watch = self._open_watch(job_id, snapshot=snapshot, on_gap=on_gap, **options)
        self._subscriptions[job_id] = _Subscription(watch, self._ready)

    def discard(self, job_id: str) -> None:
        """Stop watching a job, if subscribed: cancel the stream at the server, and yield no more of its events."""
        subscription = self._subscriptions.pop(job_id, None)
        if subscription is not None:
            _ = subscription.cancel()

    def cursor(self, job_id: str) -> int:
        """The sequence of the job's last event that was yielded: what to continue after.

        Raises:
            KeyError: The job is not subscribed.
        """
        return self._subscriptions[job_id].cursor

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._subscriptions

    def __iter__(self) -> Iterator[str]:
        """The ids of the subscribed jobs."""
        return iter(tuple(self._subscriptions))

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Subscribed:
        subscription = await self._next_ready()
        if subscription is None:
            raise StopAsyncIteration
        return self._pop(subscription)

    async def _next_ready(self) -> _Subscription | None:
        """The next subscription with an item, which `_pop` takes; None once this is closed."""
        while not self._closed:
            subscription = await self._ready.get()
            # Otherwise it is closed, or discarded meanwhile.
            if subscription is not None and self._subscriptions.get(subscription.job_id) is subscription:
                return subscription
        return None

    def _pop(self, subscription: _Subscription) -> Subscribed:
        item = subscription.pop()
        if isinstance(item, Ended):
            del self._subscriptions[item.job_id]
        elif subscription.has_more:
            self._ready.put_nowait(subscription)
        return item

    async def aclose(self) -> None:
        """End all watches, at the server too. Jobs continue."""
        self._closed = True
        closing = [subscription.cancel() for subscription in self._subscriptions.values()]
        self._subscriptions.clear()
        self._ready.put_nowait(None)
        if closing:
            await asyncio.wait(closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


class _Subscription:
    """One watch: a task that fetches a batch, and the next batch when the consumer has taken that one."""

    def __init__(self, watch: Watch | StateWatch, ready: asyncio.Queue[_Subscription | None]) -> None:
        self._watch = watch
        self._ready = ready
        self._items: deque[Subscribed] = deque()
        self._emptied = asyncio.Event()
        self._cursor = watch.cursor
        self._cancelled = False
        self._fetching = asyncio.create_task(self._fetch())
        self._fetching.add_done_callback(self._fetching_ended)

    @property
    def job_id(self) -> str:
        """The job."""
        return self._watch.job_id

    @property
    def cursor(self) -> int:
        """The sequence of the last event that the consumer took."""
        return self._cursor if self._items else self._watch.cursor

    @property
    def has_more(self) -> bool:
        """Whether an item is buffered."""
        return bool(self._items)

    @property
    def first(self) -> Subscribed:
        """The next buffered item, of which there is one; or raise the error that ended the watch unexpectedly."""
        if not self._items:
            self._fetching.result()
        return self._items[0]

    def pop(self) -> Subscribed:
        """Take the next buffered item; see `first`."""
        item = self.first
        self._items.popleft()
        if isinstance(item, Event):
            self._cursor = item.sequence
        elif isinstance(item, Job):
            self._cursor = item.last_sequence
        if not self._items:
            self._emptied.set()
        return item

    def cancel(self) -> asyncio.Future[None]:
        """Cancel the stream, at the server too; return a future that is done when it is cancelled."""
        self._cancelled = True
        self._fetching.cancel()
        return self._fetching

    async def _fetch(self) -> None:
        try:
            async with self._watch as watch:
                while items := await watch.batch():
                    self._items.extend(items)
                    self._emptied.clear()
                    self._ready.put_nowait(self)
                    await self._emptied.wait()
        except MilepostError as error:  # which no variable keeps: it has this frame
            self._items.append(Ended(self.job_id, error))
        else:
            self._items.append(Ended(self.job_id))

    def _fetching_ended(self, fetching: asyncio.Task[None]) -> None:
        if not fetching.cancelled():
            fetching.exception()  # `pop` raises it if the consumer comes back, and asyncio logs it if not
        if not self._cancelled:
            self._ready.put_nowait(self)
