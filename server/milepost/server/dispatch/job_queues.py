"""The queues of jobs that wait for workers: their order alone, without clock or transport.

Within a kind, jobs of the highest priority go first. Within a priority the owners take turns (round robin), and each
owner's jobs go in the order of their submission. A job whose concurrency limit is reached is skipped, and is back in
its place when a job of the same key ends. Each operation takes time logarithmic in the number of queued jobs, and a job
that leaves the queue leaves nothing behind.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from milepost.server.messages.timestamps import instant
from milepost.v1 import Job

# Deleted items that a heap may contain beyond the number of items in it, before it is rebuilt.
_DELETED_LIMIT = 16

# Measured bytes of a queued job beyond its texts, of a group of jobs with a concurrency key, and of an owner's queue.
_JOB_OVERHEAD = 500
_GROUP_OVERHEAD = 1600
_OWNER_QUEUE_OVERHEAD = 2000

KEY_GROUPS_LIMIT: Final = 5_000
"""Kinds and priorities of an owner's queued jobs that have the same concurrency key and limit. When a job of the key
starts or ends, all of them stop or begin to be next, in one pass of the event loop: 2 µs each."""

_Item = TypeVar("_Item", bound=tuple[Any, ...])

_Rank: TypeAlias = tuple[int, int, str]
"""The place of an owner queue: its priority, negative, when it was last served, and the owner."""


class ConcurrencyKey(NamedTuple):
    """A concurrency key, which is each owner's own."""

    owner: str
    name: str


class QueuedJob(NamedTuple):
    """A job that waits for a worker. ``key`` is None without a concurrency limit; ``limit`` includes the job."""

    job_id: str
    kind: str
    owner: str
    priority: int
    submitted: int
    key: ConcurrencyKey | None
    limit: int

    @property
    def memory(self) -> int:
        """Approximate bytes of its own part of the queues; kind and owner are shared with its queue."""
        return _JOB_OVERHEAD + len(self.job_id) + (0 if self.key is None else len(self.key.name))

    @classmethod
    def of(cls, job: Job) -> QueuedJob:
        """Take from a job what the queues need."""
        key = ConcurrencyKey(job.owner, job.concurrency_key) if job.concurrency_key else None
        return cls(
            job_id=job.job_id,
            kind=job.kind,
            owner=job.owner,
            priority=job.priority,
            submitted=instant(job.submit_time),
            key=key,
            limit=job.concurrency_limit,
        )


class QueuePlace(NamedTuple):
    """The place of a job among those of its owner in the queue of its kind."""

    own_ahead: int
    """Jobs of its owner that start before it, if no further ones come."""
    own_waiting: int
    """Jobs of its owner and kind that wait, itself included."""
    is_limited: bool
    """Whether as many jobs of its concurrency key are active as it allows."""


class JobQueues:
    """The queued jobs by kind, and the number of active jobs of each concurrency key.

    Attributes:
        waiting: The number of queued jobs of each kind that has any.
    """

    def __init__(self) -> None:
        self._queued: dict[str, tuple[QueuedJob, _OwnerQueue, _LimitGroup]] = {}
        self._kinds: dict[str, _LazyHeap[_Rank]] = {}
        self._owner_queues: dict[tuple[str, int, str], _OwnerQueue] = {}
        self._queues_of_kind: dict[str, dict[str, dict[_OwnerQueue, None]]] = {}  # by kind, then by owner
        self._keyed: dict[tuple[ConcurrencyKey, int], dict[_LimitGroup, _OwnerQueue]] = {}
        self._active: defaultdict[ConcurrencyKey, int] = defaultdict(int)
        self._served = 0
        self.waiting: Counter[str] = Counter()
        self._jobs_memory = self._key_groups = 0

    @property
    def memory(self) -> int:
        """Approximate bytes of memory of the queues."""
        return (
            self._jobs_memory
            + self._key_groups * _GROUP_OVERHEAD
            + len(self._owner_queues) * _OWNER_QUEUE_OVERHEAD
        )

    def __len__(self) -> int:
        return len(self._queued)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._queued

    def add(self, job: QueuedJob) -> None:
        """Enqueue the job. One that is queued already keeps its place."""
        if job.job_id in self._queued:
            return
        owner_queue = self._owner_queue(job)
        # One text for all jobs of the queue, instead of one for each.
        job = job._replace(kind=owner_queue.kind, owner=owner_queue.owner)
        group = owner_queue.groups.get((job.key, job.limit))
        if group is None:
            group = owner_queue.groups[job.key, job.limit] = _LimitGroup(
                is_open=self.is_below_limit(job.key, job.limit)
            )
            if job.key is not None:
                self._keyed.setdefault((job.key, job.limit), {})[group] = owner_queue
                self._key_groups += 1
        self._queued[job.job_id] = job, owner_queue, group
        self._jobs_memory += job.memory
        self.waiting[job.kind] += 1
        self._unindex_group(owner_queue, group)
        group.jobs.add((job.submitted, job.job_id))
        insort(owner_queue.order, (job.submitted, job.job_id))
        self._index_group(owner_queue, group)

    def remove(self, job_id: str) -> None:
        """Remove the job, if it is queued."""
        found = self._queued.pop(job_id, None)
        if found is None:
            return
        job, owner_queue, group = found
        self._jobs_memory -= job.memory
        self.waiting[job.kind] -= 1
        if not self.waiting[job.kind]:
            del self.waiting[job.kind]
        self._unindex_group(owner_queue, group)
        group.jobs.discard((job.submitted, job_id))
        del owner_queue.order[bisect_left(owner_queue.order, (job.submitted, job_id))]
        self._index_group(owner_queue, group)
        if not group.jobs:
            self._forget(job, owner_queue, group)

    def pop(self, kind: str, owners: Collection[str] | None = None) -> QueuedJob | None:
        """Remove and return the next job of the kind and of one of the owners (None: any); None where none may start.

        With owners it looks at each of these, or at each owner of queued jobs of the kind, whichever are fewer.
        """
        order = self._kinds.get(kind)
        if order is None:
            return None
        first = order.first() if owners is None else min(self._ranks(kind, order, owners), default=None)
        if first is None:
            return None
        priority, _, owner = first
        owner_queue = self._owner_queues[kind, -priority, owner]
        job_id = owner_queue.open.first()[1]
        job = self._queued[job_id][0]
        self._unindex_owner(owner_queue)
        self._served += 1
        owner_queue.last_served = self._served
        self._index_owner(owner_queue)
        self.remove(job_id)
        return job

    def _ranks(self, kind: str, order: _LazyHeap[_Rank], owners: Collection[str]) -> Iterator[_Rank]:
        """The ranks of those owner queues of a kind, of these owners, that have a job that may start."""
        if len(order) <= len(owners):
            yield from (rank for rank in order if rank[2] in owners)
            return
        of_kind = self._queues_of_kind[kind]
        for owner in owners:
            yield from (queue.rank for queue in of_kind.get(owner, ()) if queue.open)

    def place(self, job_id: str) -> QueuePlace | None:
        """The place of a job in its queue, as if no concurrency limit were reached; None if it is not queued.

        It looks at each priority of its owner's jobs of the kind, and at no other owner: a list asks for many places.
        """
        found = self._queued.get(job_id)
        if found is None:
            return None
        job, own, group = found
        ahead = bisect_left(own.order, (job.submitted, job_id))
        waiting = 0
        for other in self._queues_of_kind[job.kind][job.owner]:
            waiting += len(other.order)
            if other.priority > own.priority:
                ahead += len(other.order)
        return QueuePlace(ahead, waiting, is_limited=not group.is_open)

    def ahead(self, job_id: str) -> int:
        """Jobs of any owner that start before the job, as ``place`` counts those of its own; 0 if it is not queued.

        It looks at each owner that has jobs of the kind in the queue.
        """
        found = self._queued.get(job_id)
        if found is None:
            return 0
        job, own, _ = found
        ahead = turn = bisect_left(own.order, (job.submitted, job_id))
        for other in chain.from_iterable(self._queues_of_kind[job.kind].values()):
            if other.priority > own.priority:
                ahead += len(other.order)
            elif other.priority == own.priority and other is not own:
                ahead += min(len(other.order), turn + (other.last_served < own.last_served))
        return ahead

    def oldest(self, kind: str) -> int | None:
        """When the first of a kind's queued jobs was submitted, in nanoseconds since 1970; None if none is queued.

        It looks at each owner that has jobs of the kind in the queue.
        """
        queues = chain.from_iterable(self._queues_of_kind.get(kind, {}).values())
        return min((queue.order[0][0] for queue in queues), default=None)

    def is_key_full(self, key: ConcurrencyKey, limit: int) -> bool:
        """Whether jobs of the key with this limit wait in ``KEY_GROUPS_LIMIT`` kinds and priorities."""
        return len(self._keyed.get((key, limit), ())) >= KEY_GROUPS_LIMIT

    def is_below_limit(self, key: ConcurrencyKey | None, limit: int) -> bool:
        """Whether fewer jobs of the key are active than ``limit``."""
        return key is None or self._active.get(key, 0) < limit

    def occupy(self, key: ConcurrencyKey) -> None:
        """Count one more active job of the key."""
        self._active[key] += 1
        for group, owner_queue in self._groups(key, self._active[key]):
            self._unindex_group(owner_queue, group)
            group.is_open = False

    def vacate(self, key: ConcurrencyKey) -> set[str]:
        """Count one fewer. Return the kinds of jobs that may start now and might not before."""
        left = self._active[key]
        if left == 1:
            del self._active[key]
        else:
            self._active[key] -= 1
        kinds = set()
        for group, owner_queue in self._groups(key, left):
            group.is_open = True
            self._index_group(owner_queue, group)
            kinds.add(owner_queue.kind)
        return kinds

    def _groups(self, key: ConcurrencyKey, limit: int) -> Iterable[tuple[_LimitGroup, _OwnerQueue]]:
        """The groups of the key with exactly this limit."""
        return self._keyed.get((key, limit), {}).items()

    def _owner_queue(self, job: QueuedJob) -> _OwnerQueue:
        name = job.kind, job.priority, job.owner
        owner_queue = self._owner_queues.get(name)
        if owner_queue is None:
            self._served += 1
            owner_queue = self._owner_queues[name] = _OwnerQueue(*name, last_served=self._served)
            self._queues_of_kind.setdefault(job.kind, {}).setdefault(job.owner, {})[owner_queue] = None
        return owner_queue

    def _forget(self, job: QueuedJob, owner_queue: _OwnerQueue, group: _LimitGroup) -> None:
        del owner_queue.groups[job.key, job.limit]
        if not owner_queue.groups:
            del self._owner_queues[owner_queue.kind, owner_queue.priority, owner_queue.owner]
            of_kind = self._queues_of_kind[owner_queue.kind]
            del of_kind[owner_queue.owner][owner_queue]
            if not of_kind[owner_queue.owner]:
                del of_kind[owner_queue.owner]
            if not of_kind:
                del self._queues_of_kind[owner_queue.kind]
        if job.key is not None:
            groups = self._keyed[job.key, job.limit]
            del groups[group]
            self._key_groups -= 1
            if not groups:
                del self._keyed[job.key, job.limit]

    # Heaps hold what may start: each owner queue the first job of each open group, each kind its owner queues by rank.

    def _index_group(self, owner_queue: _OwnerQueue, group: _LimitGroup) -> None:
        if group.is_open and group.jobs:
            self._unindex_owner(owner_queue)
            owner_queue.open.add(group.jobs.first())
            self._index_owner(owner_queue)

    def _unindex_group(self, owner_queue: _OwnerQueue, group: _LimitGroup) -> None:
        if group.is_open and group.jobs:
            self._unindex_owner(owner_queue)
            owner_queue.open.discard(group.jobs.first())
            self._index_owner(owner_queue)

    def _index_owner(self, owner_queue: _OwnerQueue) -> None:
        if owner_queue.open:
            self._kinds.setdefault(owner_queue.kind, _LazyHeap()).add(owner_queue.rank)

    def _unindex_owner(self, owner_queue: _OwnerQueue) -> None:
        if owner_queue.open:
            order = self._kinds[owner_queue.kind]
            order.discard(owner_queue.rank)
            if not order:
                del self._kinds[owner_queue.kind]


class _LazyHeap(Generic[_Item]):
    """A min-heap of tuples with lazy deletion: deleted items stay until they come up, or are half of the heap."""

    def __init__(self) -> None:
        self._heap: list[_Item] = []
        self._items: set[_Item] = set()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[_Item]:
        """The items, in no order."""
        return iter(self._items)

    def add(self, item: _Item) -> None:
        """Insert."""
        if item not in self._items:
            self._items.add(item)
            heapq.heappush(self._heap, item)

    def discard(self, item: _Item) -> None:
        """Delete, if present."""
        self._items.discard(item)
        if len(self._heap) > 2 * len(self._items) + _DELETED_LIMIT:
            self._heap = list(self._items)
            heapq.heapify(self._heap)

    def first(self) -> _Item:
        """The least item of a set that is not empty."""
        while self._heap[0] not in self._items:
            heapq.heappop(self._heap)
        return self._heap[0]


@dataclass(slots=True, eq=False)
class _LimitGroup:
    """Jobs of an owner queue with the same concurrency key and limit, of which only the first can be next."""

    is_open: bool
    jobs: _LazyHeap[tuple[int, str]] = field(default_factory=_LazyHeap)


@dataclass(slots=True, eq=False)
class _OwnerQueue:
    """The queued jobs of an owner, kind and priority. The owner with the lowest ``last_served`` is next."""

    kind: str
    priority: int
    owner: str
    last_served: int
    groups: dict[tuple[ConcurrencyKey | None, int], _LimitGroup] = field(default_factory=dict)
    open: _LazyHeap[tuple[int, str]] = field(default_factory=_LazyHeap)
    order: list[tuple[int, str]] = field(default_factory=list)
    """All of its jobs, in the order of their submission."""

    @property
    def rank(self) -> _Rank:
        """Sort key among the owner queues of its kind."""
        return -self.priority, self.last_served, self.owner
