"""WatchJobs: follow all jobs that match a filter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal
from milepost.server.log.event_log import EventLog, Query, job_attributes
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.messages.payloads import ANY_PAYLOAD, mask_of
from milepost.server.messages.timestamps import timestamp
from milepost.server.watching.batches import Batch, BatchRequest
from milepost.server.watching.cursor_errors import ahead, trimmed
from milepost.server.watching.feeds import Feed, Feeds, compose_items, compose_response
from milepost.server.watching.job_criteria import FeedItem
from milepost.server.watching.running_estimates import ESTIMATED_PER_PASS, FilterEstimates, RunningEstimates
from milepost.server.watching.stream_step import AT_HEAD, SENT, SKIPPED, Step
from milepost.server.watching.subscriber import NoRoom, Subscriber
from milepost.server.watching.watch_stream import AHEAD_TIMEOUT, WatchStream
from milepost.v1 import Deleted, Job, Opened, Snapshot, Status, Trimmed, WatchJobsRequest, WatchJobsResponse

_NAME = "The feed"


class JobsStream(WatchStream):
    """A stream of the events of many jobs, from their feed where that reaches back far enough, else from the log.

    ``_in_snapshot`` has the last event in the snapshot of each job that was sent as one, so that the stream leaves out
    what the feed brings up to there. It is empty once the feed has passed ``_snapshot_position``.
    """

    _response = WatchJobsResponse

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        feeds: Feeds,
        feed: Feed,
        request: WatchJobsRequest,
        subscriber: Subscriber,
        running: RunningEstimates | None = None,
    ) -> None:
        super().__init__(
            log,
            clock,
            feed.signal,
            feed.status,
            request,
            request.event_filter,
            request.after_position,
            subscriber,
        )
        self._running = running
        # A stream that ends at the head has one status at most.
        interval = 0.0 if request.no_follow else self._status_interval
        self._estimates = FilterEstimates(running, clock, feed, subscriber.caller, interval)
        self._feeds = feeds
        self._feed = feed
        self._in_snapshot: dict[str, int] = {}
        self._snapshot_position = 0
        self._payloads = mask_of(request.event_filter.payloads) or ANY_PAYLOAD
        self._tolerated_drop = 0

    @property
    def _epoch(self) -> str:
        return self._log.epoch

    @property
    def _head(self) -> int:
        return self._log.position

    async def _load_bounds(self) -> None:
        await self._feeds.load_drops(self._feed, self._subscriber.caller)
        request = self._request
        if not (self._cursor or request.from_snapshot or request.from_latest):
            # Without a cursor there is no gap: the stream starts with the oldest event that is kept.
            self._tolerated_drop = self._newest_drop

    async def _wait_for_cursor(self) -> None:
        deadline = self._clock.monotonic() + AHEAD_TIMEOUT
        while self._cursor > self._log.position:
            if self._clock.monotonic() >= deadline:
                raise ahead(self._log, _NAME, self._cursor, self._newest_drop + 1, self._log.position)
            await asyncio.sleep(AHEAD_TIMEOUT / 20)
            self._check()

    async def _move_to_snapshot(self) -> Callable[[], Awaitable[None]]:
        self._cursor = self._log.position
        return self._send_snapshots

    @property
    def _is_cut_off(self) -> bool:
        return self._is_draining() or self._is_trimmed()

    def _is_draining(self) -> bool:
        return self._feeds.closed

    def _is_trimmed(self) -> bool:
        """Whether a matching event was dropped after the cursor, and the feed does not have it any more either."""
        if self._cursor >= min(self._feed.drops.newest, self._feed.since):
            return False
        return self._cursor < self._newest_drop > self._tolerated_drop

    def _trimmed(self) -> Refusal:
        return trimmed(_NAME, self._cursor, self._newest_drop + 1, self._log.position)

    def is_complete(self) -> bool:
        """See ``WatchStream``."""
        return False

    @property
    def _newest_drop(self) -> int:
        """The newest position of a dropped event that matches; 0 if there is none."""
        return self._feed.drops.newest_of(self._payloads)

    async def _read_next(self) -> tuple[Sequence[FeedItem], int]:
        """Items after the cursor, from the feed if it reaches back that far, and the position that they reach."""
        max_events = self._request.max_batch_events
        found = self._feed.after(self._cursor, max_events)
        return found or await self._feeds.read_from_log(
            self._feed, self._cursor, max_events, self._subscriber.caller
        )

    async def _send_snapshots(self) -> None:
        """Send all jobs that match, each as of its newest event. Events of the meantime follow, from the feed."""
        query = self._feed.criteria.query()
        after: int | None = None
        more = True
        while more:
            self._check()
            try:
                after, more = await self._send_snapshot_page(replace(query, after=after))
                continue
            except NoRoom:
                pass
            await self._subscriber.wait_for_room()
        self._snapshot_position = self._log.position

    async def _send_snapshot_page(self, query: Query) -> tuple[int | None, bool]:
        """Send a page of jobs; return where the next one starts, and whether there is one.

        Pages are small, since they stay in memory while the subscriber does not read.
        """
        page = await self._log.query(query, caller=self._subscriber.caller)
        if not page.jobs:
            return query.after, False
        after, more = page.jobs[-1][0], page.more
        in_page = {job.job_id: job.last_sequence for _, job in page.jobs}
        responses = []
        for number, (_, job) in enumerate(page.jobs):
            if number and number % ESTIMATED_PER_PASS == 0:
                await asyncio.sleep(0)
            responses.append(await self._snapshot(job))
        del page  # the responses are what is charged
        await self._subscriber.send(*responses)
        self._in_snapshot |= in_page
        return after, more

    def news(self) -> Batch | None:
        """See ``WatchStream``."""
        if self._is_cut_off:
            return None
        batch = self._next_batch()
        return batch if batch is not None and batch.last >= self._head else None

    def _next_batch(self) -> Batch | None:
        """The events after the cursor; None if they take more than the feed as it is."""
        if self._in_snapshot:
            return None
        return self._feed.batch(self._wanted())

    def _wanted(self) -> BatchRequest:
        return BatchRequest(self._cursor, self._request.max_batch_events, self._filter)

    async def _send_next(self) -> Step:
        batch = self._next_batch()
        if batch is not None:
            return await self._send_batch(batch)
        items, reached = await self._read_next()
        self._check()  # the log may have dropped events before the read
        if reached <= self._cursor:
            return AT_HEAD
        if self._in_snapshot or any(item.needs_own_frame for item in items):
            sent = await self._send_each(items, reached)
            return SENT if sent else SKIPPED
        batch = self._feed.share(self._wanted(), Batch(compose_items(items, self._filter), reached))
        del items  # so that a stalled subscriber keeps only the response in memory
        return await self._send_batch(batch)

    async def _send_batch(self, batch: Batch) -> Step:
        if batch.last <= self._cursor:
            return AT_HEAD
        if batch.response:
            await self._subscriber.send(batch.response)
        self._cursor = batch.last
        return SENT if batch.response else SKIPPED

    async def _send_each(self, items: Sequence[FeedItem], reached: int) -> bool:
        """Send items of which some need a frame of their own, or are in a snapshot; whether anything was sent."""
        sent = False
        frames: list[bytes] = []
        position = self._cursor
        for item in items:
            if item.needs_own_frame:
                sent = await self._send_frames(frames, position) or sent
                sent = await self._send_own_frame(item) or sent
                frames = []
                self._cursor = item.position
            else:
                frames.append(self._not_in_snapshot(item))
            position = item.position
        sent = await self._send_frames(frames, position) or sent
        self._cursor = reached
        # A snapshot may have durable events that the feed does not have yet; the feed gets all of these at once.
        if self._in_snapshot and self._snapshot_position < self._cursor == self._log.position:
            self._in_snapshot.clear()
        return sent

    def _not_in_snapshot(self, item: FeedItem) -> bytes:
        """The frames of an item that a snapshot does not have."""
        last = self._in_snapshot.get(item.job_id, 0) if self._in_snapshot else 0
        if last < item.chunk.first:
            return item.chunk.frames
        return item.chunk.after(last).frames if last < item.chunk.last else b""

    async def _send_frames(self, frames: list[bytes], position: int) -> bool:
        response = compose_response(frames, self._filter, position)
        if response:
            await self._subscriber.send(response)
        self._cursor = position
        return bool(response)

    async def _send_own_frame(self, item: FeedItem) -> bool:
        """Send a job that has come to match, or a notice of what was dropped; whether anything was sent."""
        notice = item.notice
        if notice is None:
            job = await self._log.find(item.job_id, caller=self._subscriber.caller)
            # Deleted since, of which the feed has a notice. By now its id may be that of another owner's job.
            if job is None or not self._feed.criteria.matches(job_attributes(job)):
                return False
            position = max(self._snapshot_position, self._log.position)
            await self._subscriber.send(await self._snapshot(job, item.position))
            self._in_snapshot[job.job_id] = job.last_sequence
            self._snapshot_position = position
        elif notice.first_sequence:
            trimmed_frame = Trimmed(
                job_id=item.job_id, first_sequence=notice.first_sequence, position=item.position
            )
            await self._send_response(WatchJobsResponse(trimmed=trimmed_frame))
        else:
            deleted = Deleted(job_id=item.job_id, position=item.position)
            await self._send_response(WatchJobsResponse(deleted=deleted))
        return True

    async def _snapshot(self, job: Job, position: int = 0) -> bytes:
        if self._running is not None:
            await self._running.add_to(job, self._subscriber.caller)
        response = WatchJobsResponse(snapshot=Snapshot(position=position))
        return JobResponse(response, job, ("snapshot", "job")).encode()

    @property
    def is_look_due(self) -> bool:
        """See ``WatchStream``."""
        return self._estimates.is_look_due

    def may_status_be_due(self) -> bool:
        """See ``WatchStream``."""
        return self.is_look_due

    async def _is_status_due(self) -> bool:
        return await self._estimates.has_changed()

    def _opened(self) -> Opened:
        return Opened(
            epoch=self._epoch,
            first_sequence=self._newest_drop + 1,
            head_sequence=max(self._log.position, self._cursor),
            cursor=self._cursor,
            server_time=timestamp(self._clock.now()),
        )

    async def _status(self) -> Status:
        items, reached = await self._read_next()
        self._check()
        if not items:
            self._cursor = max(self._cursor, reached)  # no event up to there matched
        return Status(
            cursor=self._cursor,
            head_sequence=self._log.position,
            store_away=not self._log.up,
            job_estimates=await self._estimates.next(),
        )
