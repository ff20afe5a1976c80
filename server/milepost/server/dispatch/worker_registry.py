"""The connected workers of all nodes.

This is soft state: it lives in memory, and nodes exchange it outside the log (``Presence``). What another node reported
expires unless that node reports it again, since a node may crash.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import chain, islice
from typing import Final, NamedTuple

from milepost.contract import limits
from milepost.server.base.clock import Clock
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.node_presence import NoPeers, Presence
from milepost.server.messages.timestamps import instant, timestamp
from milepost.v1 import ConnectedWorker

# Debounce of change notifications, in seconds: a worker that reconnects leaves and comes back within a moment.
_DEBOUNCE = 0.1

REPORTED_PER_PASS: Final = 50
"""Workers that are reported to other nodes in one pass of the event loop: each is made a message."""

# How long a worker of another node counts as connected after that node's last report of it, in seconds.
_EXPIRY = 3 * limits.WORKERS_INTERVAL


class Taken(NamedTuple):
    """Jobs that some worker takes: of this kind, and of these owners; None for all."""

    kind: str
    owners: frozenset[str] | None

    def concerns(self, owner: str) -> bool:
        """Whether jobs of the owner are among them."""
        return self.owners is None or owner in self.owners


class WorkerCapacity(NamedTuple):
    """The number of jobs that workers can run at once, and the number that they run."""

    slots: int
    busy: int
    job_ids: Sequence[str]
    """Of the jobs that they run; not all where there are many."""


_CAPACITY_JOBS: Final = 1000
"""Jobs that a ``WorkerCapacity`` names; of ten thousand workers it would name a million."""


class WorkerRegistry:
    """Counts the connected workers by the kinds and owners of the jobs that they take, and lists them.

    ``node`` is this node's name for people. ``grace`` is the time in seconds, after a start or a reconnection, in which
    missing workers may still be reconnecting; 0 for none.
    """

    def __init__(self, clock: Clock, *, node: str = "", grace: float = 0.0) -> None:
        self._clock = clock
        self._node = node
        self._grace = grace
        self._in_grace = grace > 0
        self._grace_ends: asyncio.TimerHandle | None = None
        self._here: dict[str, Session] = {}
        self._elsewhere: dict[str, ConnectedWorker] = {}
        self._expires: dict[str, float] = {}
        self._instances: dict[str, str] = {}
        self._taken: dict[str, Counter[frozenset[str] | None]] = {}
        # What workers began or ceased to take since ``take_changes``.
        self._toggled: dict[Taken, None] = {}
        self.revision = 0
        """Grows with each change of ``taken``."""
        self._peers: Presence = NoPeers()
        self._listeners: list[Callable[[], None]] = []
        self._changed: dict[str, None] = {}
        self._notifying: asyncio.TimerHandle | None = None

    def count(self, kind: str, owner: str) -> int:
        """The number of connected workers that take jobs of this kind and owner."""
        if kind not in self._taken:
            return 0
        return sum(
            number for owners, number in self._taken[kind].items() if Taken(kind, owners).concerns(owner)
        )

    def takers(self, kind: str) -> int:
        """The number of connected workers, of all nodes, that take jobs of this kind, of whichever owners."""
        return sum(self._taken.get(kind, {}).values())

    @property
    def here(self) -> Collection[Session]:
        """The workers that are connected to this node."""
        return self._here.values()

    def capacity(self, kind: str, owner: str) -> WorkerCapacity:
        """The capacity of the connected workers that take jobs of this kind and owner. It looks at all workers."""
        slots = busy = 0
        job_ids: list[str] = []
        for session in self._here.values():
            owners = session.principal.dispatched_owners
            if kind in session.kinds and Taken(kind, owners).concerns(owner):
                slots += session.max_concurrency
                busy += len(session.jobs)
                job_ids += islice(session.jobs, _room(job_ids))
        for worker in self._elsewhere.values():
            if kind in worker.kinds and Taken(kind, _owners(worker)).concerns(owner):
                slots += worker.max_concurrency
                busy += worker.job_count
                job_ids += islice(worker.job_ids, _room(job_ids))
        return WorkerCapacity(slots, busy, job_ids)

    def taken(self) -> Iterator[Taken]:
        """The kinds and owners that the connected workers take; each pair once."""
        for kind, counts in self._taken.items():
            for owners in counts:
                yield Taken(kind, owners)

    def take_changes(self) -> list[Taken]:
        """The kinds and owners that workers began or ceased to take since the previous call."""
        toggled, self._toggled = self._toggled, {}
        return list(toggled)

    @property
    def is_complete(self) -> bool:
        """Whether the grace period is over, so that a worker that is missing is gone."""
        return not self._in_grace

    def add_change_listener(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` soon after ``count`` or ``is_complete`` has changed."""
        self._listeners.append(listener)

    def listed(
        self, kind: str = "", after: tuple[str, str] | None = None, limit: int = 1 << 30
    ) -> list[ConnectedWorker]:
        """The first ``limit`` workers that take this kind, or of all, after one with these two ids.

        They are in the order of ``worker_id`` and ``session_id``. Others become no messages: there may be thousands.
        """
        every: Iterator[Session | ConnectedWorker] = chain(self._here.values(), self._elsewhere.values())
        found = (
            worker
            for worker in every
            if (not kind or kind in worker.kinds) and (after is None or _key(worker) > after)
        )
        return [
            self._worker(each) if isinstance(each, Session) else each
            for each in nsmallest(limit, found, key=_key)
        ]

    # Lifecycle.

    def start(self, others: Presence) -> None:
        """Begin the grace period, and exchange workers with ``others`` from now on."""
        self._peers = others
        self.reconnected()

    def cut_off(self) -> None:
        """The connection to the other nodes is lost; keep their workers as last reported."""
        if self._grace_ends is not None:
            self._grace_ends.cancel()
            self._grace_ends = None
        self._in_grace = self._grace > 0
        self._notify_soon()

    def reconnected(self) -> None:
        """The connection to the other nodes is up: begin the grace period again, and ask for their workers."""
        self.cut_off()
        until = self._clock.monotonic() + _EXPIRY
        self._expires = dict.fromkeys(self._expires, until)
        if self._in_grace:
            self._grace_ends = asyncio.get_running_loop().call_later(self._grace, self._end_grace)
        self._peers.request_workers()

    def close(self) -> None:
        """Report the workers of this node as gone, and notify nobody from then on."""
        for timer in (self._grace_ends, self._notifying):
            if timer is not None:
                timer.cancel()
        self._peers.update_workers((), list(self._here))
        self._peers = NoPeers()
        self._listeners.clear()

    # Workers of this node.

    def add(self, session: Session) -> None:
        """A worker connected here."""
        self._here[session.session_id] = session
        self._add(session.kinds, session.principal.dispatched_owners, 1)
        self._forget(self._instances.get(session.instance, ""))  # the worker has left its previous node
        self.changed(session)

    def remove(self, session: Session) -> None:
        """A worker left."""
        if self._here.pop(session.session_id, None) is not None:
            self._add(session.kinds, session.principal.dispatched_owners, -1)
            self.changed(session)

    def changed(self, session: Session) -> None:
        """Report the worker to the other nodes again."""
        self._changed[session.session_id] = None
        self._notify_soon()

    # Reports of other nodes; see ``Presence``.

    def update_workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """Merge another node's report of its workers."""
        until = self._clock.monotonic() + _EXPIRY
        for worker in connected:
            before = self._elsewhere.get(self._instances.get(worker.instance, ""))
            if before is not None and before.session_id != worker.session_id:
                if instant(before.connect_time) > instant(worker.connect_time):
                    continue  # the worker has left that node, which has not noticed yet
                self._forget(before.session_id)
            self._forget(worker.session_id)
            self._elsewhere[worker.session_id] = worker
            self._expires[worker.session_id] = until
            if worker.instance:
                self._instances[worker.instance] = worker.session_id
            self._add(worker.kinds, _owners(worker), 1)
        for session_id in left:
            self._forget(session_id)
        self._notify_soon()

    def request_workers(self) -> None:
        """Report all workers of this node, and forget those of other nodes whose reports have expired."""
        now = self._clock.monotonic()
        for session_id in [session_id for session_id, until in self._expires.items() if until <= now]:
            self._forget(session_id)
            self._notify_soon()
        self._changed.update(dict.fromkeys(self._here))
        self._report_changed()

    def _forget(self, session_id: str) -> None:
        worker = self._elsewhere.pop(session_id, None)
        if worker is not None:
            del self._expires[session_id]
            if self._instances.get(worker.instance) == session_id:
                del self._instances[worker.instance]
            self._add(worker.kinds, _owners(worker), -1)

    # Notifications.

    def _end_grace(self) -> None:
        self._grace_ends = None
        self._in_grace = False
        self._notify_soon()

    def _notify_soon(self) -> None:
        if self._notifying is None:
            self._notifying = asyncio.get_running_loop().call_later(_DEBOUNCE, self._notify)

    def _notify(self) -> None:
        self._notifying = None
        self._report_changed()
        for listener in self._listeners:
            listener()

    def _report_changed(self) -> None:
        """Report some of the workers that have changed to the other nodes, and the rest in the next passes."""
        changed = list(islice(self._changed, REPORTED_PER_PASS))
        for session_id in changed:
            del self._changed[session_id]
        here = [self._here[session_id] for session_id in changed if session_id in self._here]
        left = [session_id for session_id in changed if session_id not in self._here]
        if changed:
            self._peers.update_workers([self._worker(session) for session in here], left)
        if self._changed:
            asyncio.get_running_loop().call_soon(self._report_changed)

    def _add(self, kinds: Sequence[str], owners: frozenset[str] | None, number: int) -> None:
        for kind in kinds:
            counts = self._taken.setdefault(kind, Counter())
            before = counts[owners]
            counts[owners] += number
            if before and counts[owners]:
                continue
            self.revision += 1
            toggled = Taken(kind, owners)
            if toggled in self._toggled:
                del self._toggled[toggled]
            else:
                self._toggled[toggled] = None
            if before:
                del counts[owners]
            if not counts:
                del self._taken[kind]

    def _worker(self, session: Session) -> ConnectedWorker:
        owners = session.principal.dispatched_owners
        return ConnectedWorker(
            worker_id=session.worker_id,
            session_id=session.session_id,
            instance=session.instance,
            peer=session.peer,
            node=self._node,
            sdk=session.sdk,
            kinds=session.kinds,
            max_concurrency=session.max_concurrency,
            job_count=len(session.jobs),
            job_ids=sorted(session.jobs)[: limits.WORKER_JOB_IDS],
            connect_time=timestamp(session.connected_at),
            last_heard_time=timestamp(session.heard_at),
            owners=sorted(owners or ()),
            owners_limited=owners is not None,
        )


def _key(worker: Session | ConnectedWorker) -> tuple[str, str]:
    return worker.worker_id, worker.session_id


def _room(job_ids: Sequence[str]) -> int:
    return min(limits.WORKER_JOB_IDS, _CAPACITY_JOBS - len(job_ids))


def _owners(worker: ConnectedWorker) -> frozenset[str] | None:
    return frozenset(worker.owners) if worker.owners_limited else None
