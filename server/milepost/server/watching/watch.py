"""Following one job: a cursor that reads, waits and reads again.

Replay and live are one loop (rule 5): take the ticket for the next wake-up, read what there is after the cursor, and
only where there is nothing wait for the ticket. Whatever becomes durable after the read ends the wait, so nothing can
fall between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from milepost.contract import limits
from milepost.server.clock import Clock
from milepost.server.instants import nanoseconds, timestamp
from milepost.server.log.event_log import EventLog, Page
from milepost.server.log.frames import watch_response
from milepost.server.refusal import Refusal, draining, job_not_found
from milepost.server.watching.tails import Tail, Tails
from milepost.v1 import (
    CaughtUp,
    ErrorReason,
    OnGap,
    Opened,
    Snapshot,
    Status,
    WatchJobRequest,
    WatchJobResponse,
)

# What one frame holds, about, in bytes: some thousand events, and well under what gRPC takes in one message.
_BATCH_BYTES = 256 * limits.KIB
# How long a cursor ahead of the head may wait for the log to get there, in seconds (rule 4).
_AHEAD_WAIT = 2.0


class Watcher:
    """Serves WatchJob from a log and its tails."""

    def __init__(self, log: EventLog, tails: Tails, clock: Clock) -> None:
        self._log = log
        self._tails = tails
        self._clock = clock

    async def watch(self, request: WatchJobRequest) -> AsyncGenerator[bytes]:
        """The serialised frames of a stream. The request has been checked.

        Raises JOB_NOT_FOUND, SEQUENCE_TRIMMED, SEQUENCE_AHEAD, EPOCH_CHANGED, or DRAINING when the server stops.
        """
        with self._tails.watching(request.job_id) as tail:
            stream = _Stream(self._log, self._tails, self._clock, tail, request)
            async for frame in stream.frames():
                yield frame


class _Stream:
    """One subscriber: where it stands, and what it is to be sent next."""

    def __init__(
        self, log: EventLog, tails: Tails, clock: Clock, tail: Tail, request: WatchJobRequest
    ) -> None:
        self._log = log
        self._tails = tails
        self._clock = clock
        self._tail = tail
        self._request = request
        self._cursor = request.after_sequence
        self._interval = limits.STATUS_INTERVAL
        if request.HasField("status_interval"):
            self._interval = nanoseconds(request.status_interval) / 1e9

    async def frames(self) -> AsyncGenerator[bytes]:
        request = self._request
        start = await self._read_log(0)
        gap = not request.from_latest and (self._of_other_epoch() or self._is_trimmed(start))
        wants_snapshot = request.from_snapshot or (gap and request.on_gap == OnGap.ON_GAP_SNAPSHOT)
        if not wants_snapshot:
            self._check_epoch()
            if request.from_latest:
                self._cursor = start.head
            start = await self._reach_cursor(start)
            self._check_trimmed(start)
        snapshot = await self._snapshot() if wants_snapshot else None
        yield self._opened(start)
        if snapshot is not None:
            yield snapshot
        caught_up = False
        while True:
            ticket = self._tail.changed
            page = await self._read()
            self._check_trimmed(page)
            if page.chunks:
                yield self._events(page)
                continue
            if not caught_up:
                caught_up = True
                yield _encode(WatchJobResponse(caught_up=CaughtUp(sequence=self._cursor)))
                continue
            if page.ended or request.no_follow:
                return
            if not await self._wait(ticket, self._interval):
                yield self._status(page)

    async def _read(self) -> Page:
        """What there is after the cursor; from the tail if it reaches back that far."""
        if self._tails.closed:
            raise draining()
        return self._tail.read(self._cursor, _BATCH_BYTES) or await self._read_log(_BATCH_BYTES)

    async def _read_log(self, most_bytes: int) -> Page:
        page = await self._log.read(self._request.job_id, self._cursor, most_bytes)
        if page is None:
            raise job_not_found(self._request.job_id)
        self._tail.first = page.first
        return page

    async def _wait(self, ticket: asyncio.Event, seconds: float) -> bool:
        """Whether the wake-up came in that time."""
        if self._tails.closed:
            raise draining()
        try:
            async with asyncio.timeout(seconds):
                await ticket.wait()
        except TimeoutError:
            return False
        return True

    async def _reach_cursor(self, page: Page) -> Page:
        """Gives the log a moment to reach a cursor that is ahead of it (rule 4)."""
        deadline = self._clock.monotonic() + _AHEAD_WAIT
        while self._cursor > page.head:
            ticket = self._tail.changed
            page = await self._read()
            left = deadline - self._clock.monotonic()
            if self._cursor > page.head and (left <= 0 or page.ended or not await self._wait(ticket, left)):
                raise self._out_of_range(
                    ErrorReason.ERROR_REASON_SEQUENCE_AHEAD,
                    page,
                    f"is ahead of the log, whose newest event is {page.head}. Check which job and server it is of.",
                )
        return page

    def _of_other_epoch(self) -> bool:
        return self._request.epoch not in ("", self._log.epoch)

    def _check_epoch(self) -> None:
        if self._of_other_epoch():
            raise Refusal(
                ErrorReason.ERROR_REASON_EPOCH_CHANGED,
                f"The cursor is of epoch {self._request.epoch!r}; the store, restored or replaced since, has epoch "
                f"{self._log.epoch!r}. Start again from 0 or from a snapshot.",
                metadata={"requested": self._request.epoch, "epoch": self._log.epoch},
            )

    def _is_trimmed(self, page: Page) -> bool:
        return self._cursor < page.first - 1

    def _check_trimmed(self, page: Page) -> None:
        if self._is_trimmed(page):
            raise self._out_of_range(
                ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED,
                page,
                f"cannot be continued from: the oldest event that is kept is {page.first}. Start from a snapshot.",
            )

    def _out_of_range(self, reason: ErrorReason.ValueType, page: Page, text: str) -> Refusal:
        return Refusal(
            reason,
            f"The cursor {self._cursor} of job {self._request.job_id!r} {text}",
            metadata={"requested": self._cursor, "first": page.first, "head": page.head},
        )

    async def _snapshot(self) -> bytes:
        job = await self._log.find(self._request.job_id)
        if job is None:
            raise job_not_found(self._request.job_id)
        self._cursor = job.last_sequence
        return _encode(WatchJobResponse(snapshot=Snapshot(job=job)))

    def _opened(self, page: Page) -> bytes:
        opened = Opened(
            epoch=self._log.epoch,
            first_sequence=page.first,
            head_sequence=max(page.head, self._cursor),
            cursor=self._cursor,
            server_time=timestamp(self._clock.now()),
        )
        return _encode(WatchJobResponse(opened=opened))

    def _events(self, page: Page) -> bytes:
        chunks = page.chunks
        most = self._request.max_batch_events
        if most:
            taken = []
            for chunk in chunks:
                taken.append(chunk.head(most))
                most -= taken[-1].last - taken[-1].first + 1
                if most == 0:
                    break
            chunks = taken
        self._cursor = chunks[-1].last
        return watch_response(chunk.frames for chunk in chunks)

    def _status(self, page: Page) -> bytes:
        status = Status(
            cursor=self._cursor,
            head_sequence=page.head,
            fraction=page.fraction,
            server_time=timestamp(self._clock.now()),
        )
        return _encode(WatchJobResponse(status=status))


def _encode(response: WatchJobResponse) -> bytes:
    return response.SerializeToString()
