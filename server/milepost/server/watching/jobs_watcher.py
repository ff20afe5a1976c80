"""WatchJobs: following all jobs that match."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from milepost.server.log.event_log import EventLog, Query
from milepost.server.payloads import ANY_PAYLOAD, mask_of
from milepost.server.rpc.refusal import draining
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import timestamp
from milepost.server.watching.event_filters import EventView, view_of
from milepost.server.watching.feeds import Criteria, Feed, Feeds, Item, compose
from milepost.server.watching.tails import BATCH_BYTES
from milepost.server.watching.watch_stream import AHEAD_WAIT, Pulse, Send, ahead, changed_epoch, trimmed
from milepost.v1 import (
    CaughtUp,
    Deleted,
    OnGap,
    Opened,
    Snapshot,
    Status,
    Trimmed,
    WatchJobsRequest,
    WatchJobsResponse,
)

_NAME = "The feed"


class JobsWatcher:
    """Serves WatchJobs from a log and its feeds."""

    def __init__(self, log: EventLog, feeds: Feeds, clock: Clock) -> None:
        self._log = log
        self._feeds = feeds
        self._clock = clock

    async def watch(self, request: WatchJobsRequest, send: Send) -> None:
        """Sends the frames of a stream. The request has been checked.

        Raises SEQUENCE_TRIMMED, SEQUENCE_AHEAD, EPOCH_CHANGED, or DRAINING when the server stops.
        """
        with self._feeds.watching(Criteria.of(request.filter)) as feed:
            stream = _Stream(self._log, self._feeds, self._clock, feed, request, send)
            try:
                await stream.run()
            finally:
                stream.pulse.close()


class _Stream:
    """One subscriber.

    ``_shown`` says, of jobs that were sent as a snapshot, up to which event the snapshot has them; what the feed brings
    of them up to there is left out. It is needed until the feed has passed ``_settled``.
    """

    def __init__(
        self,
        log: EventLog,
        feeds: Feeds,
        clock: Clock,
        feed: Feed,
        request: WatchJobsRequest,
        send: Send,
    ) -> None:
        self._log = log
        self._feeds = feeds
        self._clock = clock
        self._feed = feed
        self._request = request
        self._send = send
        self._cursor = request.after_position
        self._shown: dict[str, int] = {}
        self._settled = 0
        self._payloads = mask_of(request.event_filter.payloads) or ANY_PAYLOAD
        self._tolerated = 0
        view = view_of(request.event_filter, request.delivery)
        self._view = None if view == EventView() else view
        interval = request.status_interval if request.HasField("status_interval") else None
        self.pulse = Pulse(feed.signal, interval, latest=view.latest)

    async def run(self) -> None:
        feed, pulse = self._feed, self.pulse
        await self._feeds.load_drops(feed)
        snapshots = await self._start()
        await self._send(self._opened())
        if snapshots:
            await self._send_snapshots()
        caught_up = False
        while True:
            ticket = feed.signal.ticket
            self._check()
            before = self._cursor
            if await self._send_next():
                pulse.sent()
                if pulse.pace:
                    await asyncio.sleep(pulse.pace)
            elif self._cursor > before:
                continue  # to what was hidden
            elif not caught_up:
                caught_up = True
                await self._send_encoded(WatchJobsResponse(caught_up=CaughtUp(sequence=self._cursor)))
            elif self._request.no_follow:
                return
            elif not await pulse.wait(ticket):
                await self._send_status()
                pulse.sent()

    async def _next(self) -> tuple[Sequence[Item], int]:
        """Items after the cursor, from the feed if it reaches back that far, and up to which position that is all."""
        items = self._feed.after(self._cursor)
        if items is None:
            items, reached = await self._feeds.older(self._feed, self._cursor)
        else:
            reached = items[-1].position if items else max(self._cursor, self._log.position)
        return self._bounded(items, reached)

    async def _start(self) -> bool:
        """Finds out where to start; returns whether to start with snapshots."""
        request = self._request
        if request.from_latest:
            self._cursor = self._log.position
            return False
        if not (self._cursor or request.from_snapshot):
            # From the beginning there is no cursor that could have missed anything: all that is kept is shown.
            self._tolerated = self._dropped
        other_epoch = request.epoch not in ("", self._log.epoch)
        gap = other_epoch or self._is_trimmed()
        if request.from_snapshot or (gap and request.on_gap == OnGap.ON_GAP_SNAPSHOT):
            self._cursor = self._log.position
            return True
        if other_epoch:
            raise changed_epoch(request.epoch, self._log.epoch)
        self._check()
        if self._cursor > self._log.position:
            await self._reach_cursor()
        return False

    async def _reach_cursor(self) -> None:
        """Gives the log a moment to reach a position that is ahead of it (rule 4)."""
        deadline = self._clock.monotonic() + AHEAD_WAIT
        while self._cursor > self._log.position:
            if self._clock.monotonic() >= deadline:
                raise ahead(_NAME, self._cursor, self._dropped + 1, self._log.position)
            await asyncio.sleep(AHEAD_WAIT / 20)
            self._check()

    def _check(self) -> None:
        """What may have happened to the log, or to the server, since the last time."""
        if self._feeds.closed:
            raise draining()
        if self._is_trimmed():
            raise trimmed(_NAME, self._cursor, self._dropped + 1, self._log.position)

    @property
    def _dropped(self) -> int:
        """The newest position of a dropped event that matches; 0 where there is none."""
        return self._feed.drops.newest_of(self._payloads)

    def _is_trimmed(self) -> bool:
        """Whether a matching event was dropped after the cursor, and the feed does not have it any more either."""
        if self._cursor >= min(self._feed.drops.newest, self._feed.since):
            return False
        return self._cursor < self._dropped > self._tolerated

    async def _send_snapshots(self) -> None:
        """All jobs that match, each as of its newest event. What happens meanwhile comes after, from the feed."""
        query = self._feed.criteria.query()
        after: int | None = None
        while True:
            self._check()
            after, more = await self._send_listed(replace(query, after=after))
            if not more:
                break
        self._settled = self._log.position

    async def _send_listed(self, query: Query) -> tuple[int | None, bool]:
        """A page of them, small because it is kept while nobody reads; where the next one starts, if there is one."""
        listed = await self._log.query(query)
        after = query.after
        for after, job in listed.jobs:
            self._shown[job.job_id] = job.last_sequence
            await self._send_encoded(WatchJobsResponse(snapshot=Snapshot(job=job)))
        return after, listed.more

    async def _send_next(self) -> bool:
        """Sends what there is to show of what comes next, and moves the cursor; whether there was anything."""
        items, reached = await self._next()
        self._check()  # something may have been dropped before it could be read
        if reached <= self._cursor:
            return False
        if self._shown or any(item.is_apart for item in items):
            return await self._send_each(items, reached)
        response = self._feed.response(items, self._view)
        self._cursor = reached
        del items  # not to be kept beside the response for as long as nobody reads that
        if response:
            await self._send(response)
        return bool(response)

    async def _send_each(self, items: Sequence[Item], reached: int) -> bool:
        """The same where some of the items are frames of their own, or were shown in a snapshot."""
        sent = False
        frames: list[bytes] = []
        for item in items:
            if item.is_apart:
                sent = await self._send_frames(frames) or sent
                sent = await self._send_apart(item) or sent
                frames = []
            else:
                frames.append(self._unseen(item))
            self._cursor = item.position
        sent = await self._send_frames(frames) or sent
        self._cursor = reached
        # A snapshot may have what is durable and not yet in the feed; all of that comes there at once.
        if self._shown and self._settled < self._cursor == self._log.position:
            self._shown.clear()
        return sent

    def _bounded(self, items: Sequence[Item], reached: int) -> tuple[Sequence[Item], int]:
        """As many items as may be in one frame, by events and bytes; one at least, since commits stay whole."""
        events = size = 0
        most = self._request.max_batch_events
        for index, item in enumerate(items):
            events += item.chunk.last - item.chunk.first + 1
            size += len(item.chunk.frames)
            if index and ((most and events > most) or size > BATCH_BYTES):
                return items[:index], items[index - 1].position
        return items, reached

    def _unseen(self, item: Item) -> bytes:
        """The frames of an item, but for those that a snapshot has."""
        shown = self._shown.get(item.job_id, 0) if self._shown else 0
        if shown < item.chunk.first:
            return item.chunk.frames
        return item.chunk.after(shown).frames if shown < item.chunk.last else b""

    async def _send_frames(self, frames: list[bytes]) -> bool:
        response = compose(frames, self._view, self._cursor)
        if response:
            await self._send(response)
        return bool(response)

    async def _send_apart(self, item: Item) -> bool:
        """What is a frame of its own: a job that has come to match, or what was dropped."""
        notice = item.notice
        if notice is None:
            job = await self._log.find(item.job_id)
            if job is None:  # deleted since, which the feed tells in its place
                return False
            self._shown[job.job_id] = job.last_sequence
            self._settled = max(self._settled, self._log.position)
            await self._send_encoded(WatchJobsResponse(snapshot=Snapshot(job=job, position=item.position)))
        elif notice.first_sequence:
            told = Trimmed(job_id=item.job_id, first_sequence=notice.first_sequence, position=item.position)
            await self._send_encoded(WatchJobsResponse(trimmed=told))
        else:
            deleted = Deleted(job_id=item.job_id, position=item.position)
            await self._send_encoded(WatchJobsResponse(deleted=deleted))
        return True

    def _opened(self) -> bytes:
        opened = Opened(
            epoch=self._log.epoch,
            first_sequence=self._dropped + 1,
            head_sequence=max(self._log.position, self._cursor),
            cursor=self._cursor,
            server_time=timestamp(self._clock.now()),
        )
        return WatchJobsResponse(opened=opened).SerializeToString()

    async def _send_status(self) -> None:
        self._cursor = max(self._cursor, self._log.position)  # nothing up to there matched
        status = Status(
            cursor=self._cursor,
            head_sequence=self._log.position,
            store_away=not self._log.up,
            server_time=timestamp(self._clock.now()),
        )
        await self._send_encoded(WatchJobsResponse(status=status))

    async def _send_encoded(self, response: WatchJobsResponse) -> None:
        await self._send(response.SerializeToString())
