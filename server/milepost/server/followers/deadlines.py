"""Act on deadlines: expired leases, ended grace periods, timeouts (rules 14 and 16)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from milepost.contract.job_states import LEASED
from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal
from milepost.server.decide import time_limits
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.journal import Journal
from milepost.server.log.log_errors import StoreError
from milepost.server.log.node_presence import NoPeers, Peers
from milepost.server.messages.timestamps import SECOND
from milepost.v1 import Event, Job

# Backoff in seconds before a deadline is checked again that could not be acted on.
_STORE_RETRY_DELAY = 1.0

# Measured bytes of a job with a timer: that, its lease, and the times that limits are counted from.
_TIMER_MEMORY = 1500

# A timer that is late by this fraction of a lease shows that the server itself was suspended, with its machine perhaps.
_SUSPENDED_FRACTION = 0.05


@dataclass(slots=True)
class _Lease:
    """The lease of an attempt, and the time of the monotonic clock at which it expires."""

    attempt: int
    expiry: float


class Deadlines:
    """The leases of jobs, and a timer for the next deadline of each job that has one."""

    def __init__(
        self, journal: Journal, sessions: SessionTable, clock: Clock, tasks: Tasks, lease_ttl: float
    ) -> None:
        self._journal = journal
        self._ages = journal.ages
        self._sessions = sessions
        self._clock = clock
        self._tasks = tasks
        self._lease_ttl = lease_ttl
        self._leases: dict[str, _Lease] = {}
        self._suspended: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._peers: Peers = NoPeers()
        self.leases_lost = 0
        """Leases that this node has ended, since their workers were silent."""

    def start(self, peers: Peers) -> None:
        """Share lease renewals with the other nodes, and decide nothing without contact to them."""
        self._peers = peers

    def on_transition(self, job: Job) -> None:
        """Set the job's timer to its next deadline, or cancel it. A new attempt gets a full lease."""
        waits = []
        if job.state in LEASED:
            now = self._clock.monotonic()
            lease = self._leases.get(job.job_id)
            if lease is None or lease.attempt != job.attempt:
                lease = self._leases[job.job_id] = _Lease(job.attempt, now + self._lease_ttl)
            waits.append(self._expiry(job.job_id, lease, now) - now)
        else:
            self._leases.pop(job.job_id, None)
        limits = time_limits.of(job)
        self._ages.keep(job.job_id, [limit.since for limit in limits])
        waits += [time_limits.left(job.job_id, limit, self._ages.age) / SECOND for limit in limits]
        if waits:
            self._set_timer(job.job_id, min(waits))
        else:
            self._cancel_timer(job.job_id)

    def renew(self, job_ids: Iterable[str]) -> None:
        """Renew the leases of jobs whose workers this node has heard from, on all nodes.

        The timers stay as they are: they look at the leases when they fire.
        """
        job_ids = tuple(job_ids)
        self.renewed_elsewhere(job_ids)
        self._peers.renew_leases(job_ids)

    def renewed_elsewhere(self, job_ids: Iterable[str]) -> None:
        """Renew the leases of jobs whose workers another node has heard from."""
        expiry = self._clock.monotonic() + self._lease_ttl
        for job_id in job_ids:
            lease = self._leases.get(job_id)
            if lease is not None:
                lease.expiry = expiry

    @contextlib.contextmanager
    def suspend_expiry(self, job_id: str) -> Iterator[None]:
        """Keep the lease from expiring while the worker waits for the server, and renew it after that.

        That of a later attempt, which may have begun meanwhile, is another worker's.
        """
        lease = self._leases.get(job_id)
        self._suspended[job_id] += 1
        try:
            yield
        finally:
            self._suspended[job_id] -= 1
            if not self._suspended[job_id]:
                del self._suspended[job_id]
            if self._leases.get(job_id) is lease:
                self.renew([job_id])

    @property
    def memory(self) -> int:
        """The bytes that timers and leases take in memory, about."""
        return len(self._timers) * _TIMER_MEMORY

    @property
    def leased(self) -> int:
        """The number of jobs under a lease."""
        return len(self._leases)

    @property
    def watched(self) -> set[str]:
        """The jobs that have a timer."""
        return set(self._timers)

    def close(self) -> None:
        """Cancel all timers."""
        for job_id in list(self._timers):
            self._cancel_timer(job_id)

    def _set_timer(self, job_id: str, wait: float) -> None:
        self._cancel_timer(job_id)
        wait = max(wait, 0.0)
        due = self._clock.monotonic() + wait
        self._timers[job_id] = asyncio.get_running_loop().call_later(wait, self._on_timer, job_id, due)

    def _cancel_timer(self, job_id: str) -> None:
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def _on_timer(self, job_id: str, due: float) -> None:
        now = self._clock.monotonic()
        late = now - due
        lease = self._leases.get(job_id)
        if late > self._lease_ttl * _SUSPENDED_FRACTION and lease is not None:
            # Messages that the worker sent meanwhile are still unread.
            lease.expiry = max(lease.expiry, now + min(late, self._lease_ttl))
        self._tasks.start_in_turn(self._apply_deadlines(job_id))

    def _expiry(self, job_id: str, lease: _Lease, now: float) -> float:
        """When the lease expires, if no further message is read.

        While the server waits for its store it reads no requests, and a worker's messages stay in the stream. So the
        worker can be silent only from when the server reads again. Where another node hears the worker, it can be
        silent only from when this node hears that one again.
        """
        listening_since = self._sessions.listening_since(job_id)
        silent_since = now if job_id in self._suspended else min(listening_since, now)
        contact = self._peers.contact()
        if contact is None:
            return now + self._lease_ttl
        silent_since = max(silent_since, now - contact.began)
        # It has been silent for a whole lease only if contact is proved to have lasted until its end.
        return max(lease.expiry, silent_since + self._lease_ttl) + contact.proved

    async def _apply_deadlines(self, job_id: str) -> None:
        if self._peers.contact() is None:
            self._set_timer(job_id, _STORE_RETRY_DELAY)
            return
        is_lost = False

        def decision(job: Job, now: int) -> list[Event]:
            nonlocal is_lost
            events, is_lost = self._decide(job, now)
            return events

        try:
            opened = await self._journal.commit(job_id, decision, by_timeout=True)
        except StoreError:
            self._set_timer(job_id, _STORE_RETRY_DELAY)
            return
        except Refusal:  # the job was deleted
            return
        except Exception:
            self._set_timer(job_id, _STORE_RETRY_DELAY)
            raise
        self.leases_lost += is_lost
        if job_id in self._timers:
            self.on_transition(opened.job)

    def _decide(self, job: Job, now: int) -> tuple[list[Event], bool]:
        """What is due for a job, and whether its lease ends by that."""
        if self._peers.contact() is None:  # other nodes may have decided already
            return [], False
        # The job may be ahead of its durable transitions: the lease of its newest attempt has not begun here then.
        lease = self._leases.get(job.job_id, _Lease(0, 0.0))
        time = self._clock.monotonic()
        is_out = lease.attempt == job.attempt and self._expiry(job.job_id, lease, time) <= time
        events = decide.due(job, now, lease_is_out=is_out, age=self._ages.age)
        return events, bool(events) and is_out and job.state in LEASED
