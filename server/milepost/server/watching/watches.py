"""Entry point of watching: admits each watch, and feeds all streams from the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from milepost.server.access.narrowing import Narrowed
from milepost.server.base.clock import Clock
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.budgets.idle_caches import IdleCaches
from milepost.server.budgets.response_room import RESPONSE_MEMORY
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.estimation.estimators import Estimators
from milepost.server.log.event_log import Entry, EventLog
from milepost.server.scheduling.steps import Steps
from milepost.server.watching.feeds import Feeds
from milepost.server.watching.job_criteria import JobCriteria
from milepost.server.watching.job_stream import JobStream
from milepost.server.watching.jobs_stream import JobsStream
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.queued_jobs import QueuedJobs
from milepost.server.watching.replay_cache import KEPT_TIME, ReplayCache
from milepost.server.watching.running_estimates import RunningEstimates
from milepost.server.watching.status_estimates import StatusEstimates
from milepost.server.watching.subscriber import Send, Subscriber
from milepost.server.watching.tails import Tails
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import WatchJobRequest, WatchJobsRequest


class Watches:
    """Serves WatchJob and WatchJobs. ``memory_limit`` bounds all cached events, in bytes.

    ``call_count`` returns the number of calls that the server has accepted so far; ``responses`` bounds what callers
    have not read, half of it for each caller. ``estimators`` adds estimates to statuses; None adds none.
    """

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        admission: WatchAdmission,
        memory_limit: int,
        waits: WaitReasons,
        call_count: Callable[[], int] = lambda: 0,
        responses: ByteBudget | None = None,
        estimators: Estimators | None = None,
    ) -> None:
        memory = MemoryBudget(memory_limit)
        self._log = log
        self._clock = clock
        self._admission = admission
        self._tails = Tails(memory)
        self._queued = QueuedJobs(waits)
        self._replays = ReplayCache(log, memory)
        self._feeds = Feeds(log, memory)
        self._pacer = Pacer(call_count)
        self._estimators = estimators
        self._running = None if estimators is None else RunningEstimates(log, clock, estimators.jobs)
        self._responses = responses or ByteBudget(RESPONSE_MEMORY)

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Add entries of the log that have become durable."""
        self._replays.on_entries(entries)
        self._tails.on_entries(entries)
        self._feeds.on_entries(entries)

    def bound_in_time(self, idle: IdleCaches) -> None:
        """Have ``idle`` bound the caches of events."""
        idle.add(self._tails.evict_idle)
        idle.add(self._feeds.evict_idle)
        idle.add(self._replays.evict_idle, KEPT_TIME)

    def workers_changed(self) -> Steps[None]:
        """Wake watches of queued jobs that now wait for something else."""
        return self._queued.refresh()

    async def watch_job(
        self,
        request: WatchJobRequest,
        caller: str,
        send: Send,
        limit: int | None = None,
        *,
        check: Callable[[], Awaitable[None]],
        shows_place: bool = True,
    ) -> None:
        """Follow one job until it has ended. The request has been validated.

        ``limit`` is the caller's own limit of open watches, if it has one. ``shows_place`` is whether to say a queued
        job's place among other jobs.

        Raises LIMIT_REACHED, and what ``check`` and ``WatchStream.run`` do.
        """
        with self._admission.admit(caller, limit), self._tails.watching(request.job_id) as tail:
            # While the tail is held: it ends with the job that was checked, whoever uses the id afterwards.
            await check()
            subscriber = self._subscriber(caller, send)
            estimated = StatusEstimates(
                self._estimators, self._clock, tail, request.job_id, caller, shows_place=shows_place
            )
            await JobStream(
                self._log,
                self._clock,
                self._tails,
                tail,
                self._replays,
                self._queued,
                request,
                subscriber,
                estimated,
            ).run()

    async def watch_jobs(
        self, request: WatchJobsRequest, narrowed: Narrowed, caller: str, send: Send, limit: int | None = None
    ) -> None:
        """Follow all jobs that match and exist for a principal. The request has been validated.

        ``limit`` is the caller's own limit of open watches, if it has one.

        Raises LIMIT_REACHED, and what ``WatchStream.run`` does.
        """
        with (
            self._admission.admit(caller, limit),
            self._feeds.watching(JobCriteria.of(request.filter, narrowed)) as feed,
        ):
            subscriber = self._subscriber(caller, send)
            await JobsStream(
                self._log, self._clock, self._feeds, feed, request, subscriber, self._running
            ).run()

    @property
    def waiting(self) -> int:
        """The number of watches that wait for a turn to send what there is."""
        return len(self._pacer)

    def _subscriber(self, caller: str, send: Send) -> Subscriber:
        unread = self._responses.share(caller)
        return Subscriber(caller, send, self._pacer, unread)

    def close(self) -> Steps[None]:
        """End all watches with DRAINING."""
        yield from self._tails.close()
        yield from self._feeds.close()
