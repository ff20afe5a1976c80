"""The loop of all watches: it opens one stream after another until the watch is complete."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from milepost.client._transport.backoff import Backoff, is_transient, is_unexplained
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import Metadata
from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client._watch.buffered_iterator import BufferedIterator
from milepost.client._watch.connection_state import Connection, interrupted
from milepost.client._watch.kept_step import KeptStep
from milepost.client._watch.node_lag import NodeLag
from milepost.client._watch.stream_reader import StreamReader
from milepost.client._watch.transport_fallback import TransportFallback, TransportMode
from milepost.client._watch.watch_cursor import WatchCursor
from milepost.client.errors import MilepostError, ServiceError, StreamsBlocked, TokenUnavailable, Unreachable
from milepost.v1 import Job, WatchJobRequest, WatchJobResponse, WatchJobsRequest, WatchJobsResponse

if TYPE_CHECKING:
    from milepost.client._transport.channel import LazyChannel

__all__ = ["ReconnectingStream"]

Item = TypeVar("Item")
_Request = TypeVar("_Request", WatchJobRequest, WatchJobsRequest)
_Frame = TypeVar("_Frame", WatchJobResponse, WatchJobsResponse)

# Seconds between two polls while streams are blocked.
_POLL_INTERVAL: Final = 2.0
# Timeout in seconds of a call that only checks whether the server answers.
_PROBE_TIMEOUT: Final = 5.0
# Consecutive connections without any event after which the watch logs a warning.
_FRUITLESS_LOG_THRESHOLD: Final = 5

_logger = logging.getLogger("milepost.client")


class ReconnectingStream(BufferedIterator[Item], Generic[Item, _Request, _Frame]):
    """Base of all watches.

    An async iterator, and an async context manager that cancels the stream at the server on exit. Cancelling a wait for
    the next item, as `asyncio.wait_for` does, loses nothing: the next wait continues, also a reconnect.
    """

    def __init__(
        self,
        channel: LazyChannel,
        cursor: WatchCursor,
        *,
        timeout: float,
        on_state: Callable[[Connection], None] | None,
        backoff: Backoff | None,
    ) -> None:
        super().__init__()
        self._channel = channel
        self._cursor = cursor
        self._timeout = timeout
        self._on_state = on_state
        self._backoff = backoff or Backoff()
        self._credential = channel.credential()
        self._reader: StreamReader[_Request, _Frame] = StreamReader(channel.target.address)
        self._fallback = TransportFallback()
        self._lag = NodeLag(timeout)
        self._unexplained = UnexplainedErrors()
        self._waiting = channel.closable_wait()
        self._under_way = KeptStep()
        self._yielded_epoch = cursor.epoch
        self._done = self._has_opened = self._connected_before = self._recovering = self._unread = False
        self._retry_at = 0.0
        self._connect_deadline: float | None = None
        self._reconnects = 0
        self._connection = Connection("connecting")

    @property
    def epoch(self) -> str:
        """The epoch of the cursor; empty until connected. Keep it with the cursor."""
        return self._yielded_epoch if self._has_unread else self._cursor.epoch

    @property
    def head(self) -> int:
        """The newest known sequence or, in a watch of many jobs, position."""
        return self._cursor.head

    @property
    def caught_up(self) -> bool:
        """Whether the watch has reached the head, so that further events are live."""
        return self._cursor.caught_up

    @property
    def connection(self) -> Connection:
        """How the watch is connected."""
        return self._connection

    @property
    def reconnects(self) -> int:
        """How often the stream resumed."""
        return self._reconnects

    async def opened(self) -> None:
        """Wait until the server has accepted the watch, to detect a watch that cannot start before its first item.

        Returns at once if the watch has started before.

        Raises:
            MilepostError: The error that iterating would raise, such as `JobNotFound` or `SequenceAhead`.
        """
        calls = TransportMode.CALL  # without any stream
        while not (self._has_opened or self._fallback.mode is calls or self._ready or self._is_over):
            await self._under_way.run(self._advance)

    async def aclose(self) -> None:
        """End the watch: cancel the stream at the server. Jobs continue."""
        reading, step = self._finish(), self._under_way.cancel()
        self._unread = self._has_unread
        self._ready.clear()
        for ending in (reading, step):
            if ending is not None:
                await asyncio.wait((ending,))

    @property
    def _has_unread(self) -> bool:
        """Whether received items were not yielded."""
        return self._unread or bool(self._ready)

    @property
    def _is_over(self) -> bool:
        """Whether no step is left, nor an error of one."""
        return self._done and not self._under_way.is_begun

    @property
    @abstractmethod
    def _name(self) -> str:
        """Name of the watch in log lines."""

    @abstractmethod
    def _open(self, metadata: Metadata, *, finite: bool) -> grpc.aio.UnaryStreamCall[_Request, _Frame]:
        """A new stream from the cursor; a finite one ends at the head."""

    @abstractmethod
    def _accept(self, frame: _Frame) -> Sequence[Item]:
        """The new items of a frame."""

    @abstractmethod
    def _recover(self, error: MilepostError) -> Sequence[Item] | None:
        """Items to yield instead of an error, before a new stream opens; None to raise it."""

    def _on_yield(self, items: Sequence[Item], *, all_read: bool) -> None:
        """Note that these items were yielded; `all_read`: no received item is left."""
        self._yielded_epoch = self._cursor.epoch

    @abstractmethod
    async def _call_server(self, timeout: float) -> Job | None:
        """Call the server without a stream; return the job, if the watch is of one job."""

    def _items_of_job(self, job: Job) -> Sequence[Item] | None:
        """The new items in the state of a job; None if it cannot replace events."""
        return None

    async def _fetch_missing(self) -> Sequence[Item]:
        """Items to fetch by calls before the stream continues."""
        return ()

    @property
    def _is_complete(self) -> bool:
        """Whether the last event has been received."""
        return False

    async def _has_ended(self) -> bool:
        """Whether the watch is complete, at the end of a stream that does not say so."""
        return False

    async def _receive(self) -> None:
        """Take one step after another until there are items, or the end."""
        while not (self._ready or self._is_over):
            if await self._frame_arrives():
                await self._advance()
            else:
                await self._under_way.run(self._advance)

    async def _frame_arrives(self) -> bool:
        """Wait for the next frame of a stream that has opened; False if a step has more to do than to take that.

        A step that only takes a frame waits for nothing that had to be kept, so it needs no task, which costs more than
        the step does.
        """
        self._channel.check_usable()
        if self._under_way.is_begun or self._is_complete or self._cursor.missing or not self._cursor.opened:
            return False
        async with self._waiting.until_closed():
            return await self._reader.arrives(self._read_timeout)
        return False

    async def _advance(self) -> None:
        """Add the items of the next step, possibly none; a transient error schedules a retry."""
        if self._is_complete:
            await self._reader.drain()
            self._finish()
            return
        async with self._waiting.until_closed():
            try:
                items = await self._step()
            except MilepostError as error:
                items = await self._on_error(error)
            if not self._done:
                self._ready.extend(items)

    async def _step(self) -> Sequence[Item]:
        """Open a stream if there is none, and return the items of its next frame, possibly none."""
        self._channel.check_usable()  # it may have been closed between two steps, or the process forked
        loop = asyncio.get_running_loop()
        if self._connect_deadline is None:
            self._connect_deadline = loop.time() + self._timeout
            self._notify_state(self._connection)
        if (wait := self._retry_at - loop.time()) > 0:
            with self._under_way.resumable():
                await asyncio.sleep(wait)
        fetched = await self._fetch_missing()
        if fetched:
            self._unexplained.passed()
        if fetched or self._done:
            return fetched
        if not self._reader.is_open:
            self._fallback.retry_stream(loop.time())
            if self._fallback.mode is TransportMode.CALL:
                return await self._poll()
            metadata = await self._credential.metadata(self._timeout)
            if self._done:
                return ()
            self._reader.open(self._open(metadata, finite=self._fallback.mode is TransportMode.REPLAY))
        with self._under_way.resumable():
            frame = await self._reader.read(self._read_timeout)
        if self._done:
            return ()
        if frame is None:
            await self._stream_ended()
            return ()
        opening = not self._cursor.opened
        items = self._accept(frame)
        if opening and self._cursor.opened:
            with self._keeping(items):
                self._on_opened()
        if items or frame.HasField("status"):
            self._backoff.reset()
            self._unexplained.passed()
            self._recovering = False
        return items

    @property
    def _read_timeout(self) -> float:
        """Seconds of silence after which the connection counts as lost."""
        silence = self._cursor.silence_timeout
        return silence if self._cursor.opened else min(silence, self._fallback.opening_timeout(self._timeout))

    async def _poll(self) -> Sequence[Item]:
        job = await self._call_server(self._timeout)
        items = None if job is None else self._items_of_job(job)
        if items is None:
            raise StreamsBlocked(self._channel.target.address)
        self._unexplained.passed()
        self._retry_at = asyncio.get_running_loop().time() + _POLL_INTERVAL
        return items

    async def _stream_ended(self) -> None:
        """Handle a stream that ended with OK: unless the watch is complete, it was interrupted (rule 6)."""
        if self._cursor.complete or (self._cursor.reached_head and await self._has_ended()):
            self._finish()
        elif self._fallback.mode is TransportMode.REPLAY and self._cursor.reached_head:
            self._retry_at = asyncio.get_running_loop().time() + _POLL_INTERVAL
        else:
            raise Unreachable(self._channel.target.address, "the stream ended before the job did")

    def _on_opened(self) -> None:
        """Note that a stream has opened."""
        self._has_opened = True
        self._credential.accepted()
        self._fallback.stream_opened()
        self._lag.passed()
        if self._fallback.mode is not TransportMode.STREAM:
            return
        self._channel.disconnected_watches.discard(self)
        fruitless = self._backoff.fruitless
        resumed_at = self._cursor.resume_after if self._connected_before else None
        self._reconnects += self._connected_before
        self._connected_before = True
        self._notify_state(Connection("live", resumed_at=resumed_at, fruitless=fruitless))

    async def _on_error(self, error: MilepostError) -> Sequence[Item]:
        """Schedule a retry or raise the error; return the items to yield instead of it."""
        opened = self._cursor.opened
        self._reader.cancel()
        items = self._recover(error)
        renewed = False
        try:
            renewed = await self._credential.renew(error, self._timeout)
        except TokenUnavailable as unavailable:
            error = unavailable.with_traceback(None)  # that has this frame
        if self._done:
            return ()
        now = asyncio.get_running_loop().time()
        may_pass = (
            is_transient(error, connected_before=self._connected_before)
            or self._lag.may_pass(error, self._cursor.epoch, now)
            or self._unexplained.may_pass(error)
        )
        if items is None and not (renewed or may_pass):
            self._finish()
            raised = [self._credential.first_of(error)]
            del error  # which has this frame, and with that those of whoever iterates
            raise raised.pop()
        wait = 0.0
        if items is None or self._recovering:  # skip a gap at once, but not repeatedly
            if self._connected_before:
                self._channel.disconnected_watches.add(self)
            requested_delay = error.retry_delay if isinstance(error, ServiceError) else None
            simultaneous = len(self._channel.disconnected_watches)
            wait = self._backoff.next_delay(requested_delay or 0.0, opened=opened, simultaneous=simultaneous)
            if renewed:
                self._credential.delayed(wait)
        self._retry_at = now + wait
        if items is not None:
            self._recovering = True
        with self._keeping(items or ()):
            self._notify_interrupted(error, wait)
        if items is not None:
            return items
        deadline = self._connect_deadline
        deadline_passed = not self._connected_before and deadline is not None and now >= deadline
        answered = not opened and await self._check_transport(error, deadline_passed=deadline_passed)
        if deadline_passed and not answered:
            self._finish()
            raised = [error]
            del error  # as above
            raise raised.pop()
        return ()

    async def _check_transport(self, error: MilepostError, *, deadline_passed: bool) -> bool:
        """After a stream that did not open, check whether only streams are blocked, and choose the transport mode.

        Returns whether the server answered a call, so that there is more to try.
        """
        fallback = self._fallback
        # There was no stream; or it failed by a fault, which says nothing about others.
        if isinstance(error, TokenUnavailable) or is_unexplained(error):
            return False
        if isinstance(error, ServiceError) and error.reason:  # the server received and refused it
            fallback.stream_opened()
        elif fallback.mode is TransportMode.CALL:  # calls fail as well by now
            fallback.call_failed()
        elif fallback.stream_failed(last=deadline_passed):
            answered = await self._server_answers()
            now = asyncio.get_running_loop().time()
            if fallback.probed(answered=answered, now=now, last=deadline_passed):
                self._connected_before = True
                self._channel.disconnected_watches.discard(self)
                self._retry_at = 0.0
                _logger.warning("%s: %s", self._name, fallback.text)
                self._notify_state(Connection("polling", error=fallback.text))
            elif answered and deadline_passed:
                self._retry_at = 0.0
            return answered
        return False

    async def _server_answers(self) -> bool:
        """Whether the server answers a call now."""
        try:
            await self._call_server(min(_PROBE_TIMEOUT, self._timeout))
        except MilepostError as error:
            if is_transient(error, connected_before=True) or is_unexplained(error):
                return False
            self._finish()
            raise
        return True

    def _notify_interrupted(self, error: MilepostError, wait: float) -> None:
        fruitless = self._backoff.fruitless
        if fruitless == _FRUITLESS_LOG_THRESHOLD:
            text = "%s: %d consecutive connections delivered no events: %s"
            _logger.warning(text, self._name, fruitless, error)
        before, mode = self._connected_before, self._fallback.mode
        self._notify_state(interrupted(str(error), wait, mode, fruitless, connected_before=before))

    def _notify_state(self, connection: Connection) -> None:
        self._connection = connection
        if self._on_state is not None:
            self._on_state(connection)

    def _finish(self) -> asyncio.Task[_Frame | None] | None:
        """End the iteration, and cancel the stream; return its pending read, if any."""
        self._done = True
        self._channel.disconnected_watches.discard(self)
        return self._reader.cancel()
