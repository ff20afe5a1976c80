"""Watches of single jobs, added and removed at run time and merged into one iterator."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias, Unpack

from milepost.client._arguments import check_text
from milepost.client._options import WatchOptions
from milepost.client._transport.home_loop import HomeLoop
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
        self._home: HomeLoop | None = None  # once there was a subscription

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
        self._home = self._home or HomeLoop()
        self._subscriptions[job_id] = _Subscription(watch, self._ready, self._home)

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
        """The next subscription with an item, which `_pop` takes; None once this is closed.

        Raises the error that has ended a subscription unexpectedly, such as of a callback, and forgets that one.
        """
        if self._home is not None and not self._home.is_here:  # where nothing would come
            raise RuntimeError("The subscriptions belong to another event loop, or to this process's parent.")
        while not self._closed:
            subscription = await self._ready.get()
            # Otherwise it is closed, or discarded meanwhile.
            if subscription is not None and self._subscriptions.get(subscription.job_id) is subscription:
                if not subscription.has_more:
                    del self._subscriptions[subscription.job_id]
                    subscription.raise_failure()
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
        for fetching in closing:
            if fetching is not None:
                await asyncio.wait((fetching,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.hand_over()


_fetching: Final[set[asyncio.Task[None]]] = set()
"""Tasks of subscriptions: those of subscriptions that are garbage end in the loop, which itself would not keep them."""


class _Subscription:
    """One watch: a task that fetches a batch, and the next batch when the consumer has taken that one."""

    def __init__(
        self, watch: Watch | StateWatch, ready: asyncio.Queue[_Subscription | None], home: HomeLoop
    ) -> None:
        self._watch = watch
        self._ready = ready
        self._items: deque[Subscribed] = deque()
        self._emptied = asyncio.Event()
        self._cursor = watch.cursor
        self._cancelled = False
        self._home = home
        self._fetching = asyncio.create_task(self._fetch())
        self._fetching.add_done_callback(self._fetching_ended)
        _fetching.add(self._fetching)
        self._fetching.add_done_callback(_fetching.discard)

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
        """The next buffered item, of which there is one."""
        return self._items[0]

    def pop(self) -> Subscribed:
        """Take the next buffered item, of which there is one."""
        item = self._items.popleft()
        if isinstance(item, Event):
            self._cursor = item.sequence
        elif isinstance(item, Job):
            self._cursor = item.last_sequence
        if not self._items:
            self._emptied.set()
        return item

    def cancel(self) -> asyncio.Future[None] | None:
        """Cancel the stream, at the server too; return a future that is done when it is cancelled.

        None if the running loop is another one, which cannot wait for that.
        """
        if not self._home.is_here:
            self.hand_over()
            return None
        self._cancelled = True
        self._fetching.cancel()
        return self._fetching

    def hand_over(self) -> None:
        """Have its loop cancel the stream: for a finalizer."""
        self._home.hand_over(self.cancel)

    def raise_failure(self) -> None:
        """Raise the error that has ended the watch unexpectedly."""
        failed = [self._fetching]
        del self._fetching  # its error has the frames of whoever iterates, and those have this
        failed.pop().result()

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
            fetching.exception()  # `raise_failure` raises it if the consumer comes back; asyncio would log it if not
        if not self._cancelled:
            self._ready.put_nowait(self)
