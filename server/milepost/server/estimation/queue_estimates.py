"""Estimates of when queued jobs start, and how long they take."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.clock import Clock
from milepost.server.dispatch.job_queues import QueuePlace
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import REMAINING_MAX, SHARING_TIME, JobEstimates
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.forecasting.queue_schedule import NO_TIME, Span, start_of
from milepost.server.log.event_log import EventLog
from milepost.server.messages.timestamps import duration, instant, nanoseconds
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Dispatch, Estimate, Job, JobState, Waiting, WaitingFor

_RECENT_BYTES = 1 << 20

# Measured bytes of what watches of a queued job share.
_RECENT_SIZE = 500

_SLOT_LIMIT = 1000
"""Slots that a schedule looks at; of more, so many are enough to see when the first is free."""

SLOTS_PER_PASS: Final = 20
"""Slots that it looks at in one pass of the event loop: each takes some 50 µs."""


def hide_place(waiting: Waiting) -> None:
    """Remove what tells of other jobs of the owner, which do not exist for who may see only one."""
    waiting.ClearField("jobs_ahead")
    waiting.ClearField("jobs_waiting")
    if waiting.waiting_for == WaitingFor.WAITING_FOR_CONCURRENCY:
        waiting.waiting_for = WaitingFor.WAITING_FOR_TURN


class QueueEstimates:
    """Adds to what a queued job waits for how long that takes. ``place`` returns the place of a job in its queue;
    ``ahead`` how many jobs of any owner start before it.
    """

    def __init__(
        self,
        log: EventLog,
        estimates: JobEstimates,
        histories: Histories,
        running: RunningJobs,
        registry: WorkerRegistry,
        place: Callable[[str], QueuePlace | None],
        ahead: Callable[[str], int],
        clock: Clock,
    ) -> None:
        self._log = log
        self._estimates = estimates
        self._histories = histories
        self._running = running
        self._registry = registry
        self._place = place
        self._ahead = ahead
        self._clock = clock
        # By id and submission: an id may be used again once its job is deleted.
        self._recent: SizedCache[tuple[str, int], tuple[float, Waiting]] = SizedCache(_RECENT_BYTES)

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of estimates that watches share."""
        return self._recent.evict_idle()

    async def add(self, job: Job, waiting: Waiting, caller: str = SERVER) -> None:
        """Add the estimates for a QUEUED job; none without evidence."""
        run = await self._estimates.of_run(job.owner, job.kind, job.workload, caller)
        if run is not None:
            waiting.run.CopyFrom(run)
        place = self.add_place(job, waiting)
        # With a concurrency key it may wait for jobs that run elsewhere.
        if place is None or job.concurrency_key:
            return
        start = await self._start(job, run, caller)
        if start is not None:
            waiting.start_p50.CopyFrom(duration(min(start.p50, REMAINING_MAX)))
            waiting.start_p90.CopyFrom(duration(min(start.p90, REMAINING_MAX)))

    def add_place(self, job: Job, waiting: Waiting) -> QueuePlace | None:
        """Set the place of a QUEUED job in its queue, and whether its concurrency key holds it up; return the place."""
        place = None if job.dispatch == Dispatch.DISPATCH_EXTERNAL else self._place(job.job_id)
        if place is None:
            return None
        # Only of its owner, as jobs of others do not exist for a principal who may see it (rule 10).
        waiting.jobs_ahead, waiting.jobs_waiting = place.own_ahead, place.own_waiting
        if place.is_limited and waiting.waiting_for == WaitingFor.WAITING_FOR_TURN:
            waiting.waiting_for = WaitingFor.WAITING_FOR_CONCURRENCY
        return place

    async def add_watched(self, job_id: str, submitted: int, waiting: Waiting, caller: str) -> None:
        """As ``add``, for a job that is watched: at most once in ``SHARING_TIME`` seconds, however many watch it.

        Adds nothing where a later job has the id of the one that was submitted then, in nanoseconds since 1970.
        """
        now = self._clock.monotonic()
        watched = job_id, submitted
        made, found = self._recent.get(watched) or (-math.inf, None)
        if found is None or now - made >= SHARING_TIME:
            found = Waiting(waiting_for=WaitingFor.WAITING_FOR_TURN)
            stored = await self._log.load(job_id, caller=caller)
            job = None if stored is None else stored.job
            if (
                job is not None
                and job.state == JobState.JOB_STATE_QUEUED
                and instant(job.submit_time) == submitted
            ):
                await self.add(job, found, caller)
            self._recent.put(watched, (now, found), _RECENT_SIZE + len(job_id))
        reason = waiting.waiting_for
        waiting.MergeFrom(found)
        if reason != WaitingFor.WAITING_FOR_TURN:  # by the workers that are connected now
            waiting.waiting_for = reason

    async def _start(self, job: Job, run: Estimate | None, caller: str) -> Span | None:
        ahead = self._ahead(job.job_id)
        capacity = self._registry.capacity(job.kind, job.owner)
        if not capacity.slots:
            return None
        idle = min(max(capacity.slots - capacity.busy, 0), _SLOT_LIMIT)
        slots = [NO_TIME] * idle
        for number, job_id in enumerate(capacity.job_ids[: _SLOT_LIMIT - idle], start=1):
            if number % SLOTS_PER_PASS == 0:
                await asyncio.sleep(0)
            span = await self._remaining(job_id, caller)
            if span is not None:
                slots.append(span)
        if ahead < idle:
            return NO_TIME
        if run is None or not slots:
            return None
        p50, p90 = (nanoseconds(each) / 1e9 for each in (run.remaining_p50, run.remaining_p90))
        return start_of(slots, ahead, Span(p50, p90 - p50))

    async def _remaining(self, job_id: str, caller: str) -> Span | None:
        """The remaining time of a running job; None if it is unknown."""
        observed = self._running.find(job_id)
        progress = None if observed is None else observed.observer.progress(self._clock.now(), None)
        if observed is None or progress is None:
            return None
        history = await self._histories.get(observed.owner, observed.kind, caller)
        found = history.remaining(progress)
        return None if found is None else Span(found.p50, found.p90 - found.p50)
