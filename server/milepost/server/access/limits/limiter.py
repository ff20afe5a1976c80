"""Keeps principals within their limits. Callers without a credential have the bounds of their hosts instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from milepost.server.access.current_principal import caller_of
from milepost.server.access.limits.burst_pace import BurstPace
from milepost.server.access.limits.job_usage import JobUsage
from milepost.server.access.limits.principal_limits import Limits
from milepost.server.access.limits.rates import RateTable
from milepost.server.access.limits.throttling import Throttling
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

STRANGERS_CALLS: Final = 100
"""Calls per second and host up to which calls without a principal are logged: those refused before authentication, and
those that need no credential. After a pause, ten seconds' worth at once."""

_RETRY_DELAY = 5.0
"""Suggested seconds before a refused submission is repeated: a guess, since nobody knows when jobs end."""


class Limiter:
    """Usage and limits of principals. Counted by subject: several credentials of one subject share the usage.

    Attributes:
        limits: The limits of principals whose credential sets none.
        jobs: The unfinished jobs; follows the log.
        throttling: The callers beyond their rate.
        pace: Delays the bursts of a principal.
    """

    def __init__(self, limits: Limits | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limits = Limits() if limits is None else limits
        self.jobs = JobUsage()
        self.throttling = Throttling()
        self.pace = BurstPace()
        self._rates = RateTable(monotonic)
        self._refused = RateTable(monotonic)
        self._public = RateTable(monotonic)

    def of(self, principal: Principal) -> Limits:
        """The limits of a principal."""
        return self.limits.of(principal)

    async def admit_request(self, principal: Principal) -> None:
        """Count a call. Raises LIMIT_REACHED, late, where there are too many; a refused one does not count."""
        if principal is ANONYMOUS:
            return
        refusal = await self.refuse_request(principal)
        if refusal is not None:
            # Many calls share the refusal, whose traceback would keep the frames of all of them.
            raise refusal.with_traceback(None)
        self._rates.of(principal.subject).requests.use(1, self.of(principal).requests, self._rates.now())

    async def refuse_request(self, principal: Principal) -> Refusal | None:
        """Return the refusal of a call beyond its principal's rate, once that was delayed; else None."""
        excess = self._rates.of(principal.subject).requests.excess(self._rates.now())
        if not excess:
            return None
        what = f"makes over {self.of(principal).requests:,} calls a second"
        return await self.throttling.refuse(
            caller_of(principal, ""), lambda: _limit_reached(principal, what, "requests", excess)
        )

    async def delay_refused(self, host: str, refusal: Refusal) -> None:
        """Do as ``count_refused``, and delay a call that is counted instead of logged."""
        if self._is_over(self._refused, host):
            await self.throttling.delay(host, refusal)

    def count_refused(self, host: str, refusal: Refusal) -> None:
        """Count a call that is refused before its principal is known, instead of logging it, if its host makes many."""
        if self._is_over(self._refused, host):
            self.throttling.count(host, refusal)

    def makes_many_public(self, host: str) -> bool:
        """Count a call that needs no credential; whether its host makes so many that they are not logged."""
        return self._is_over(self._public, host)

    def _is_over(self, calls: RateTable, host: str) -> bool:
        rate, now = calls.of(host).requests, calls.now()
        if rate.excess(now):
            return True
        rate.use(1, STRANGERS_CALLS, now)
        return False

    def is_throttled(self, principal: Principal) -> bool:
        """Whether calls of this principal share a refusal."""
        return caller_of(principal, "") in self.throttling

    def use_events(self, principal: Principal, count: int) -> float:
        """Count the updates of a report; return for how many seconds its worker should send no more."""
        if principal is ANONYMOUS:
            return 0.0
        rate, now = self._rates.of(principal.subject).events, self._rates.now()
        rate.use(count, self.of(principal).events, now)
        return rate.excess(now)

    def uses_burst(self, principal: Principal) -> bool:
        """Whether a principal has recently reported events faster than its rate."""
        if principal is ANONYMOUS:
            return False
        return self._rates.of(principal.subject).events.is_ahead(self._rates.now())

    def admit_events(self, principal: Principal, count: int) -> None:
        """Count the updates of a report that comes as a call. Raises LIMIT_REACHED where earlier ones were too many."""
        if principal is ANONYMOUS:
            return
        rate, limit = self._rates.of(principal.subject).events, self.of(principal).events
        now = self._rates.now()
        excess = rate.excess(now)
        if excess:
            raise _limit_reached(principal, f"reports over {limit:,} events a second", "events", excess)
        rate.use(count, limit, now)

    @contextmanager
    def submitting(self, principal: Principal, job_id: str, input_size: int) -> Iterator[None]:
        """Count a job that is being submitted. Raises LIMIT_REACHED where the principal has too many."""
        if principal is ANONYMOUS:
            yield
            return
        limits, used = self.of(principal), self.jobs.of(principal.subject)
        if used.jobs >= limits.jobs:
            what = f"has {used.jobs:,} jobs that have not ended, of {limits.jobs:,} that it may have"
            raise _limit_reached(principal, what, "jobs", _RETRY_DELAY)
        if used.input + input_size > limits.input:
            what = (
                f"has {used.input:,} bytes of input of unfinished jobs, of {limits.input:,} that it may have"
            )
            raise _limit_reached(principal, what, "input", _RETRY_DELAY)
        with self.jobs.submitting(job_id, principal.subject, input_size):
            yield

    def used(self, principal: Principal, watches: int) -> Limits:
        """The usage of a principal with this many open watches; for rates, the used part of their burst."""
        limits, rates, jobs = (
            self.of(principal),
            self._rates.of(principal.subject),
            self.jobs.of(principal.subject),
        )
        now = self._rates.now()
        return Limits(
            watches=watches,
            jobs=jobs.jobs,
            input=jobs.input,
            requests=rates.requests.used(limits.requests, now),
            events=rates.events.used(limits.events, now),
        )


def _limit_reached(principal: Principal, what: str, limit: str, retry_delay: float) -> Refusal:
    option = f"max-{limit}-per-principal"
    raised = f"the limit {limit!r} of its credential" if limit in dict(principal.limits) else f"--{option}"
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"{principal.subject!r} {what}. Try again later, or have {raised} raised.",
        metadata={"limit": option},
        retry_delay=retry_delay,
    )
