"""The loop of all watches: it opens streams, one after the other, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Literal, Protocol, Self, TypeVar

from milepost.client._transport.backoff import Backoff, is_passing
from milepost.client._transport.fork_safety import grpc
from milepost.client._watch.connection_state import Connection
from milepost.client._watch.stream_reader import Line
from milepost.client._watch.transport_fallback import TransportFallback, TransportMode
from milepost.client.errors import MilepostError, ServiceError, StreamsBlocked, Unreachable
from milepost.v1 import Job, WatchJobRequest, WatchJobResponse, WatchJobsRequest, WatchJobsResponse

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["ReconnectingStream", "Standing"]

Item = TypeVar("Item")
_Request = TypeVar("_Request", WatchJobRequest, WatchJobsRequest)
_Frame = TypeVar("_Frame", WatchJobResponse, WatchJobsResponse)

# Seconds between two questions where streams do not get through; and how long one may take that only finds that out.
_POLL: Final = 2.0
_PROBE: Final = 5.0
# After so many connections in a row that brought nothing, it is said.
_WORTH_SAYING: Final = 5

_log = logging.getLogger("milepost.client")

_BLOCKED: Final = {
    TransportMode.REPLAY: "calls are answered, but long-lived streams do not get through: polling for new events",
    TransportMode.CALL: "calls are answered, but no stream gets through: polling the job's state",
}


class Standing(Protocol):
    """Where a watch stands, as far as the loop needs to know."""

    epoch: str
    head: int
    caught_up: bool

    @property
    def mark(self) -> int:
        """What a new stream continues after."""

    @property
    def opened(self) -> bool:
        """Whether the current stream has opened."""

    @property
    def reached_head(self) -> bool:
        """Whether the current stream has brought all that there was."""

    @property
    def complete(self) -> bool:
        """Whether a stream that ends well now has brought all that was asked for."""


class ReconnectingStream(ABC, AsyncIterator[Item], Generic[Item, _Request, _Frame]):
    """What all watches have in common.

    An async iterator, and an async context manager that ends the stream at the server when it is left. Cancelling a
    wait for the next item, as `asyncio.wait_for` does, loses nothing: go on with the next one.
    """

    def __init__(
        self,
        channel: LazyChannel,
        standing: Standing,
        *,
        silence: float,
        timeout: float,
        on_state: Callable[[Connection], None] | None,
        backoff: Backoff | None,
    ) -> None:
        self._channel = channel
        self._standing = standing
        self._silence = silence
        self._timeout = timeout
        self._on_state = on_state
        self._backoff = backoff or Backoff()
        self._line: Line[_Request, _Frame] = Line(channel.target.address)
        self._passage = TransportFallback()
        self._ready: deque[Item] = deque()
        self._unread = False
        self._done = False
        self._connected_before = False
        self._recovering = False
        self._retry_at = 0.0
        self._give_up_at: float | None = None
        self._reconnects = 0
        self._connection = Connection("connecting")

    @property
    def epoch(self) -> str:
        """The epoch that the watch is of; empty until connected."""
        return self._standing.epoch

    @property
    def head(self) -> int:
        """The newest that is known of: a sequence, or in a watch of many jobs a position."""
        return self._standing.head

    @property
    def caught_up(self) -> bool:
        """Whether the head was reached: what comes now is live."""
        return self._standing.caught_up

    @property
    def connection(self) -> Connection:
        """How the watch is connected."""
        return self._connection

    @property
    def reconnects(self) -> int:
        """How often the stream was resumed."""
        return self._reconnects

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if not self._ready:
            self._ready.extend(await self._next())
            if not self._ready:
                raise StopAsyncIteration
        item = self._ready.popleft()
        self._yielded((item,), whole=not self._ready)
        return item

    async def opened(self) -> None:
        """Waits until the server has accepted the watch, so that one that cannot start is known before the first item.

        It has begun then, and may be iterated; where it was opened before this returns at once.

        Raises:
            MilepostError: What the first item would have raised, such as `JobNotFound` or `SequenceAhead`.
        """
        while not (self._connected_before or self._ready or self._done):
            self._ready.extend(await self._advance())

    async def batch(self) -> Sequence[Item]:
        """The same items, as many at once as have come, which costs less where there are many; none at the end."""
        items: Sequence[Item] = tuple(self._ready) or await self._next()
        self._ready.clear()
        if items:
            self._yielded(items, whole=True)
        return items

    async def batches(self) -> AsyncGenerator[Sequence[Item], None]:
        """One `batch` after the other."""
        while items := await self.batch():
            yield items

    async def aclose(self) -> None:
        """Ends the watch: the stream is cancelled at the server. Jobs go on."""
        reading = self._stop()
        self._unread = self._has_unread
        self._ready.clear()
        if reading is not None:
            await asyncio.wait((reading,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def _has_unread(self) -> bool:
        """Whether something has come that was not given out."""
        return self._unread or bool(self._ready)

    @property
    @abstractmethod
    def _name(self) -> str:
        """What is watched, for people."""

    @abstractmethod
    def _open(self, *, finite: bool) -> grpc.aio.UnaryStreamCall[_Request, _Frame]:
        """A new stream from where the watch stands; a finite one ends at the head."""

    @abstractmethod
    def _take(self, frame: _Frame) -> Sequence[Item]:
        """What a frame brings."""

    @abstractmethod
    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        """What to show in place of an error, after which a new stream is opened; None to raise it."""

    @abstractmethod
    def _yielded(self, items: Sequence[Item], *, whole: bool) -> None:
        """Items are given out; `whole`: and none that has come is left."""

    @abstractmethod
    async def _ask(self, timeout: float) -> Job | None:
        """A call without a stream; the job, where one is watched."""

    def _told(self, job: Job) -> Sequence[Item] | None:
        """What is new in a job as it stands; None where that cannot take the place of events."""
        return None

    async def _settle(self) -> Sequence[Item]:
        """What is to be looked up besides, before the stream goes on."""
        return ()

    @property
    def _ended(self) -> bool:
        """Whether all has come."""
        return False

    async def _is_over(self) -> bool:
        """Whether all has come, at the end of a stream that does not tell."""
        return False

    async def _next(self) -> Sequence[Item]:
        """The next items; none at the end."""
        while not self._done:
            items = await self._advance()
            if items and not self._done:
                return items
        return ()

    async def _advance(self) -> Sequence[Item]:
        """What the next step brings, which may be nothing; an error that passes is gone over."""
        if self._ended:
            await self._line.goodbye()
            self._stop()
            return ()
        try:
            return await self._step()
        except MilepostError as error:
            return await self._interrupted(error)

    async def _step(self) -> Sequence[Item]:
        """What comes next, which may be nothing."""
        loop = asyncio.get_running_loop()
        if self._give_up_at is None:
            self._give_up_at = loop.time() + self._timeout
            self._report(self._connection)
        if (wait := self._retry_at - loop.time()) > 0:
            await asyncio.sleep(wait)
        settled = await self._settle()
        if settled or self._done:
            return settled
        if not self._line.is_open:
            self._passage.look_again(loop.time())
            if self._passage.way is TransportMode.CALL:
                return await self._poll()
            self._line.open(self._open(finite=self._passage.way is TransportMode.REPLAY))
        frame = await self._line.read(self._patience)
        if self._done:
            return ()
        if frame is None:
            await self._stream_ended()
            return ()
        opening = not self._standing.opened
        items = self._take(frame)
        if opening and self._standing.opened:
            self._live()
        if items or frame.HasField("status"):
            self._progressed()
        return items

    @property
    def _patience(self) -> float:
        """How many seconds of silence are taken for a lost connection."""
        if self._standing.opened:
            return self._silence
        return min(self._silence, _PROBE if self._passage.doubts else self._timeout)

    async def _poll(self) -> Sequence[Item]:
        job = await self._ask(self._timeout)
        items = None if job is None else self._told(job)
        if items is None:
            raise StreamsBlocked(self._channel.target.address)
        self._retry_at = asyncio.get_running_loop().time() + _POLL
        return items

    async def _stream_ended(self) -> None:
        """The stream ended with OK. Unless all has come, it was interrupted (rule 6)."""
        if self._standing.complete or (self._standing.reached_head and await self._is_over()):
            self._stop()
        elif self._passage.way is TransportMode.REPLAY and self._standing.reached_head:
            self._retry_at = asyncio.get_running_loop().time() + _POLL
        else:
            raise Unreachable(self._channel.target.address, "the stream ended before the job did")

    def _live(self) -> None:
        """A stream has opened."""
        self._passage.opened()
        if self._passage.way is not TransportMode.STREAM:
            return
        self._channel.cut_off.discard(self)
        fruitless = self._backoff.fruitless
        if self._connected_before:
            self._reconnects += 1
            self._report(Connection("live", resumed_at=self._standing.mark, fruitless=fruitless))
        else:
            self._connected_before = True
            self._report(Connection("live", fruitless=fruitless))

    def _progressed(self) -> None:
        self._backoff.reset()
        self._recovering = False

    async def _interrupted(self, error: MilepostError) -> Sequence[Item]:
        """Plans the next try, or gives up. What is to be shown instead of the error, where it is not raised."""
        opened = self._standing.opened
        self._line.drop()
        now = asyncio.get_running_loop().time()
        items = self._recover(error)
        if items is None and not is_passing(error, connected_before=self._connected_before):
            self._stop()
            raise error
        wait = 0.0
        if items is None or self._recovering:  # a gap is gone over at once, but not again and again
            if self._connected_before:
                self._channel.cut_off.add(self)
            asked = error.retry_delay if isinstance(error, ServiceError) else None
            wait = self._backoff.next(asked or 0.0, opened=opened, crowd=len(self._channel.cut_off))
        self._retry_at = now + wait
        self._report_interrupted(error, wait)
        if items is not None:
            self._recovering = True
            return items
        late = not self._connected_before and self._give_up_at is not None and now >= self._give_up_at
        if not opened:
            await self._look_around(error, late=late)
        if late and self._passage.way is TransportMode.STREAM:
            self._stop()
            raise error
        return ()

    async def _look_around(self, error: MilepostError, *, late: bool) -> None:
        """A stream has not even opened: whether it is only streams that do not get through."""
        passage = self._passage
        if isinstance(error, ServiceError) and error.reason:  # it got through, and was refused
            passage.opened()
        elif passage.way is TransportMode.CALL:  # now not even a call gets through
            passage.unanswered()
        elif passage.failed(last=late):
            answered = await self._is_answered()
            if passage.called(answered=answered, now=asyncio.get_running_loop().time(), last=late):
                self._connected_before = True
                self._channel.cut_off.discard(self)
                self._retry_at = 0.0
                _log.warning("%s: %s", self._name, _BLOCKED[passage.way])
                self._report(Connection("polling", error=_BLOCKED[passage.way]))

    async def _is_answered(self) -> bool:
        """Whether the server answers a call, at this moment."""
        try:
            await self._ask(min(_PROBE, self._timeout))
        except MilepostError as error:
            if is_passing(error, connected_before=True):
                return False
            self._stop()
            raise
        return True

    def _report_interrupted(self, error: MilepostError, wait: float) -> None:
        fruitless = self._backoff.fruitless
        if fruitless == _WORTH_SAYING:
            _log.warning("%s: %d connections in a row have brought nothing: %s", self._name, fruitless, error)
        state: Literal["connecting", "reconnecting", "polling"] = "polling"
        if self._passage.way is TransportMode.STREAM:
            state = "reconnecting" if self._connected_before else "connecting"
        self._report(Connection(state, wait, error=str(error), fruitless=fruitless))

    def _report(self, connection: Connection) -> None:
        self._connection = connection
        if self._on_state is not None:
            self._on_state(connection)

    def _stop(self) -> asyncio.Task[_Frame | None] | None:
        """Nothing more comes; the stream, if there is one, is cancelled."""
        self._done = True
        self._channel.cut_off.discard(self)
        return self._line.drop()
