"""Tell clients what a queued job waits for.

Only workers that could take the job count: those that take its kind, for its owner. So readers of the job learn nothing
about workers of other owners (rule 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from milepost.contract import limits
from milepost.server.dispatch.nearest_names import nearest
from milepost.server.dispatch.worker_registry import Taken, WorkerRegistry
from milepost.v1 import Dispatch, Job, JobState, Waiting, WaitingFor

# Maximum number of kinds that are compared with one that no worker accepts, and of cached results.
_KIND_LIMIT = 1000

WITHOUT_WORKER: Final = (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT)
"""The reasons that come with the nearest kinds."""


class Queue(NamedTuple):
    """Jobs that the same workers take."""

    kind: str
    owner: str
    dispatch: Dispatch.ValueType

    @classmethod
    def of(cls, job: Job) -> Queue:
        """The queue that the job is in while it is QUEUED."""
        return cls(job.kind, job.owner, job.dispatch)


class WaitReasons:
    """Derives what a queued job waits for from the connected workers."""

    def __init__(self, registry: WorkerRegistry) -> None:
        self._registry = registry
        # Cache of nearest kinds, valid while workers take the same.
        self._nearest: dict[tuple[str, str], list[str]] = {}
        self._revision = 0

    def of_job(self, job: Job) -> Waiting | None:
        """What the job waits for; None where it is not QUEUED."""
        if job.state != JobState.JOB_STATE_QUEUED:
            return None
        return self.of(Queue.of(job))

    def of(self, queue: Queue) -> Waiting:
        """What the QUEUED jobs of a queue wait for."""
        waiting = Waiting(waiting_for=self.reason(queue))
        if waiting.waiting_for != WaitingFor.WAITING_FOR_CLAIM:
            waiting.workers = self._registry.count(queue.kind, queue.owner)
        if waiting.waiting_for in WITHOUT_WORKER:
            waiting.nearest_kinds.extend(self._near(queue))
        return waiting

    def reason(self, queue: Queue) -> WaitingFor.ValueType:
        """As ``of``, without the nearest kinds, which are costly to find."""
        if queue.dispatch == Dispatch.DISPATCH_EXTERNAL:
            return WaitingFor.WAITING_FOR_CLAIM
        if self._registry.count(queue.kind, queue.owner):
            return WaitingFor.WAITING_FOR_TURN
        if not self._registry.is_complete:
            return WaitingFor.WAITING_FOR_RECONNECT
        return WaitingFor.WAITING_FOR_WORKER

    def take_changes(self) -> list[Taken]:
        """See ``WorkerRegistry``."""
        return self._registry.take_changes()

    def _near(self, queue: Queue) -> list[str]:
        key = queue.kind, queue.owner
        if self._revision != self._registry.revision or len(self._nearest) >= _KIND_LIMIT:
            self._revision, self._nearest = self._registry.revision, {}
        near = self._nearest.get(key)
        if near is None:
            kinds = kinds_for(queue.owner, self._registry.taken())
            near = self._nearest[key] = nearest(queue.kind, islice(kinds, _KIND_LIMIT), limits.NEAREST_KINDS)
        return near


def kinds_for(owner: str, taken: Iterable[Taken]) -> Iterator[str]:
    """Iterate over the kinds among them of which workers take the owner's jobs; each once, in their order."""
    seen: set[str] = set()
    for each in taken:
        if each.kind not in seen and each.concerns(owner):
            seen.add(each.kind)
            yield each.kind
