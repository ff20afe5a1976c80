"""The watch loop, for one job and for many: a cursor that reads, waits and reads again.

Replay and live are one loop (rule 5): note the version of the signal, send what there is after the cursor, and at the
head wait for the next version. Whatever becomes durable after the version was noted ends the wait, so nothing can fall
between.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import structlog

from milepost.contract import limits
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import draining
from milepost.server.log.event_log import EventLog
from milepost.server.messages.timestamps import SECOND, nanoseconds
from milepost.server.watching.batches import Batch
from milepost.server.watching.cursor_errors import changed_epoch
from milepost.server.watching.event_filters import frame_filter
from milepost.server.watching.live_groups import LiveGroup
from milepost.server.watching.shared_status import SharedStatus
from milepost.server.watching.signals import Served, Signal, Waiter
from milepost.server.watching.stream_step import AT_HEAD, NO_ROOM, SENT, Step
from milepost.server.watching.subscriber import NoRoom, Subscriber
from milepost.v1 import (
    CaughtUp,
    Delivery,
    EventFilter,
    OnGap,
    Opened,
    Status,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)

_logger = structlog.get_logger("milepost.watching")

# Seconds that a cursor ahead of the head waits for the log to get there (rule 4).
AHEAD_TIMEOUT = 2.0

# Least interval after a batch that reaches the head with LATEST delivery, in seconds; a tenth of the status interval
# where that is longer.
_LATEST_INTERVAL = 0.1

# Looks at a status that are put off, since an event was on its way, until the task of the stream looks. That takes
# several times as long (``TASK_TURNS``), and there is mostly a pause between some events.
_LOOKS_PUT_OFF: Final = 4


class WatchStream(ABC):
    """The stream of one subscriber."""

    _response: ClassVar[type[WatchJobResponse] | type[WatchJobsResponse]]

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        signal: Signal,
        shared: SharedStatus,
        request: WatchJobRequest | WatchJobsRequest,
        events: EventFilter,
        cursor: int,
        subscriber: Subscriber,
    ) -> None:
        self._log = log
        self._clock = clock
        self._signal = signal
        self._shared = shared
        self._request = request
        self._cursor = cursor
        self._subscriber = subscriber
        self._filter = frame_filter(events, request.delivery)
        interval, least = limits.STATUS_INTERVAL, _LATEST_INTERVAL
        if request.HasField("status_interval"):
            interval = nanoseconds(request.status_interval) / SECOND
            least = max(least, interval / 10)
        self._status_interval = interval
        rests = request.delivery == Delivery.DELIVERY_LATEST and not request.no_follow
        self._send_interval = least if rests else 0.0
        self._waiter = Waiter(signal, interval, subscriber.pacer, subscriber.caller)
        self._group: LiveGroup | None = None
        self._is_look_queued = False
        self._looks_put_off = 0

    async def run(self) -> None:
        """Send frames until the stream is complete.

        Raises SEQUENCE_TRIMMED, SEQUENCE_AHEAD, EPOCH_CHANGED, DRAINING when the server stops, and for one job
        JOB_NOT_FOUND.
        """
        try:
            await self._open()
            await self._follow()
        finally:
            self._waiter.close()
            self._subscriber.close()

    async def _open(self) -> None:
        """Send `opened`, and the snapshot if the stream starts with one. Its own method, to drop that once sent."""
        send_snapshot = await self._choose_start()
        await self._send_response(self._response(opened=self._opened()))
        if send_snapshot is not None:
            await send_snapshot()

    async def _follow(self) -> None:
        caught_up = False
        rests_until = 0.0
        loop = asyncio.get_running_loop()
        serve = self._serve if self._subscriber.takes_offers and not self._send_interval else None
        while True:
            # Before the next batch, and not after one: under a steady flow each would have a successor by then, and
            # what follows at the head, such as statuses, would never come.
            if rests_until and self._cursor < self._head and (rest := rests_until - loop.time()) > 0:
                self._subscriber.pause()
                await asyncio.sleep(rest)
            version = self._signal.version
            if self._is_cut_off and not self._has_sent_end:
                self._check()
            head = self._head
            try:
                step = await self._send_next()
            except NoRoom:
                step = NO_ROOM
            if step is NO_ROOM:
                await self._subscriber.wait_for_room()
                continue
            if step is SENT:
                self._waiter.restart()
                # Not within a replay, of which the next batch is there already.
                if self._send_interval and self._cursor >= head:
                    rests_until = loop.time() + self._send_interval
            if step is not AT_HEAD and self._cursor < self._head:
                if not self._subscriber.pacer.use_turn():
                    self._subscriber.pause()
                    await self._subscriber.pacer.turn(self._subscriber.caller)
                continue
            self._subscriber.pause()
            if not caught_up:
                caught_up = True
                await self._send_response(self._response(caught_up=CaughtUp(sequence=self._cursor)))
            elif self._request.no_follow or self.is_complete():
                await self._send_last_status()
                return
            elif (self.is_look_due and await self._is_status_due()) or not await self._wait(version, serve):
                await self._send_status()
                self._waiter.restart()

    @property
    def _has_sent_end(self) -> bool:
        """Whether it needs nothing more of the log, where the job may be deleted by now."""
        return self.is_complete() and self._cursor >= self._head

    async def _wait(self, version: int, serve: Callable[[], Served] | None) -> bool:
        """Wait at the head: see ``Waiter.wait``. What comes is served meanwhile, with other streams if possible."""
        if serve is not None and self._signal.version == version:
            self._group = self._join_group()
        try:
            is_notified = await self._waiter.wait(version, serve, self._group)
            is_notified |= self._group is not None and not self._group.has(self)
        finally:
            if self._group is not None:
                self._group.leave(self)
                self._group = None
        await self._subscriber.sent()
        return is_notified

    def _join_group(self) -> LiveGroup | None:
        """Have what comes served together with others' who get the same; None where there may be no others."""
        return None

    def move_to(self, cursor: int) -> None:
        """See ``Member``."""
        self._cursor = cursor

    def wake(self) -> None:
        """See ``Member``."""
        self._waiter.wake()

    def go_on_alone(self, *, is_served: bool) -> None:
        """See ``Member``."""
        self._group = None
        self._waiter.leave_group(is_served=is_served)

    async def _send_last_status(self) -> None:
        """Send the status that is due at the end, if the request has a ``status_interval``.

        Clients that ask at intervals set one, since some of what they show is in statuses only.
        """
        if (
            self._request.HasField("status_interval")
            and not self.is_complete()
            and await self._is_status_due()
        ):
            await self._send_status()

    def _serve(self) -> Served:
        """Offer what has come to the subscriber, without waking the stream's task, unless it takes that.

        What a live stream sends is mostly one small batch, which it shares with others, to a reader that has room.
        A status that is due follows once all readers have the batch. The end is for the task to tell.
        """
        if self._subscriber.call_when_sent(self._waiter.wake):
            return Served.BUSY
        batch = self.news()
        if batch is None:
            return Served.TASK
        if batch.last > self._cursor:
            if batch.response:
                if not self._subscriber.offer(batch.response):
                    return Served.TASK
                self._waiter.restart()
            self._cursor = batch.last
        if self.is_complete():
            return Served.TASK
        if not self.is_look_due:
            self._go_on_in_group()
        elif self._looks_put_off >= _LOOKS_PUT_OFF:
            # Under a steady flow of events only the task gets to look.
            self._looks_put_off = 0
            return Served.TASK
        else:
            self._look_later()
        return Served.ALL

    def _look_later(self) -> None:
        if not self._is_look_queued:
            self._is_look_queued = True
            self._subscriber.pacer.put_look(self._subscriber.caller, self)

    def look(self) -> int:
        """Offer a status if one is due; wake the task where that takes it. See ``Looking``."""
        self._is_look_queued = False
        if self._group is not None or not self._waiter.is_waiting:
            return 0
        if self.put_off_look():
            return 0
        try:
            takes_task = self.may_status_be_due() and not self.offer_status()
        except Exception:  # the task tries again, and ends with the error
            _logger.exception("live delivery failed")
            takes_task = True
        if takes_task:
            self._waiter.wake_task()
        elif not self.is_look_due:
            self._go_on_in_group()
        return 1

    def put_off_look(self) -> bool:
        """See ``Member``."""
        is_put_off = self._subscriber.call_when_sent(self._go_on_when_sent)
        self._looks_put_off = self._looks_put_off + 1 if is_put_off else 0
        return is_put_off

    def _go_on_when_sent(self) -> None:
        # Several callers may have asked for this one call, so it resumes everything that may have been put off.
        self._look_later()
        self._waiter.wake_for_news()

    def _go_on_in_group(self) -> None:
        """Join a live group if there is one: while a job is queued, each stream waits by itself."""
        self._group = self._join_group()
        if self._group is not None:
            self._waiter.join(self._group)

    async def _choose_start(self) -> Callable[[], Awaitable[None]] | None:
        """Set the cursor to where the stream starts; return what sends the snapshot that it starts with, if any."""
        request = self._request
        await self._load_bounds()
        if request.from_latest:
            self._cursor = self._head
            return None
        # The store's own epoch is accepted for any job in it: lists have no other.
        other_epoch = request.epoch not in ("", self._log.epoch, self._epoch)
        has_gap = other_epoch or self._is_trimmed()
        if request.from_snapshot or (has_gap and request.on_gap == OnGap.ON_GAP_SNAPSHOT):
            return await self._move_to_snapshot()
        if other_epoch:
            raise changed_epoch(request.epoch, self._epoch, self._log.epoch)
        self._check()
        if self._cursor > self._head:
            await self._wait_for_cursor()
            self._check()
        return None

    @property
    @abstractmethod
    def _is_cut_off(self) -> bool:
        """Whether ``_check`` raises."""

    def _check(self) -> None:
        """Raise what ends the stream: the server stops, or the log has dropped events after the cursor."""
        if self._is_draining():
            raise draining()
        if self._is_trimmed():
            raise self._trimmed()

    async def _send_response(self, response: WatchJobResponse | WatchJobsResponse) -> None:
        await self._subscriber.send(response.SerializeToString())

    async def _send_status(self) -> None:
        await self._subscriber.send(self._encode(await self._status()))

    def _offer(self, status: Status) -> bool:
        is_sent = self._subscriber.offer(self._encode(status))
        if is_sent:
            self._waiter.restart()
        return is_sent

    def _encode(self, status: Status) -> bytes:
        return self._shared.encode(self._response(), status, self._clock.now())

    @property
    @abstractmethod
    def is_look_due(self) -> bool:
        """Whether it is time for a look if a status is due. It is asked after each event."""

    @abstractmethod
    def may_status_be_due(self) -> bool:
        """Look, without waiting for anything: whether ``_is_status_due`` has to tell.

        What it would have to wait for comes in the background, and the signal is notified of it.
        """

    def offer_status(self) -> bool:
        """Offer a status to the subscriber, as of now. False if that takes a wait, or the subscriber has no room."""
        return False

    @abstractmethod
    async def _is_status_due(self) -> bool:
        """Whether a status is due before the interval is over."""

    @property
    @abstractmethod
    def _epoch(self) -> str:
        """The epoch that its cursors belong to."""

    @property
    @abstractmethod
    def _head(self) -> int:
        """The cursor of the newest event."""

    @abstractmethod
    async def _load_bounds(self) -> None:
        """Read which events the log has."""

    @abstractmethod
    async def _wait_for_cursor(self) -> None:
        """Wait for the log to reach a cursor that is ahead of it (rule 4). Raises SEQUENCE_AHEAD."""

    @abstractmethod
    async def _move_to_snapshot(self) -> Callable[[], Awaitable[None]]:
        """Set the cursor to that of a snapshot, and return what sends the snapshot."""

    @abstractmethod
    def news(self) -> Batch | None:
        """All events after the cursor, perhaps none; None if that takes more than one batch in memory, or if anything
        else goes first.
        """

    @abstractmethod
    async def _send_next(self) -> Step:
        """Send a batch of events after the cursor, and move the cursor."""

    @abstractmethod
    def _is_draining(self) -> bool: ...

    @abstractmethod
    def _is_trimmed(self) -> bool: ...

    @abstractmethod
    def _trimmed(self) -> Exception: ...

    @abstractmethod
    def is_complete(self) -> bool:
        """Whether no event can follow."""

    @abstractmethod
    def _opened(self) -> Opened: ...

    @abstractmethod
    async def _status(self) -> Status:
        """The status as of now, without the time."""
