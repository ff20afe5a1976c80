"""All that lives on a log: who submits, watches and works, and what follows the log on its own."""

from __future__ import annotations

from milepost.contract import limits
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.followers.child_cancellation import ChildCancellation
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.parent_updates import ParentUpdates
from milepost.server.followers.retention import Retention, RetentionPolicy
from milepost.server.followers.transitions import follow_transitions
from milepost.server.journal import Journal
from milepost.server.log.store import Store
from milepost.server.rpc.admin_service import AdminService
from milepost.server.rpc.job_service import JobService
from milepost.server.rpc.worker_service import WorkerService
from milepost.server.runtime.background_tasks import Tasks
from milepost.server.runtime.clock import Clock, SystemClock
from milepost.server.submissions import Submissions
from milepost.server.watching.admission import Admission
from milepost.server.watching.watches import Watches
from milepost.v1 import Job

# How often nodes tell each other who was heard from, as a part of how long a lease lasts without.
_RENEWALS = 0.05


class Core:
    """Put together on a log that can be read; ``start`` it, ``drain`` it, then ``close`` it.

    ``lease_ttl`` and ``sweep_interval`` in seconds, ``tail_memory`` in bytes; ``node`` is its name for people;
    ``clock`` is for tests.
    """

    def __init__(
        self,
        log: Store,
        *,
        lease_ttl: float,
        keep: RetentionPolicy,
        sweep_interval: float,
        tail_memory: int,
        admission: Admission,
        node: str = "",
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._log = log
        self._lease_ttl = lease_ttl
        self._tasks = Tasks()
        self._roster = WorkerRegistry(clock, node=node, grace=min(lease_ttl / 2, limits.RECONNECT_GRACE_MAX))
        waits = WaitReasons(self._roster)
        self._watching = Watches(log, clock, admission, tail_memory, waits)
        self._roster.follow(self._watching.workers_changed)
        journal = Journal(log, clock)
        attempts = Attempts(journal, LeaseTokens(log.lease_secret, log.epoch))
        self._dispatcher = Dispatcher(attempts, clock, self._tasks, self._roster)
        self.deadlines = Deadlines(journal, clock, self._tasks, lease_ttl)
        self._cascade = ChildCancellation(log, journal, self._tasks)
        self._retention = Retention(log, clock, keep, sweep_interval)
        self.job_service = JobService(log, journal, Submissions(log, journal, clock), self._watching, waits)
        self.worker_service = WorkerService(attempts, self._dispatcher, self.deadlines, lease_ttl)
        self.admin_service = AdminService(self._roster)
        for listener in (
            journal.publish,
            self._watching.publish,
            self._retention.publish,
            ParentUpdates(log, journal, self._tasks).publish,
        ):
            log.add_listener(listener)
        # Jobs that took a turn before those that have not ended were taken up.
        self._turned: set[str] | None = set()
        follow_transitions(
            log,
            self._note,
            self._dispatcher.on_transition,
            self.deadlines.on_transition,
            self._cascade.on_transition,
        )

    async def start(self) -> None:
        """Takes up the jobs that have not ended."""
        interval = self._lease_ttl * _RENEWALS
        peers = await self._log.share_presence(
            _Here(self.deadlines, self.worker_service, self._roster), interval
        )
        self.deadlines.pass_on = peers.renew_leases
        self.deadlines.contact = peers.contact
        self.worker_service.pass_on = peers.worker_connected
        self._roster.start(peers)
        # What took a turn while they were read is known as it was after that.
        active = [job for job in await self._log.active() if job.job_id not in (self._turned or ())]
        self._turned = None
        for job in active:  # without a break, since what is recovered takes turns itself
            self._dispatcher.on_transition(job)
            self.deadlines.on_transition(job)
        for job in active:
            await self._cascade.recover(job)
        self._tasks.start(self._retention.run())

    async def drain(self) -> None:
        """Gives out no more jobs, and ends watches and sessions; what workers have reported is acknowledged first."""
        self._dispatcher.close()
        self._watching.close()
        await self.worker_service.drain()

    async def close(self) -> None:
        """Does nothing more on its own."""
        self._roster.close()
        self.deadlines.close()
        await self._tasks.close()

    def on_store(self, up: bool) -> None:
        """The store is there, and with it the other nodes; or it is not."""
        if up:
            self._roster.reconnected()
        else:
            self._roster.cut_off()

    def _note(self, job: Job) -> None:
        if self._turned is not None:
            self._turned.add(job.job_id)


class _Here:
    """What other nodes say of workers is for those who mind them here; see ``Presence``."""

    def __init__(self, deadlines: Deadlines, worker_service: WorkerService, roster: WorkerRegistry) -> None:
        self.renew_leases = deadlines.hear
        self.worker_connected = worker_service.connected_elsewhere
        self.update_workers = roster.update_workers
        self.request_workers = roster.request_workers
