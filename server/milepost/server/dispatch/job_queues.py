"""What waits for workers, and in which order. No clock, no transport: just the order.

Of a kind, jobs of the highest priority go first. Within a priority the owners that wait take turns, and within an owner
goes first what was submitted first. A job whose concurrency key is at work as often as the job allows is passed over,
and is back in its place when one of those leaves work. Each step takes a time that grows with the logarithm of what
waits, and nothing is kept of what does not wait any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from milepost.server.dispatch.lazy_heap import Sorted
from milepost.server.runtime.timestamps import instant
from milepost.v1 import Job


class Key(NamedTuple):
    """What takes turns: jobs of an owner that bear the same concurrency key."""

    owner: str
    name: str


class Waiting(NamedTuple):
    """A job that waits. ``key`` is None for one that waits for no other; ``limit`` counts itself."""

    job_id: str
    kind: str
    owner: str
    priority: int
    submitted: int
    key: Key | None
    limit: int

    @classmethod
    def of(cls, job: Job) -> Waiting:
        """The job."""
        key = Key(job.owner, job.concurrency_key) if job.concurrency_key else None
        return cls(
            job_id=job.job_id,
            kind=job.kind,
            owner=job.owner,
            priority=job.priority,
            submitted=instant(job.submit_time),
            key=key,
            limit=job.concurrency_limit,
        )


class JobQueues:
    """Who waits, by kind, and how often each key is at work."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Waiting, _Line, _Group]] = {}
        self._kinds: dict[str, Sorted[tuple[int, int, str]]] = {}
        self._lines: dict[tuple[str, int, str], _Line] = {}
        self._keyed: dict[tuple[Key, int], dict[_Group, _Line]] = {}
        self._at_work: defaultdict[Key, int] = defaultdict(int)
        self._turns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._waiting

    def add(self, job: Waiting) -> None:
        """The job waits. One that waits already keeps its place."""
        if job.job_id in self._waiting:
            return
        line = self._line(job)
        group = line.groups.get((job.key, job.limit))
        if group is None:
            group = line.groups[job.key, job.limit] = _Group(is_open=self.has_room(job.key, job.limit))
            if job.key is not None:
                self._keyed.setdefault((job.key, job.limit), {})[group] = line
        self._waiting[job.job_id] = job, line, group
        self._hide(line, group)
        group.jobs.add((job.submitted, job.job_id))
        self._show(line, group)

    def remove(self, job_id: str) -> None:
        """The job does not wait any more, if it did."""
        found = self._waiting.pop(job_id, None)
        if found is None:
            return
        job, line, group = found
        self._hide(line, group)
        group.jobs.discard((job.submitted, job_id))
        self._show(line, group)
        if not group.jobs:
            self._forget(job, line, group)

    def take(self, kind: str) -> Waiting | None:
        """Takes out the job of the kind whose turn it is; None where there is none that may start."""
        order = self._kinds.get(kind)
        if order is None:
            return None
        priority, _, owner = order.first()
        line = self._lines[kind, -priority, owner]
        job_id = line.open.first()[1]
        job = self._waiting[job_id][0]
        self._withdraw(line)
        self._turns += 1
        line.turn = self._turns
        self._offer(line)
        self.remove(job_id)
        return job

    def has_room(self, key: Key | None, limit: int) -> bool:
        """Whether a job that allows so many of the key at work may join them."""
        return key is None or self._at_work.get(key, 0) < limit

    def occupy(self, key: Key) -> None:
        """One more job of the key is at work."""
        self._at_work[key] += 1
        for group, line in self._groups(key, self._at_work[key]):
            self._hide(line, group)
            group.is_open = False

    def vacate(self, key: Key) -> set[str]:
        """One fewer is. Returns the kinds of which a job may start now that might not before."""
        left = self._at_work[key]
        if left == 1:
            del self._at_work[key]
        else:
            self._at_work[key] -= 1
        kinds = set()
        for group, line in self._groups(key, left):
            group.is_open = True
            self._show(line, group)
            kinds.add(line.kind)
        return kinds

    def _groups(self, key: Key, limit: int) -> Iterable[tuple[_Group, _Line]]:
        """Those that may start below just that many."""
        return self._keyed.get((key, limit), {}).items()

    def _line(self, job: Waiting) -> _Line:
        name = job.kind, job.priority, job.owner
        line = self._lines.get(name)
        if line is None:
            self._turns += 1
            line = self._lines[name] = _Line(*name, turn=self._turns)
        return line

    def _forget(self, job: Waiting, line: _Line, group: _Group) -> None:
        del line.groups[job.key, job.limit]
        if not line.groups:
            del self._lines[line.kind, line.priority, line.owner]
        if job.key is not None:
            groups = self._keyed[job.key, job.limit]
            del groups[group]
            if not groups:
                del self._keyed[job.key, job.limit]

    # A group is shown in its line by its first job, a line in its kind by its turn; each only while it may be taken.

    def _show(self, line: _Line, group: _Group) -> None:
        if group.is_open and group.jobs:
            self._withdraw(line)
            line.open.add(group.jobs.first())
            self._offer(line)

    def _hide(self, line: _Line, group: _Group) -> None:
        if group.is_open and group.jobs:
            self._withdraw(line)
            line.open.discard(group.jobs.first())
            self._offer(line)

    def _offer(self, line: _Line) -> None:
        if line.open:
            self._kinds.setdefault(line.kind, Sorted()).add(line.place)

    def _withdraw(self, line: _Line) -> None:
        if line.open:
            order = self._kinds[line.kind]
            order.discard(line.place)
            if not order:
                del self._kinds[line.kind]


@dataclass(slots=True, eq=False)
class _Group:
    """Jobs of a line that may start under the same condition, so that only the first of them matters."""

    is_open: bool
    jobs: Sorted[tuple[int, str]] = field(default_factory=Sorted)


@dataclass(slots=True, eq=False)
class _Line:
    """What an owner has waiting of a kind and a priority. The owner with the lowest ``turn`` is next."""

    kind: str
    priority: int
    owner: str
    turn: int
    groups: dict[tuple[Key | None, int], _Group] = field(default_factory=dict)
    open: Sorted[tuple[int, str]] = field(default_factory=Sorted)

    @property
    def place(self) -> tuple[int, int, str]:
        """Among the lines of its kind."""
        return -self.priority, self.turn, self.owner
