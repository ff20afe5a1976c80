"""What happens because time passes: leases that are out, graces and bounds that are over (rules 14 and 16)."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from milepost.contract.job_states import LEASED
from milepost.server import decide
from milepost.server.journal import Journal, OpenJob
from milepost.server.log.node_presence import ALWAYS_IN_CONTACT, ContactPeriod
from milepost.server.rpc.store_errors import STORE_ERRORS
from milepost.server.runtime.background_tasks import Tasks
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import SECOND
from milepost.v1 import Event, Job

# When to try again after the store took nothing, in seconds.
_STORE_WAIT = 1.0

# A timer that is late by this part of a lease says that the server itself stood still, as where its machine was paused.
_STOOD_STILL = 0.05


@dataclass(slots=True)
class _Lease:
    """What an attempt has of it: until then, by the monotonic clock."""

    attempt: int
    until: float


class Deadlines:
    """Keeps the leases of jobs, and for each job that time does something to, a timer for what comes first."""

    def __init__(self, journal: Journal, clock: Clock, tasks: Tasks, lease_ttl: float) -> None:
        self._journal = journal
        self._clock = clock
        self._tasks = tasks
        self._lease_ttl = lease_ttl
        self._leases: dict[str, _Lease] = {}
        self._kept: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.pass_on: Callable[[Iterable[str]], None] = lambda job_ids: None
        """Told of the jobs whose workers were heard from here, so that other nodes hear of it."""
        self.listening_since: Callable[[str], float] = lambda job_id: -math.inf
        """Since when the job's worker has been listened to in vain, as ``Sessions`` has it."""
        self.contact: Callable[[], ContactPeriod | None] = lambda: ALWAYS_IN_CONTACT
        """When this node could hear the others, as ``Others`` has it."""

    def on_transition(self, job: Job) -> None:
        """Sets the timer anew, or drops it where time does nothing to the job any more. A lease begins in full."""
        waits = []
        if job.state in LEASED:
            now = self._clock.monotonic()
            lease = self._leases.get(job.job_id)
            if lease is None or lease.attempt != job.attempt:
                lease = self._leases[job.job_id] = _Lease(job.attempt, now + self._lease_ttl)
            waits.append(self._end(job.job_id, lease, now) - now)
        else:
            self._leases.pop(job.job_id, None)
        deadline = decide.next_deadline(job)
        if deadline is not None:
            waits.append((deadline - self._clock.now()) / SECOND)
        if waits:
            self._set_timer(job.job_id, min(waits))
        else:
            self._cancel_timer(job.job_id)

    def renew(self, job_ids: Iterable[str]) -> None:
        """The workers of these jobs were heard from. Their timers find out when they go off."""
        job_ids = tuple(job_ids)
        self.hear(job_ids)
        self.pass_on(job_ids)

    def hear(self, job_ids: Iterable[str]) -> None:
        """The same, where it was another node that heard from them."""
        until = self._clock.monotonic() + self._lease_ttl
        for job_id in job_ids:
            lease = self._leases.get(job_id)
            if lease is not None:
                lease.until = until

    @contextlib.contextmanager
    def keep(self, job_id: str) -> Iterator[None]:
        """The worker waits for the server. Its lease does not end meanwhile, and begins anew then."""
        self._kept[job_id] += 1
        try:
            yield
        finally:
            self._kept[job_id] -= 1
            if not self._kept[job_id]:
                del self._kept[job_id]
            self.renew([job_id])

    @property
    def watched(self) -> set[str]:
        """The jobs that have a timer."""
        return set(self._timers)

    def close(self) -> None:
        """Sets no more timers go off."""
        for job_id in list(self._timers):
            self._cancel_timer(job_id)

    def _set_timer(self, job_id: str, wait: float) -> None:
        self._cancel_timer(job_id)
        wait = max(wait, 0.0)
        due = self._clock.monotonic() + wait
        self._timers[job_id] = asyncio.get_running_loop().call_later(wait, self._ring, job_id, due)

    def _cancel_timer(self, job_id: str) -> None:
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def _ring(self, job_id: str, due: float) -> None:
        now = self._clock.monotonic()
        late = now - due
        lease = self._leases.get(job_id)
        if late > self._lease_ttl * _STOOD_STILL and lease is not None:
            # What the worker has said meanwhile has yet to be heard.
            lease.until = max(lease.until, now + min(late, self._lease_ttl))
        self._tasks.start(self._go_off(job_id))

    def _end(self, job_id: str, lease: _Lease, now: float) -> float:
        """When the lease is out, if nothing more is heard.

        What a worker says while the server does not listen, since it waits for its store, stands unread in the stream.
        So it can only be silent from when the server listens again. Where another node hears the worker, it can only be
        silent from when this one hears that node again.
        """
        silent_since = now if job_id in self._kept else min(self.listening_since(job_id), now)
        contact = self.contact()
        if contact is None:
            return now + self._lease_ttl
        silent_since = max(silent_since, now - contact.began)
        # It has been silent for as long as that only where contact is known to have lasted until then.
        return max(lease.until, silent_since + self._lease_ttl) + contact.proved

    async def _go_off(self, job_id: str) -> None:
        def decision(opened: OpenJob, now: int) -> list[Event]:
            if self.contact() is None:  # others may have decided already
                return []
            # The job may be further than its turns are told here: of its newest attempt the lease has yet to begin.
            lease = self._leases.get(job_id, _Lease(0, 0.0))
            at = self._clock.monotonic()
            is_out = lease.attempt == opened.job.attempt and self._end(job_id, lease, at) <= at
            return decide.due(opened.job, now, lease_is_out=is_out)

        if self.contact() is None:
            self._set_timer(job_id, _STORE_WAIT)
            return
        try:
            opened = await self._journal.act(job_id, decision, by_timeout=True)
        except STORE_ERRORS:
            self._set_timer(job_id, _STORE_WAIT)
            return
        if job_id in self._timers:
            self.on_transition(opened.job)
