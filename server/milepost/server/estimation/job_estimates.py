"""Estimates of jobs as the contract has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.clock import Clock
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.forecasting.kind_history import Basis, KindHistory, RemainingTime
from milepost.server.forecasting.queue_schedule import Span, end_of
from milepost.server.log.event_log import DurableCommit, Entry, EventLog, Query
from milepost.server.messages.timestamps import duration, instant, timestamp
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Estimate, EstimateBasis, Job, JobState

_BASES: Final = {
    Basis.HISTORY: EstimateBasis.ESTIMATE_BASIS_HISTORY,
    Basis.WORKLOAD: EstimateBasis.ESTIMATE_BASIS_WORKLOAD,
    Basis.PACE: EstimateBasis.ESTIMATE_BASIS_PACE,
}

CHILDREN_LIMIT: Final = 100
"""Children of a job that an estimate looks at; it takes others to be like them."""

OTHERS_LIMIT: Final = 1000
"""Further children that it counts."""

_RECENT_BYTES: Final = 1 << 20
_RECENT_SIZE: Final = 300
"""Bytes of an estimate that watches of a job share, about."""

_TRANSITIONS_BYTES: Final = 256 << 10
_TRANSITION_SIZE: Final = 150

SHARING_TIME: Final = 1.0
"""Seconds for which watches of a job share an estimate."""

_Submission: TypeAlias = tuple[str, int]
"""A job by its id and the time of its submission, in nanoseconds since 1970."""

REMAINING_MAX: Final = 1e10
"""Longest remaining time in seconds that is sent: a Duration holds not much more."""


class SharedEstimate(NamedTuple):
    """What watches of a job share, with when it was made, by the monotonic clock."""

    submitted: int
    """An id may be used again once its job is deleted."""
    made_at: float
    estimate: Estimate | None


NO_ESTIMATE: Final = SharedEstimate(0, 0.0, None)
"""What watches share where nothing is estimated."""


class JobEstimates:
    """Estimates the remaining time of jobs that run."""

    def __init__(self, log: EventLog, running: RunningJobs, histories: Histories, clock: Clock) -> None:
        self._log = log
        self._running = running
        self._histories = histories
        self._clock = clock
        self._recent: SizedCache[str, SharedEstimate] = SizedCache(_RECENT_BYTES)
        self._refreshes: dict[_Submission, _Refresh] = {}
        # By job, the sequence of its latest transition: a refresh may be under way that has read the job before that.
        self._transitions: SizedCache[str, int] = SizedCache(_TRANSITIONS_BYTES)

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of estimates that watches share."""
        yield from self._recent.evict_idle()
        yield from self._transitions.evict_idle()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Forget what watches share of a job with its state: it is of an attempt, and the next one has its own."""
        for entry in entries:
            if isinstance(entry, DurableCommit) and entry.commit.is_transition:
                job_id = entry.commit.job_id
                self._recent.pop(job_id)
                self._transitions.put(job_id, entry.commit.chunk.last, _TRANSITION_SIZE + len(job_id))

    async def of_job(self, job: Job, caller: str = SERVER) -> Estimate | None:
        """The estimate for a job; None without evidence, and where it is not RUNNING."""
        if job.state != JobState.JOB_STATE_RUNNING:
            return None
        history = await self._histories.get(job.owner, job.kind, caller)
        if job.planned_children or self._running.has_children(job):
            of_children = await self._of_children(job, caller)
            if of_children is not None:
                return of_children
        found = self._remaining(job, history)
        if found is not None:
            return self.message(found)
        if self._is_overdue(job, history):
            return Estimate(
                overdue=True,
                basis=EstimateBasis.ESTIMATE_BASIS_HISTORY,
                sample_size=len(history.runs),
                as_of=timestamp(self._clock.now()),
            )
        return None

    async def add_to(self, job: Job, caller: str) -> bool:
        """Set the estimate of a job, if it has one; return whether."""
        estimate = await self.of_job(job, caller)
        if estimate is None:
            return False
        job.estimate.CopyFrom(estimate)
        return True

    async def of_watched(self, job_id: str, submitted: int, caller: str) -> Estimate | None:
        """As ``of_job``, for a job that is watched: at most once in ``SHARING_TIME`` seconds, however many watch it.

        None where a later job has the id of the one that was submitted then.

        They look at the same moment, after the same event: so they share what is under way, too, in the turn of
        whoever came first.
        """
        recent = self.shared(job_id, submitted)
        if recent is not None:
            return recent.estimate
        return await asyncio.shield(self._start_refresh((job_id, submitted), caller).task)

    def shared(self, job_id: str, submitted: int) -> SharedEstimate | None:
        """What ``of_watched`` would return without a wait; None where it takes a refresh."""
        recent = self._recent.get(job_id)
        if recent is None or recent.submitted != submitted:
            return None
        return recent if self._clock.monotonic() - recent.made_at < SHARING_TIME else None

    def is_refreshing(self, job_id: str, submitted: int) -> bool:
        """Whether a refresh of what watches of a job share is under way."""
        return (job_id, submitted) in self._refreshes

    def refresh(self, job_id: str, submitted: int, caller: str, on_end: Callable[[], None]) -> None:
        """Refresh in the background what watches of a job share, then call ``on_end``, also if that failed.

        The job's watches share ``on_end``, too: of a refresh that is under way, only the last one is called.
        """
        self._start_refresh((job_id, submitted), caller).on_end = on_end

    async def add_to_watched(self, job: Job, caller: str) -> Estimate | None:
        """As ``add_to``, for a job that is watched; return the estimate, which it may share with other watches."""
        if job.state != JobState.JOB_STATE_RUNNING:
            return None
        recent = self.shared(*_submission(job))
        estimate = await self._refresh(job, caller) if recent is None else recent.estimate
        if estimate is not None:
            job.estimate.CopyFrom(estimate)
        return estimate

    def _start_refresh(self, watched: _Submission, caller: str) -> _Refresh:
        refresh = self._refreshes.get(watched)
        if refresh is None:
            refresh = self._refreshes[watched] = _Refresh(
                asyncio.create_task(self._load_and_refresh(watched, caller))
            )
            refresh.task.add_done_callback(partial(self._end_refresh, watched))
        return refresh

    async def _refresh(self, job: Job, caller: str) -> Estimate | None:
        now = self._clock.monotonic()
        estimate = await self.of_job(job, caller)
        if (self._transitions.get(job.job_id) or 0) <= job.last_sequence:
            recent = SharedEstimate(instant(job.submit_time), now, estimate)
            self._recent.put(job.job_id, recent, _RECENT_SIZE + len(job.job_id))
        return estimate

    async def _load_and_refresh(self, watched: _Submission, caller: str) -> Estimate | None:
        job_id, _ = watched
        while True:
            before = self._transitions.get(job_id)
            stored = await self._log.load(job_id, caller=caller)
            if stored is None or _submission(stored.job) != watched:
                return None
            estimate = await self._refresh(stored.job, caller)
            if self._transitions.get(job_id) == before:
                return estimate

    def _end_refresh(self, watched: _Submission, task: asyncio.Task[Estimate | None]) -> None:
        refresh = self._refreshes.pop(watched)
        if not task.cancelled():
            task.exception()  # retrieved, since there may be no waiter left to do so
            if refresh.on_end is not None:
                refresh.on_end()

    async def of_run(self, owner: str, kind: str, workload: float, caller: str) -> Estimate | None:
        """How long a job takes once it starts; None without evidence."""
        found = (await self._histories.get(owner, kind, caller)).whole(workload)
        return None if found is None else self.message(found)

    def message(self, found: RemainingTime) -> Estimate:
        """An estimate as a message."""
        return Estimate(
            remaining_p50=duration(min(found.p50, REMAINING_MAX)),
            remaining_p90=duration(min(found.p90, REMAINING_MAX)),
            basis=_BASES[found.basis],
            sample_size=found.sample_size,
            as_of=timestamp(self._clock.now()),
        )

    def _remaining(self, job: Job, history: KindHistory) -> RemainingTime | None:
        progress = self._running.observer(job).progress(
            self._clock.now(), job.fraction if job.fraction_known else None
        )
        return None if progress is None else history.remaining(progress)

    def _is_overdue(self, job: Job, history: KindHistory) -> bool:
        progress = self._running.observer(job).progress(self._clock.now(), None)
        return progress is not None and history.is_overdue(progress)

    async def _of_children(self, job: Job, caller: str) -> Estimate | None:
        """The end of a parent is that of its last child; those that do not run yet follow, as many at once as run now.

        None if nothing is known of one of them.
        """
        query = Query(
            owners=[job.owner],
            parent_job_id=job.job_id,
            states=[JobState.JOB_STATE_QUEUED, JobState.JOB_STATE_RUNNING],
            newest_first=False,
            limit=CHILDREN_LIMIT,
        )
        page = await self._log.query(query, caller=caller)
        summary = await self._log.children_summary(job.job_id)
        running: list[Span] = []
        waiting: list[Span] = []
        samples: list[int] = []
        for _, child in page.jobs:
            history = await self._histories.get(child.owner, child.kind, caller)
            runs = child.state == JobState.JOB_STATE_RUNNING
            found = self._remaining(child, history) if runs else history.whole(child.workload)
            if found is None:
                return None
            (running if runs else waiting).append(Span(found.p50, found.p90 - found.p50))
            samples.append(found.sample_size)
        others = max(job.planned_children, summary.total) - summary.ended - len(page.jobs)
        if others > 0 and page.jobs:
            child = page.jobs[-1][1]
            history = await self._histories.get(child.owner, child.kind, caller)
            whole = history.whole(child.workload)
            if whole is None:
                return None
            waiting += [Span(whole.p50, whole.p90 - whole.p50)] * min(others, OTHERS_LIMIT)
        if not samples:
            return None
        end = end_of(running, waiting, max(len(running), 1))
        return self.message(RemainingTime(end.p50, end.p90, Basis.HISTORY, min(samples)))


@dataclass(slots=True)
class _Refresh:
    """A refresh that is under way; ``on_end`` is called when it has ended."""

    task: asyncio.Task[Estimate | None]
    on_end: Callable[[], None] | None = None


def _submission(job: Job) -> _Submission:
    return job.job_id, instant(job.submit_time)
