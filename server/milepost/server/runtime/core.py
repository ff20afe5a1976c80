"""Everything that uses one log: the services, dispatch, and the followers of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from milepost.contract import limits
from milepost.server.access.audit import AuditLog
from milepost.server.access.credentials.shares import Shares
from milepost.server.access.limits.limiter import Limiter
from milepost.server.background_tasks import Tasks
from milepost.server.base.clock import Clock, SystemClock
from milepost.server.budgets.idle_caches import IdleCaches
from milepost.server.calls.call_memory import CallMemory
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.queue_memory import QueueMemory
from milepost.server.dispatch.reports import Reports
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.estimation import running_jobs
from milepost.server.estimation.estimators import Estimators
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.estimation.queue_estimates import QueueEstimates
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.followers.child_cancellation import ChildCancellation
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.job_ends import JobEnds
from milepost.server.followers.parent_updates import ParentUpdates
from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.followers.transitions import follow_transitions
from milepost.server.forecasting.learned_stages import LearnedStages
from milepost.server.journal import Journal
from milepost.server.log.store import Store
from milepost.server.messages.timestamps import SECOND
from milepost.server.rpc.admin_service import AdminService
from milepost.server.rpc.backups import Backups
from milepost.server.rpc.job_service import JobService
from milepost.server.rpc.worker_service import WorkerService
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.loop_lag import LoopLag
from milepost.server.scheduling.slices import Slices
from milepost.server.service.identity import Identity
from milepost.server.service.job_access import JobAccess
from milepost.server.service.jobs import Jobs
from milepost.server.service.session_parts import SessionParts
from milepost.server.service.stored_shares import StoredShares
from milepost.server.service.workers import Workers
from milepost.server.submissions import Submissions
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.server.watching.watches import Watches
from milepost.v1 import Job, SubmitJobRequest

_logger = structlog.get_logger("milepost.tasks")

QUEUE_MEMORY: Final = 48 << 20
"""Default of ``queue_memory``."""

# Jobs that are resumed in one pass of the event loop, which answers health checks meanwhile.
_RESUMED_PER_PASS = 50

# Interval at which nodes share lease renewals, as a fraction of the lease duration.
_RENEWAL_FRACTION = 0.05


class Core:
    """The parts of a server on a readable log: ``start`` them, ``drain`` them, then ``close`` them.

    ``lease_ttl`` and ``sweep_interval`` are in seconds, ``tail_memory`` and ``queue_memory`` in bytes; ``memory``
    bounds what calls hold, by default as ``CallMemory`` does; ``node`` is the node's name for people; ``directory`` is
    where backups are made; ``slices`` runs long work; ``loop_lag`` counts the passes of the event loop; ``call_count``
    returns the number of calls so far; ``limiter`` keeps principals within their limits; ``shares`` are those that
    calls are authenticated with; ``idle`` bounds the caches in time; ``clock`` tells the time of events.
    """

    def __init__(
        self,
        log: Store,
        *,
        lease_ttl: float,
        keep: RetentionPolicy,
        sweep_interval: float,
        tail_memory: int,
        admission: WatchAdmission,
        node: str = "",
        directory: Path = Path(),
        queue_memory: int = QUEUE_MEMORY,
        slices: Slices | None = None,
        loop_lag: LoopLag | None = None,
        call_count: Callable[[], int] = lambda: 0,
        memory: CallMemory | None = None,
        shares: Shares | None = None,
        clock: Clock | None = None,
        audit: AuditLog | None = None,
        limiter: Limiter | None = None,
        idle: IdleCaches | None = None,
    ) -> None:
        self._log = log
        self._lease_ttl = lease_ttl
        self._limiter = limiter = Limiter() if limiter is None else limiter
        self._slices = slices = Slices() if slices is None else slices
        self._tasks = Tasks()
        self._clock = clock = clock or SystemClock()
        shares = shares or Shares(clock, StoredShares(log))
        memory = CallMemory() if memory is None else memory
        idle = IdleCaches(clock, slices) if idle is None else idle

        forecasts = _Forecasts(log, clock, slices)
        work = _Work(log, clock, slices, forecasts, self._tasks, lease_ttl, node)
        self._registry = work.registry
        self._dispatcher = work.dispatcher
        self._histories = forecasts.histories
        journal, waits = work.journal, WaitReasons(work.registry)
        queued = QueueEstimates(
            log,
            forecasts.estimates,
            forecasts.histories,
            forecasts.running,
            work.registry,
            work.dispatcher.place,
            work.dispatcher.ahead,
            clock,
        )
        estimators = Estimators(forecasts.estimates, queued, forecasts.histories)

        # Watching, and the followers of the log.
        self._admission = admission
        self._watches = Watches(
            log, clock, admission, tail_memory, waits, call_count, memory.responses, estimators
        )
        self._registry.add_change_listener(self._workers_changed)
        self.deadlines = Deadlines(journal, work.sessions, clock, self._tasks, lease_ttl)
        self.job_ends = JobEnds()
        self._child_cancellation = ChildCancellation(log, journal, self._tasks)
        self._retention = Retention(log, journal, clock, keep, sweep_interval)

        # The services.
        access = JobAccess(log, audit or AuditLog(None, is_open=False))
        self._queues = QueueMemory(
            queue_memory,
            lambda: self._dispatcher.memory,
            lambda: self.deadlines.memory,
            lambda: limiter.jobs.memory,
        )
        submissions = Submissions(log, journal, clock, self._admit, limiter, slices, self._histories.weigh)
        self.job_service = JobService(
            Jobs(log, journal, submissions, self._watches, waits, slices, access, shares, estimators),
            Identity(limiter, admission.open_watches),
        )
        self._workers = Workers(
            SessionParts(
                work.attempts, work.reports, work.dispatcher, work.sessions, self.deadlines, access, limiter
            )
        )
        self.worker_service = WorkerService(self._workers, lease_ttl, memory)
        self._backups = Backups(log, directory)
        self.admin_service = AdminService(self._registry, self._backups, loop_lag or LoopLag())

        for cache in (journal, forecasts.histories, forecasts.learned, forecasts.estimates, queued):
            idle.add(cache.evict_idle)
        idle.add(forecasts.running.evict_idle, running_jobs.IDLE_TIME)
        self._watches.bound_in_time(idle)
        # Jobs with a transition before ``start`` has read the active jobs; None after that.
        self._changed: set[str] | None = set()
        self._follow_log(work, forecasts)

    @property
    def waiting_jobs(self) -> Mapping[str, int]:
        """The number of jobs in the queue of each kind that has any."""
        return self._dispatcher.waiting

    def waiting_for(self, kind: str) -> float:
        """Seconds since the submission of the oldest job in the queue of a kind; 0 without one."""
        submitted = self._dispatcher.oldest(kind)
        return 0.0 if submitted is None else max(self._clock.now() - submitted, 0) / SECOND

    def takers(self, kind: str) -> int:
        """The number of connected workers, of all nodes, that take jobs of this kind."""
        return self._registry.takers(kind)

    @property
    def local_workers(self) -> Collection[Session]:
        """The workers that are connected to this node."""
        return self._registry.here

    @property
    def open_watches(self) -> int:
        """The number of open watches."""
        return self._admission.open

    @property
    def waiting_watches(self) -> int:
        """The number of watches that wait for a turn to send what there is."""
        return self._watches.waiting

    async def start(self) -> None:
        """Connect to the other nodes, and resume the jobs that have not ended."""
        interval = self._lease_ttl * _RENEWAL_FRACTION
        peers = await self._log.share_presence(
            _LocalPresence(self.deadlines, self._workers, self._registry), interval
        )
        self.deadlines.start(peers)
        self._workers.start(peers)
        self._registry.start(peers)
        parents = await self._resume_active()
        for parent_job_id in parents:
            await self._child_cancellation.recover(parent_job_id)
        self._tasks.start(self._retention.run())
        self._tasks.start(self._histories.warm())

    async def drain(self) -> None:
        """Assign no more jobs, acknowledge the reports under way, and end watches and sessions."""
        self._dispatcher.close()
        self._backups.close()
        await self._slices.run(self._watches.close(), SERVER)
        await self.worker_service.drain()

    async def close(self) -> None:
        """Stop all background work."""
        self._registry.close()
        self.deadlines.close()
        await self._tasks.close()

    def on_peers(self, up: bool) -> None:
        """The connection to the other nodes is up or down."""
        if up:
            self._registry.reconnected()
        else:
            self._registry.cut_off()

    async def _resume_active(self) -> Sequence[str]:
        """Queue the jobs that have not ended, and set their timers, page by page. Return the ids of their parents.

        One that is damaged must not keep the server from serving all others.
        """
        parents: dict[str, None] = {}
        after, more = 0, True
        while more:
            page = await self._log.active(after)
            for number, (after, job) in enumerate(page.jobs, start=1):
                if number % _RESUMED_PER_PASS == 0:
                    await asyncio.sleep(0)
                # Jobs that have changed meanwhile are known in their newer state already.
                if job.job_id not in (self._changed or ()):
                    self._resume(job)
                    if job.parent_job_id:
                        parents[job.parent_job_id] = None
            for job_id in page.damaged:
                _logger.error("job not resumed", job_id=job_id, error="its row is damaged")
            more = page.more
        self._changed = None
        return list(parents)

    def _resume(self, job: Job) -> None:
        try:
            self._limiter.jobs.on_transition(job)
            self._dispatcher.on_transition(job)
            self.deadlines.on_transition(job)
        except Exception as error:  # see ``_resume_active``
            _logger.error("job not resumed", job_id=job.job_id, exc_info=error)

    def _admit(self, request: SubmitJobRequest) -> None:
        """Refuse a submission while the queues are full, or if its job could never be dispatched."""
        self._queues.admit()
        self._dispatcher.admit(request)

    def _follow_log(self, work: _Work, forecasts: _Forecasts) -> None:
        # The estimates before the watches, which ask for them once they hear of an event.
        for follower in (
            work.journal,
            forecasts.estimates,
            self._watches,
            self._retention,
            forecasts.running,
            forecasts.histories,
            ParentUpdates(self._log, work.journal, self._tasks),
        ):
            self._log.add_listener(follower.on_entries)
        follow_transitions(
            self._log,
            self._note_change,
            self._limiter.jobs.on_transition,
            work.sessions.on_transition,
            self._dispatcher.on_transition,
            self.deadlines.on_transition,
            self._child_cancellation.on_transition,
            self.job_ends.on_transition,
        )

    def _workers_changed(self) -> None:
        self._tasks.start(self._slices.run(self._watches.workers_changed(), SERVER))

    def _note_change(self, job: Job) -> None:
        if self._changed is not None:
            self._changed.add(job.job_id)


class _Forecasts:
    """What forecasts rest on."""

    def __init__(self, log: Store, clock: Clock, slices: Slices) -> None:
        self.running = RunningJobs(clock)
        self.histories = Histories(log, slices)
        self.estimates = JobEstimates(log, self.running, self.histories, clock)
        self.learned = LearnedStages(self.histories.stage_seconds, clock.monotonic)


class _Work:
    """What decides about jobs and brings them to workers."""

    def __init__(
        self,
        log: Store,
        clock: Clock,
        slices: Slices,
        forecasts: _Forecasts,
        tasks: Tasks,
        lease_ttl: float,
        node: str,
    ) -> None:
        self.registry = WorkerRegistry(clock, node=node, grace=min(lease_ttl / 2, limits.RECONNECT_GRACE_MAX))
        self.journal = Journal(log, clock, run_of=forecasts.running.run_of)
        tokens = LeaseTokens(log.lease_secret, log.epoch)
        self.attempts = Attempts(self.journal, tokens, forecasts.learned)
        self.reports = Reports(self.journal, tokens, slices, forecasts.learned)
        self.sessions = SessionTable(clock, self.registry)
        self.dispatcher = Dispatcher(self.attempts, self.sessions, clock, tasks)


class _LocalPresence:
    """Receives what other nodes announce of workers; see ``Presence``."""

    def __init__(self, deadlines: Deadlines, workers: Workers, registry: WorkerRegistry) -> None:
        self.renew_leases = deadlines.renewed_elsewhere
        self.worker_connected = workers.connected_elsewhere
        self.update_workers = registry.update_workers
        self.request_workers = registry.request_workers
