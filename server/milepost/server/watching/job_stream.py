"""WatchJob: follow one job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal, job_not_found
from milepost.server.log.event_log import EventLog
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.messages.job_epoch import job_epoch
from milepost.server.messages.timestamps import instant, timestamp
from milepost.server.watching.batches import Batch, BatchRequest
from milepost.server.watching.cursor_errors import ahead, thinned, trimmed
from milepost.server.watching.live_groups import LiveGroup
from milepost.server.watching.queued_jobs import QueuedJobs
from milepost.server.watching.replay_cache import ReplayCache
from milepost.server.watching.status_estimates import StatusEstimates
from milepost.server.watching.stream_step import AT_HEAD, SENT, SKIPPED, Step
from milepost.server.watching.subscriber import NoRoom, Subscriber
from milepost.server.watching.tails import Tail, Tails
from milepost.server.watching.watch_stream import AHEAD_TIMEOUT, WatchStream
from milepost.v1 import Estimate, Opened, Status, Waiting, WaitingFor, WatchJobRequest, WatchJobResponse


class JobStream(WatchStream):
    """A stream of one job's events, from its tail where that reaches back far enough, else from the log."""

    _response = WatchJobResponse

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        tails: Tails,
        tail: Tail,
        replays: ReplayCache,
        queued: QueuedJobs,
        request: WatchJobRequest,
        subscriber: Subscriber,
        estimates: StatusEstimates,
    ) -> None:
        super().__init__(
            log, clock, tail.signal, tail.status, request, request.filter, request.after_sequence, subscriber
        )
        self._job_id = request.job_id
        self._tails = tails
        self._tail = tail
        self._replays = replays
        self._queued = queued
        self._estimates = estimates
        # As of `opened`.
        self._thinned_sequence = 0
        # As of the last status: a queued job has one at once.
        self._sent_waiting: _WaitingSummary | None = None

    async def run(self) -> None:
        """See ``WatchStream``."""
        try:
            await super().run()
        finally:
            self._queued.leave(self._tail)

    @property
    def _epoch(self) -> str:
        return job_epoch(self._log.epoch, self._tail.submitted)

    @property
    def _head(self) -> int:
        return self._tail.head

    async def _load_bounds(self) -> None:
        page = await self._log.read(self._job_id, self._cursor, 0, caller=self._subscriber.caller)
        if page is None:
            raise job_not_found(self._job_id)
        self._tail.observe(page)

    async def _wait_for_cursor(self) -> None:
        tail = self._tail
        try:
            async with asyncio.timeout(AHEAD_TIMEOUT):
                while self._cursor > tail.head and not tail.ended:
                    version = tail.signal.version
                    self._check()
                    await self._load_bounds()
                    if self._cursor > tail.head:
                        await self._waiter.wait(version)
        except TimeoutError:
            pass
        if self._cursor > tail.head:
            raise ahead(self._log, self._name, self._cursor, tail.first, tail.head)

    async def _move_to_snapshot(self) -> Callable[[], Awaitable[None]]:
        while True:
            try:
                return await self._hold_snapshot()
            except NoRoom:
                pass
            await self._subscriber.wait_for_room()

    async def _hold_snapshot(self) -> Callable[[], Awaitable[None]]:
        job = await self._log.find(self._job_id, caller=self._subscriber.caller)
        if job is None:
            raise job_not_found(self._job_id)
        self._tail.identify(instant(job.submit_time))
        await self._estimates.add_to_snapshot(job)
        self._cursor = job.last_sequence
        self._check()  # by now its id may be that of another job, of another owner
        response = JobResponse(WatchJobResponse(), job, ("snapshot", "job")).encode()
        self._subscriber.charge(response)
        return partial(self._subscriber.send, response)

    async def _send_next(self) -> Step:
        tail = self._tail
        if self._cursor >= tail.head:
            return AT_HEAD
        wanted = self._wanted()
        batch = tail.batch(wanted)
        if batch is None:
            batch = self._replays.kept(self._job_id, tail, wanted, self._subscriber.caller)
        if batch is None:
            self._subscriber.pause()
            batch = await self._replays.batch(self._job_id, tail, wanted, self._subscriber.caller)
            self._check()  # the log may have dropped events before the read
        if self._cursor < tail.thinned > self._thinned_sequence:
            raise thinned(self._name)
        if batch is None:
            return SKIPPED
        response, last = batch
        if not response:
            self._cursor = last
            return SKIPPED
        await self._subscriber.send_part(response)
        self._cursor = last
        return SENT

    def news(self) -> Batch | None:
        """See ``WatchStream``."""
        # Called for each event and subscriber, so it looks nothing up twice.
        tail, cursor = self._tail, self._cursor
        is_plain = not (tail.queued or tail.deleted or self._tails.closed)
        if not is_plain or cursor < tail.first - 1 or cursor < tail.thinned:
            return None
        if cursor >= tail.head:
            return Batch(b"", cursor)
        batch = tail.batch(self._wanted())
        return batch if batch is not None and batch.last == tail.head else None

    def _join_group(self) -> LiveGroup | None:
        # What a queued job waits for each finds out by its task.
        if self._tail.queued or self._is_wait_over:
            return None
        request = self._request.max_batch_events, self._filter
        return self._tail.groups.join(self, self._cursor, self._subscriber, request)

    def _wanted(self) -> BatchRequest:
        return BatchRequest(self._cursor, self._request.max_batch_events, self._filter)

    @property
    def _is_cut_off(self) -> bool:
        tail = self._tail
        return tail.deleted or self._tails.closed or self._cursor < tail.first - 1

    def _check(self) -> None:
        if self._tail.deleted and not self._is_draining():
            raise job_not_found(self._job_id)
        super()._check()

    def _is_draining(self) -> bool:
        return self._tails.closed

    def _is_trimmed(self) -> bool:
        return self._cursor < self._tail.first - 1

    def _trimmed(self) -> Refusal:
        return trimmed(self._name, self._cursor, self._tail.first, self._tail.head)

    def is_complete(self) -> bool:
        """See ``WatchStream``."""
        return self._tail.ended

    @property
    def is_look_due(self) -> bool:
        """See ``WatchStream``."""
        return self._tail.queued or self._is_wait_over or self._estimates.is_look_due

    def may_status_be_due(self) -> bool:
        """See ``WatchStream``."""
        return self._tail.queued or self._estimates.may_be_worth_status(is_due=self._is_wait_over)

    @property
    def _is_wait_over(self) -> bool:
        """Whether clients show that a job waits that is not QUEUED any more."""
        return not self._tail.queued and self._sent_waiting not in (None, _WAITS_FOR_TURN)

    def offer_status(self) -> bool:
        """See ``WatchStream``."""
        at_hand = None if self._tail.queued or self._tail.ended else self._estimates.at_hand()
        if at_hand is None or not self._offer(self._status_of(None, at_hand.estimate)):
            return False
        self._sent_waiting = _WAITS_FOR_TURN
        self._estimates.note_sent(at_hand.estimate)
        return True

    async def _is_status_due(self) -> bool:
        """Whether the job waits for something else than the last status said, another kind is near its own, or its
        estimate has changed.
        """
        if not self._tail.queued:
            return self._is_wait_over or await self._estimates.has_changed()
        return self._sent_waiting != _summary(await self._waiting())

    @property
    def _name(self) -> str:
        return f"Job {self._job_id!r}"

    def _opened(self) -> Opened:
        self._thinned_sequence = self._tail.thinned
        return Opened(
            epoch=self._epoch,
            first_sequence=self._tail.first,
            head_sequence=max(self._tail.head, self._cursor),
            cursor=self._cursor,
            server_time=timestamp(self._clock.now()),
            thinned_sequence=self._thinned_sequence,
        )

    async def _status(self) -> Status:
        waiting = await self._waiting()
        self._sent_waiting = _summary(waiting)
        if waiting is not None:
            await self._estimates.add_to(waiting)
        has_none = waiting is not None or self._tail.ended
        return self._status_of(waiting, None if has_none else await self._estimates.next())

    def _status_of(self, waiting: Waiting | None, estimate: Estimate | None) -> Status:
        return Status(
            cursor=self._cursor,
            head_sequence=self._tail.head,
            fraction=self._tail.fraction,
            fraction_known=self._tail.fraction_known,
            store_away=not self._log.up,
            waiting=waiting,
            estimate=estimate,
        )

    async def _waiting(self) -> Waiting | None:
        return await self._queued.waiting(self._tail, self._job_id, self._log, self._subscriber.caller)


class _WaitingSummary(NamedTuple):
    """The parts of ``Status.waiting`` whose change is worth another status."""

    reason: WaitingFor.ValueType
    nearest_kinds: Sequence[str]


_WAITS_FOR_TURN: Final = _WaitingSummary(WaitingFor.WAITING_FOR_TURN, ())


def _summary(waiting: Waiting | None) -> _WaitingSummary:
    return (
        _WAITS_FOR_TURN
        if waiting is None
        else _WaitingSummary(waiting.waiting_for, tuple(waiting.nearest_kinds))
    )
