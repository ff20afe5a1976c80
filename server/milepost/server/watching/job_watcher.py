"""WatchJob: following one job."""

from __future__ import annotations

import asyncio

from milepost.server.log.event_log import EventLog
from milepost.server.rpc.refusal import draining, job_not_found
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import timestamp
from milepost.server.watching.event_filters import EventView, view_of
from milepost.server.watching.queued_jobs import QueuedJobs
from milepost.server.watching.tails import Replays, Tail, Tails, Wish
from milepost.server.watching.watch_stream import (
    AHEAD_WAIT,
    Pulse,
    Send,
    ahead,
    changed_epoch,
    thinned,
    trimmed,
)
from milepost.v1 import (
    CaughtUp,
    OnGap,
    Opened,
    Snapshot,
    Status,
    Waiting,
    WaitingFor,
    WatchJobRequest,
    WatchJobResponse,
)


class JobWatcher:
    """Serves WatchJob from a log and its tails."""

    def __init__(
        self, log: EventLog, tails: Tails, replays: Replays, queued: QueuedJobs, clock: Clock
    ) -> None:
        self._log = log
        self._tails = tails
        self._replays = replays
        self._queued = queued
        self._clock = clock

    async def watch(self, request: WatchJobRequest, send: Send) -> None:
        """Sends the frames of a stream, until the job has ended. The request has been checked.

        Raises JOB_NOT_FOUND, SEQUENCE_TRIMMED, SEQUENCE_AHEAD, EPOCH_CHANGED, or DRAINING when the server stops.
        """
        with self._tails.watching(request.job_id) as tail:
            stream = _Stream(self._log, self._tails, self._replays, self._queued, self._clock, tail, request)
            try:
                await stream.run(send)
            finally:
                stream.pulse.close()


class _Stream:
    """One subscriber: where it stands, and what it is to be sent next."""

    def __init__(
        self,
        log: EventLog,
        tails: Tails,
        replays: Replays,
        queued: QueuedJobs,
        clock: Clock,
        tail: Tail,
        request: WatchJobRequest,
    ) -> None:
        self._log = log
        self._tails = tails
        self._replays = replays
        self._queued = queued
        self._clock = clock
        self._tail = tail
        self._request = request
        self._cursor = request.after_sequence
        self._thinned = 0  # as `opened` told
        self._told_reason = WaitingFor.WAITING_FOR_TURN
        view = view_of(request.filter, request.delivery)
        self._view = None if view == EventView() else view
        interval = request.status_interval if request.HasField("status_interval") else None
        self.pulse = Pulse(tail.signal, interval, latest=view.latest)

    async def run(self, send: Send) -> None:
        request, tail, pulse = self._request, self._tail, self.pulse
        await self._open(send)
        caught_up = False
        while True:
            ticket = tail.signal.ticket
            self._check()
            if self._cursor < tail.head:
                if await self._send_batch(send):
                    pulse.sent()
                    if pulse.pace:
                        await asyncio.sleep(pulse.pace)
            elif not caught_up:
                caught_up = True
                await send(_encode(WatchJobResponse(caught_up=CaughtUp(sequence=self._cursor))))
            elif tail.ended or request.no_follow:
                return
            elif await self._waits_otherwise() or not await pulse.wait(ticket):
                await send(await self._status())
                pulse.sent()

    async def _open(self, send: Send) -> None:
        """Sends what a stream begins with. A method of its own, so that the snapshot is not kept until the end."""
        snapshot = await self._start()
        await send(self._opened())
        if snapshot:
            await send(snapshot)

    async def _send_batch(self, send: Send) -> bool:
        """Sends what comes after the cursor, and moves that; whether there was something to be shown."""
        tail = self._tail
        wish = Wish(self._cursor, self._request.max_batch_events, self._view)
        batch = tail.batch(wish)
        if batch is None:
            batch = await self._replays.batch(self._request.job_id, tail, wish)
            self._check()  # something may have been dropped before it could be read
        if self._cursor < tail.thinned > self._thinned:
            raise thinned(self._name)
        if batch is None:
            return False
        self._cursor = batch.last
        if batch.response:
            await send(batch.response)
        return bool(batch.response)

    async def _start(self) -> bytes:
        """Finds out where to start; returns the snapshot to start with, if any."""
        request, tail = self._request, self._tail
        await self._look()
        if request.from_latest:
            self._cursor = tail.head
            return b""
        other_epoch = request.epoch not in ("", self._log.epoch)
        gap = other_epoch or self._cursor < tail.first - 1
        if request.from_snapshot or (gap and request.on_gap == OnGap.ON_GAP_SNAPSHOT):
            job = await self._log.find(request.job_id)
            if job is None:
                raise job_not_found(request.job_id)
            self._cursor = job.last_sequence
            return _encode(WatchJobResponse(snapshot=Snapshot(job=job)))
        if other_epoch:
            raise changed_epoch(request.epoch, self._log.epoch)
        if self._cursor > tail.head:
            await self._reach_cursor()
        self._check()
        return b""

    async def _look(self) -> None:
        """Finds out how the log stands."""
        page = await self._log.read(self._request.job_id, self._cursor, 0)
        if page is None:
            raise job_not_found(self._request.job_id)
        self._tail.observe(page)

    async def _reach_cursor(self) -> None:
        """Gives the log a moment to reach a cursor that is ahead of it (rule 4)."""
        tail = self._tail
        try:
            async with asyncio.timeout(AHEAD_WAIT):
                while self._cursor > tail.head and not tail.ended:
                    ticket = tail.signal.ticket
                    self._check()
                    await self._look()
                    if self._cursor > tail.head:
                        await self.pulse.wait(ticket)
        except TimeoutError:
            pass
        if self._cursor > tail.head:
            raise ahead(self._name, self._cursor, tail.first, tail.head)

    def _check(self) -> None:
        """What may have happened to the log, or to the server, since the last time."""
        tail = self._tail
        if self._tails.closed:
            raise draining()
        if tail.deleted:
            raise job_not_found(self._request.job_id)
        if self._cursor < tail.first - 1:
            raise trimmed(self._name, self._cursor, tail.first, tail.head)

    @property
    def _name(self) -> str:
        return f"Job {self._request.job_id!r}"

    def _opened(self) -> bytes:
        self._thinned = self._tail.thinned
        opened = Opened(
            epoch=self._log.epoch,
            first_sequence=self._tail.first,
            head_sequence=max(self._tail.head, self._cursor),
            cursor=self._cursor,
            server_time=timestamp(self._clock.now()),
            thinned_sequence=self._thinned,
        )
        return _encode(WatchJobResponse(opened=opened))

    async def _waits_otherwise(self) -> bool:
        """Whether the reason for waiting differs from the last one sent; TURN is what a subscriber expects at first."""
        waiting = await self._waiting()
        return self._told_reason != (waiting.waiting_for if waiting else WaitingFor.WAITING_FOR_TURN)

    async def _waiting(self) -> Waiting | None:
        return await self._queued.waiting(self._tail, self._request.job_id, self._log)

    async def _status(self) -> bytes:
        waiting = await self._waiting()
        self._told_reason = waiting.waiting_for if waiting else WaitingFor.WAITING_FOR_TURN
        status = Status(
            cursor=self._cursor,
            head_sequence=self._tail.head,
            fraction=self._tail.fraction,
            fraction_known=self._tail.fraction_known,
            store_away=not self._log.up,
            server_time=timestamp(self._clock.now()),
            waiting=waiting,
        )
        return _encode(WatchJobResponse(status=status))


def _encode(response: WatchJobResponse) -> bytes:
    return response.SerializeToString()
