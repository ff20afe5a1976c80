"""Tell clients what a queued job waits for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from milepost.contract import limits
from milepost.server.dispatch.nearest_names import nearest
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.v1 import Dispatch, Job, JobState, Waiting, WaitingFor

# Maximum number of kinds that are compared with one that no worker accepts, and of cached results.
_KIND_LIMIT = 1000


class WaitReasons:
    """Derives what a queued job waits for from the connected workers."""

    def __init__(self, registry: WorkerRegistry) -> None:
        self._registry = registry
        # Cache of nearest kinds, valid while the set of kinds that workers accept stays the same.
        self._nearest: dict[str, list[str]] = {}
        self._kinds: frozenset[str] = frozenset()

    def of_job(self, job: Job) -> Waiting | None:
        """What the job waits for; None where it is not QUEUED."""
        return self.of(job.kind, job.dispatch) if job.state == JobState.JOB_STATE_QUEUED else None

    def of(self, kind: str, dispatch: Dispatch.ValueType) -> Waiting:
        """What a QUEUED job of this kind and dispatch waits for."""
        workers = self._registry.kinds
        waiting = Waiting(waiting_for=self.reason(kind, dispatch))
        if waiting.waiting_for != WaitingFor.WAITING_FOR_CLAIM:
            waiting.workers = workers.get(kind, 0)
        if waiting.waiting_for in (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT):
            waiting.nearest_kinds.extend(self._near(kind, workers))
        return waiting

    def reason(self, kind: str, dispatch: Dispatch.ValueType) -> WaitingFor.ValueType:
        """As ``of``, without the nearest kinds, which are costly to find."""
        if dispatch == Dispatch.DISPATCH_EXTERNAL:
            return WaitingFor.WAITING_FOR_CLAIM
        if self._registry.kinds.get(kind):
            return WaitingFor.WAITING_FOR_TURN
        if not self._registry.is_complete:
            return WaitingFor.WAITING_FOR_RECONNECT
        return WaitingFor.WAITING_FOR_WORKER

    def _near(self, kind: str, workers: Mapping[str, int]) -> list[str]:
        if self._kinds != workers.keys() or len(self._nearest) >= _KIND_LIMIT:
            self._kinds, self._nearest = frozenset(workers), {}
        near = self._nearest.get(kind)
        if near is None:
            near = self._nearest[kind] = nearest(kind, islice(self._kinds, _KIND_LIMIT), limits.NEAREST_KINDS)
        return near
