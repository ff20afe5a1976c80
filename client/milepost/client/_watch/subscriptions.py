"""Watches that come and go, as one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, Unpack

from milepost.client._options import WatchOptions
from milepost.client._watch.job_cursor import OnGap
from milepost.client._watch.job_watch import StateWatch, Watch
from milepost.client.errors import MilepostError
from milepost.v1 import Event, Job

if TYPE_CHECKING:
    from milepost.client._client import Client

__all__ = ["Ended", "Subscribed", "Subscriptions"]


@dataclass(frozen=True)
class Ended:
    """A watch has ended by itself: nothing more comes of this job, and it may be added again.

    Attributes:
        job_id: The job.
        error: Why, where it is not that the job has ended: `JobNotFound`, `SequenceTrimmed`, `EpochChanged` …
    """

    job_id: str
    error: MilepostError | None = None


Subscribed: TypeAlias = Event | Job | Ended


class Subscriptions(AsyncIterator[Subscribed]):
    """The events of several jobs, which are taken in and out at run time, as one iterator.

    Each job's events come once and in order, as from `Client.watch`. The jobs take turns, event by event, so that none
    holds up the others. What is not taken is not fetched: of each job one batch is kept here, however slow this is
    iterated. An end is an item, and ends only the one watch::

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

    Iteration waits for whatever is added next; it ends with `aclose`. One task iterates; any may add and discard, in
    the same event loop.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._members: dict[str, _Member] = {}
        self._turns: deque[_Member] = deque()
        self._something = asyncio.Event()
        self._closed = False

    def add(
        self,
        job_id: str,
        *,
        snapshot: bool = False,
        on_gap: OnGap = "raise",
        **options: Unpack[WatchOptions],
    ) -> None:
        """Takes in a watch. All that `Client.watch` may be asked for, this may.

        Raises:
            ValueError: The job is among them already.
            RuntimeError: This is closed.
        """
        if self._closed:
            raise RuntimeError("The subscriptions are closed.")
        if job_id in self._members:
            raise ValueError(f"Job {job_id!r} is among the subscriptions already.")
        watch = self._client.watch(job_id, snapshot=snapshot, on_gap=on_gap, **options)
        self._members[job_id] = _Member(watch, self._ready)

    def discard(self, job_id: str) -> None:
        """Takes out a watch, if there is one: it is cancelled at the server, and nothing of it comes any more."""
        member = self._members.pop(job_id, None)
        if member is not None:
            _ = member.cancel()
            if member in self._turns:
                self._turns.remove(member)

    def cursor(self, job_id: str) -> int:
        """The sequence of the job's last event that was yielded: what to continue after.

        Raises:
            KeyError: The job is not among them.
        """
        return self._members[job_id].cursor

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._members

    def __iter__(self) -> Iterator[str]:
        """The jobs that are among them."""
        return iter(tuple(self._members))

    def __len__(self) -> int:
        return len(self._members)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Subscribed:
        while not self._turns:
            if self._closed:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        member = self._turns.popleft()
        item = member.take()
        if isinstance(item, Ended):
            del self._members[item.job_id]
        elif member.has_more:
            self._turns.append(member)
        return item

    async def aclose(self) -> None:
        """Ends all of the watches, at the server too. Jobs go on."""
        self._closed = True
        closing = [member.cancel() for member in self._members.values()]
        self._members.clear()
        self._turns.clear()
        self._something.set()
        if closing:
            await asyncio.wait(closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _ready(self, member: _Member) -> None:
        """A member that had nothing to give has something now."""
        self._turns.append(member)
        self._something.set()


class _Member:
    """One watch: a task that fetches a batch, and the next one when that is taken."""

    def __init__(self, watch: Watch | StateWatch, ready: Callable[[_Member], None]) -> None:
        self._watch = watch
        self._ready = ready
        self._items: deque[Subscribed] = deque()
        self._taken = asyncio.Event()
        self._cursor = watch.cursor
        self._closed = False
        self._fetching = asyncio.create_task(self._fetch())
        self._fetching.add_done_callback(self._stopped)

    @property
    def job_id(self) -> str:
        """The job."""
        return self._watch.job_id

    @property
    def cursor(self) -> int:
        """The last event that was taken."""
        return self._cursor if self._items else self._watch.cursor

    @property
    def has_more(self) -> bool:
        """Whether there is something left to take at once."""
        return bool(self._items)

    def take(self) -> Subscribed:
        """The next item, of which there is one; or raises what ended the watch, where that is not an end."""
        if not self._items:
            self._fetching.result()
        item = self._items.popleft()
        if isinstance(item, Event):
            self._cursor = item.sequence
        elif isinstance(item, Job):
            self._cursor = item.last_sequence
        if not self._items:
            self._taken.set()
        return item

    def cancel(self) -> asyncio.Future[None]:
        """Cancels the stream, at the server too; gives what may be waited for until that is done."""
        self._closed = True
        self._fetching.cancel()
        return self._fetching

    async def _fetch(self) -> None:
        error: MilepostError | None = None
        try:
            async with self._watch as watch:
                while items := await watch.batch():
                    self._items.extend(items)
                    self._taken.clear()
                    self._ready(self)
                    await self._taken.wait()
        except MilepostError as raised:
            error = raised
        self._items.append(Ended(self.job_id, error))

    def _stopped(self, _: asyncio.Task[None]) -> None:
        if not self._closed:
            self._ready(self)
