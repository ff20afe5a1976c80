"""The estimates of running jobs in the statuses of watches of many jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from milepost.server.base.clock import Clock
from milepost.server.estimation.job_estimates import SHARING_TIME, JobEstimates
from milepost.server.log.event_log import EventLog
from milepost.server.scheduling.caller_pace import CallerPace
from milepost.server.watching.feeds import Feed
from milepost.server.watching.status_estimates import differs
from milepost.v1 import Estimate, Job, JobEstimate, JobState

JOBS: Final = 500
"""Running jobs of a filter that are estimated at most: the newest ones."""

JOBS_BYTES: Final = 1 << 20
"""Bytes of these jobs at which fewer of them are."""

ESTIMATED_PER_PASS: Final = 10
"""Jobs that are estimated in one pass of the event loop: each takes some 50 µs."""


class AttemptEstimate(NamedTuple):
    """The estimate of a running job, if it has one, and the attempt that it was made in: it ends with that."""

    attempt: int
    estimate: Estimate | None


class _Published(NamedTuple):
    version: int
    sent: AttemptEstimate


class PublishedEstimates:
    """The estimates of one filter's running jobs, as clients count them down, each with the version that changed it.

    They are refreshed when one of the filter's watches asks, at most once in ``SHARING_TIME`` seconds. A watch keeps
    only the version that it has sent.
    """

    def __init__(self) -> None:
        self.version = 0
        self.is_looking = False
        self.looked_at = float("-inf")
        self._jobs: dict[str, _Published] = {}

    def update(self, found: Mapping[str, AttemptEstimate], now: int) -> None:
        """Take the estimates made at the instant ``now``, except those that differ too little to be worth a status."""
        version = self.version + 1
        published: dict[str, _Published] = {}
        for job_id, each in found.items():
            before = self._jobs.get(job_id)
            if before is not None and before.sent.attempt != each.attempt:
                before = None
            if differs(None if before is None else before.sent.estimate, each.estimate, now):
                published[job_id] = _Published(version, each)
                self.version = version
            elif before is not None:
                published[job_id] = before
        self._jobs = published

    def since(self, version: int) -> list[JobEstimate]:
        """The estimates that are newer than this version."""
        return [
            JobEstimate(job_id=job_id, estimate=each.sent.estimate)
            for job_id, each in self._jobs.items()
            if each.version > version
        ]


class RunningEstimates:
    """Estimates the running jobs of feeds, once for all watches of a feed."""

    def __init__(self, log: EventLog, clock: Clock, estimates: JobEstimates) -> None:
        self._log = log
        self._clock = clock
        self._estimates = estimates
        self._published: WeakKeyDictionary[Feed, PublishedEstimates] = WeakKeyDictionary()
        # One look of a caller at a time, with pauses: its watches are due together, and there may be hundreds.
        self._looks = CallerPace(1)

    async def add_to(self, job: Job, caller: str) -> None:
        """Set the estimate of a job in a snapshot."""
        await self._estimates.add_to_watched(job, caller)

    async def of(self, feed: Feed, caller: str) -> PublishedEstimates:
        """Return the estimates of the feed's running jobs; earlier ones while another watch refreshes them.

        That watch may be waiting for a turn of its caller, for which this one need not wait.
        """
        published = self._published.setdefault(feed, PublishedEstimates())
        if published.is_looking or self._clock.monotonic() - published.looked_at < SHARING_TIME:
            return published
        published.is_looking = True
        try:
            async with self._looks.turn(caller):
                published.update(await self._look(feed, caller), self._clock.now())
            published.looked_at = self._clock.monotonic()
        finally:
            published.is_looking = False
        return published

    async def _look(self, feed: Feed, caller: str) -> Mapping[str, AttemptEstimate]:
        states = feed.criteria.states
        if states and JobState.JOB_STATE_RUNNING not in states:
            return {}
        query = replace(
            feed.criteria.query(),
            states=[JobState.JOB_STATE_RUNNING],
            newest_first=True,
            limit=JOBS,
            max_bytes=JOBS_BYTES,
        )
        page = await self._log.query(query, caller=caller)
        found: dict[str, AttemptEstimate] = {}
        for number, (_, job) in enumerate(page.jobs):
            if number and number % ESTIMATED_PER_PASS == 0:
                await asyncio.sleep(0)
            estimate = await self._estimates.add_to_watched(job, caller)
            found[job.job_id] = AttemptEstimate(job.attempt, estimate)
        return found


class FilterEstimates:
    """The estimates that one watch of many jobs sends; without ``running``, none."""

    __slots__ = ("_caller", "_clock", "_due", "_feed", "_interval", "_running", "_version")

    def __init__(
        self, running: RunningEstimates | None, clock: Clock, feed: Feed, caller: str, interval: float
    ) -> None:
        """``interval`` is the least number of seconds between two looks."""
        self._running = running
        self._clock = clock
        self._feed = feed
        self._caller = caller
        self._interval = interval
        self._due = clock.monotonic() + interval
        self._version = 0

    @property
    def is_look_due(self) -> bool:
        """Whether ``has_changed`` would look."""
        return self._running is not None and self._clock.monotonic() >= self._due

    async def has_changed(self) -> bool:
        """Whether there are estimates that are worth a status now. It looks once in each interval."""
        if self._running is None or not self.is_look_due:
            return False
        self._due = self._clock.monotonic() + self._interval
        return (await self._running.of(self._feed, self._caller)).version > self._version

    async def next(self) -> list[JobEstimate]:
        """The new estimates for a status that is sent now."""
        if self._running is None:
            return []
        published = await self._running.of(self._feed, self._caller)
        changed = published.since(self._version)
        self._version = published.version
        return changed
