"""Which jobs with a concurrency key are at work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from milepost.contract.job_states import LEASED
from milepost.server.dispatch.job_queues import JobQueues, Key, Waiting
from milepost.server.rpc.refusal import Refusal
from milepost.v1 import ErrorReason, Job

# When one of a key may have left work, in seconds: nobody knows.
_TRY_AGAIN = 1.0


@dataclass(slots=True)
class _Job:
    key: Key
    starting: int = 0
    leased: bool = False


class ConcurrencyLimits:
    """Keeps the queues told. A job is at work while it is leased, as the log's turns have it, or being started."""

    def __init__(self, queues: JobQueues) -> None:
        self._queues = queues
        self._jobs: dict[str, _Job] = {}
        # Those of each key that are leased, in the order in which the log has them.
        self._leased: defaultdict[Key, dict[str, None]] = defaultdict(dict)

    def on_transition(self, job: Job) -> set[str]:
        """Takes in whether the job is leased; the kinds of which one may start now that might not before."""
        if job.state in LEASED:
            found = self._enter(Waiting.of(job))
            if found is not None:
                found.leased = True
                self._leased[found.key][job.job_id] = None
            return set()
        known = self._jobs.get(job.job_id)
        if known is None:
            return set()
        if known.leased:
            known.leased = False
            del self._leased[known.key][job.job_id]
            if not self._leased[known.key]:
                del self._leased[known.key]
        return self._settle(job.job_id, known)

    def admit(self, job: Waiting) -> None:
        """The job is being started. Raises LIMIT_REACHED where as many of its key are at work as it allows."""
        if job.job_id not in self._jobs and not self._queues.has_room(job.key, job.limit):
            raise _limit_reached(job)
        entered = self._enter(job)
        if entered is not None:
            entered.starting += 1

    def confirm(self, job: Waiting) -> None:
        """The job has started, and its turns were told.

        Raises LIMIT_REACHED where other nodes had started as many of its key meanwhile as it allows: of those that
        start at once the log's order says which are too many, and every node reads it alike.
        """
        leased = self._leased.get(job.key, {}) if job.key is not None else {}
        if job.job_id in leased and job.job_id not in islice(leased, job.limit):
            raise _limit_reached(job)

    def settle(self, job_id: str) -> set[str]:
        """A start that was admitted has come to something or to nothing; returns as ``on_transition``."""
        known = self._jobs.get(job_id)
        if known is None:
            return set()
        known.starting -= 1
        return self._settle(job_id, known)

    def _enter(self, job: Waiting) -> _Job | None:
        if job.key is None:
            return None
        known = self._jobs.get(job.job_id)
        if known is None:
            known = self._jobs[job.job_id] = _Job(job.key)
            self._queues.occupy(job.key)
        return known

    def _settle(self, job_id: str, known: _Job) -> set[str]:
        if known.leased or known.starting:
            return set()
        del self._jobs[job_id]
        return self._queues.vacate(known.key)


def _limit_reached(job: Waiting) -> Refusal:
    assert job.key is not None
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"{job.limit} of the concurrency_key {job.key.name!r} are at work, which is as many as job {job.job_id!r} "
        "allows. Try again when one of them has ended.",
        metadata={"job_id": job.job_id, "concurrency_key": job.key.name, "limit": job.limit},
        retry_delay=_TRY_AGAIN,
    )
