"""Count the jobs of each concurrency key that run, and stop more from starting than a job allows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from milepost.contract.job_states import LEASED
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.job_queues import ConcurrencyKey, JobQueues, QueuedJob
from milepost.v1 import ErrorReason, Job

# Suggested delay in seconds before a refused claim is repeated: a guess, since jobs end when they end.
_CLAIM_RETRY_DELAY = 1.0


@dataclass(slots=True)
class _KeyedJob:
    key: ConcurrencyKey
    starting: int = 0
    leased: bool = False


class ConcurrencyLimits:
    """The jobs with a concurrency key that are active: leased, by the log's transitions, or being started."""

    def __init__(self, queues: JobQueues) -> None:
        self._queues = queues
        self._jobs: dict[str, _KeyedJob] = {}
        # The leased jobs of each key, in the order of their starts in the log.
        self._leased: defaultdict[ConcurrencyKey, dict[str, None]] = defaultdict(dict)

    def on_transition(self, job: Job) -> set[str]:
        """Note whether the job is leased. Return the kinds of jobs that may start now and might not before."""
        if job.state in LEASED:
            tracked = self._track(QueuedJob.of(job))
            if tracked is not None:
                tracked.leased = True
                self._leased[tracked.key][job.job_id] = None
            return set()
        known = self._jobs.get(job.job_id)
        if known is None:
            return set()
        if known.leased:
            known.leased = False
            del self._leased[known.key][job.job_id]
            if not self._leased[known.key]:
                del self._leased[known.key]
        return self._vacate_if_idle(job.job_id, known)

    def admit(self, job: QueuedJob) -> None:
        """Count a job that is being started. Raises LIMIT_REACHED where as many of its key are active as it allows."""
        if job.job_id not in self._jobs and not self._queues.is_below_limit(job.key, job.limit):
            raise _limit_reached(job)
        tracked = self._track(job)
        if tracked is not None:
            tracked.starting += 1

    def confirm(self, job: QueuedJob) -> None:
        """Check the limit once more after the job has started and listeners have its transition.

        Raises LIMIT_REACHED where other nodes have started as many of its key meanwhile as it allows. The order of the
        log, which is the same on every node, decides which of the simultaneous starts are too many.
        """
        leased = self._leased.get(job.key, {}) if job.key is not None else {}
        if job.job_id in leased and job.job_id not in islice(leased, job.limit):
            raise _limit_reached(job)

    def finish_start(self, job_id: str) -> set[str]:
        """An admitted start has succeeded or failed. Return as ``on_transition``."""
        known = self._jobs.get(job_id)
        if known is None:
            return set()
        known.starting -= 1
        return self._vacate_if_idle(job_id, known)

    def _track(self, job: QueuedJob) -> _KeyedJob | None:
        if job.key is None:
            return None
        known = self._jobs.get(job.job_id)
        if known is None:
            known = self._jobs[job.job_id] = _KeyedJob(job.key)
            self._queues.occupy(job.key)
        return known

    def _vacate_if_idle(self, job_id: str, known: _KeyedJob) -> set[str]:
        if known.leased or known.starting:
            return set()
        del self._jobs[job_id]
        return self._queues.vacate(known.key)


def _limit_reached(job: QueuedJob) -> Refusal:
    assert job.key is not None
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The concurrency_key {job.key.name!r} has {job.limit} active jobs, as many as job {job.job_id!r} allows. "
        "Try again when one of them has ended.",
        metadata={"job_id": job.job_id, "concurrency_key": job.key.name, "limit": job.limit},
        retry_delay=_CLAIM_RETRY_DELAY,
    )
