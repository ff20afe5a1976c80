"""Estimates in watches, as a test sets them."""

from __future__ import annotations

import pytest

from milepost.server.base.clock import Clock, SystemClock
from milepost.server.dispatch.job_queues import QueuePlace
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.estimation.estimators import Estimators
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.estimation.queue_estimates import QueueEstimates
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.log.event_log import EventLog
from milepost.server.messages.timestamps import instant
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.watching.status_estimates import StatusEstimates
from milepost.v1 import Estimate, Job
from tests.support.world import World

__all__ = ["Estimated"]


class Estimated:
    """The estimate of each job, and the time by which streams look at it, as a test sets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.samples = 1
        self.refreshes = 0
        self.tasks_asked = 0
        self.failure: Exception | None = None
        self._passed = 0.0
        begun, has_changed = SystemClock().monotonic(), StatusEstimates.has_changed

        async def of_job(_: JobEstimates, job: Job, caller: str) -> Estimate:
            self.refreshes += 1
            if self.failure is not None:
                raise self.failure
            return Estimate(sample_size=self.samples, overdue=self.samples % 2 == 0)

        async def count(estimates: StatusEstimates) -> bool:
            self.tasks_asked += 1
            return await has_changed(estimates)

        # No other time passes: on a busy machine another look would be due.
        monkeypatch.setattr(SystemClock, "monotonic", lambda clock: begun + self._passed)
        monkeypatch.setattr(JobEstimates, "of_job", of_job)
        monkeypatch.setattr(StatusEstimates, "has_changed", count)

    def make(self, log: EventLog, clock: Clock) -> Estimators:
        """See ``World``."""
        histories, running, registry = Histories(log, Slices()), RunningJobs(clock), WorkerRegistry(clock)
        jobs = self._jobs = JobEstimates(log, running, histories, clock)
        place = QueuePlace(own_ahead=0, own_waiting=0, is_limited=False)
        queue = QueueEstimates(log, jobs, histories, running, registry, lambda _: place, lambda _: 0, clock)
        return Estimators(jobs, queue, histories)

    async def refresh(self, world: World) -> None:
        """Have the estimate at hand."""
        submitted = instant((await world.journal.open("j")).job.submit_time)
        await self._jobs.of_watched("j", submitted, SERVER)

    def pass_time(self, seconds: float) -> None:
        """Have it be so much later for streams."""
        self._passed += seconds
