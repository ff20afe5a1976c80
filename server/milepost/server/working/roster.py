"""The workers that are connected: those of this node, and what the other nodes tell of theirs.

Nobody need know tomorrow who is connected today, so this is kept in memory, and travels between nodes outside the log
(``Presence``). What another node tells expires unless it is told again, since a node may end without a word.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from milepost.contract import limits
from milepost.server.clock import Clock
from milepost.server.instants import instant, timestamp
from milepost.server.log.presence import Alone, Presence
from milepost.server.working.session import Session
from milepost.v1 import ConnectedWorker

# How long changes are gathered before anybody hears of them, in seconds: a worker that reconnects leaves and comes.
_GATHER = 0.1

# How long a worker of another node counts as connected after that node told of it last, in seconds.
_EXPIRY = 3 * limits.WORKERS_INTERVAL


class Roster:
    """Counts the connected workers by kind, and lists them.

    ``node`` is what this node is called. ``grace``, in seconds, is how long after a start or a reconnection it takes
    workers that are missing to be about to connect; with 0 it never does.
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
        self._kinds: Counter[str] = Counter()
        self._others: Presence = Alone()
        self._listeners: list[Callable[[], None]] = []
        self._changed: dict[str, None] = {}
        self._telling: asyncio.TimerHandle | None = None

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many connected workers take each kind; kinds that none takes are not in it."""
        return self._kinds

    @property
    def is_complete(self) -> bool:
        """Whether all workers that are there have had the time to connect."""
        return not self._in_grace

    def follow(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` soon after ``kinds`` or ``is_complete`` has changed."""
        self._listeners.append(listener)

    def listed(self, kind: str = "") -> list[ConnectedWorker]:
        """The workers that take this kind, or all, by ``worker_id`` and ``session_id``."""
        workers = [*map(self._worker, self._here.values()), *self._elsewhere.values()]
        found = (worker for worker in workers if not kind or kind in worker.kinds)
        return sorted(found, key=lambda worker: (worker.worker_id, worker.session_id))

    # The node's life.

    def start(self, others: Presence) -> None:
        """Workers can connect from now on, and other nodes are told of them."""
        self._others = others
        self.reconnected()

    def cut_off(self) -> None:
        """The other nodes cannot be heard. Their workers are taken to be where they were."""
        if self._grace_ends is not None:
            self._grace_ends.cancel()
            self._grace_ends = None
        self._in_grace = self._grace > 0
        self._tell_soon()

    def reconnected(self) -> None:
        """The other nodes can be heard, or workers can connect, as of now."""
        self.cut_off()
        until = self._clock.monotonic() + _EXPIRY
        self._expires = dict.fromkeys(self._expires, until)
        if self._in_grace:
            self._grace_ends = asyncio.get_running_loop().call_later(self._grace, self._end_grace)
        self._others.ask()

    def close(self) -> None:
        """Tells the other nodes that the workers of this one have left, and nobody anything from then on."""
        for timer in (self._grace_ends, self._telling):
            if timer is not None:
                timer.cancel()
        self._others.workers((), list(self._here))
        self._others = Alone()
        self._listeners.clear()

    # Workers of this node.

    def add(self, session: Session) -> None:
        """A worker connected here."""
        self._here[session.session_id] = session
        self._count(session.kinds, 1)
        self._drop(self._instances.get(session.instance, ""))  # it has left the node where it was
        self.changed(session)

    def remove(self, session: Session) -> None:
        """A worker left."""
        if self._here.pop(session.session_id, None) is not None:
            self._count(session.kinds, -1)
            self.changed(session)

    def changed(self, session: Session) -> None:
        """Other nodes are to hear of the worker."""
        self._changed[session.session_id] = None
        self._tell_soon()

    # What other nodes say; see ``Presence``.

    def workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """Takes in what another node tells of its workers."""
        until = self._clock.monotonic() + _EXPIRY
        for worker in connected:
            before = self._elsewhere.get(self._instances.get(worker.instance, ""))
            if before is not None and before.session_id != worker.session_id:
                if instant(before.connect_time) > instant(worker.connect_time):
                    continue  # it has left that node, which has yet to notice
                self._drop(before.session_id)
            self._drop(worker.session_id)
            self._elsewhere[worker.session_id] = worker
            self._expires[worker.session_id] = until
            if worker.instance:
                self._instances[worker.instance] = worker.session_id
            self._count(worker.kinds, 1)
        for session_id in left:
            self._drop(session_id)
        self._tell_soon()

    def ask(self) -> None:
        """Tells the other nodes who is connected here. Forgets whom they have not told of for too long."""
        now = self._clock.monotonic()
        for session_id in [session_id for session_id, until in self._expires.items() if until <= now]:
            self._drop(session_id)
            self._tell_soon()
        self._others.workers([self._worker(session) for session in self._here.values()], ())

    def _drop(self, session_id: str) -> None:
        worker = self._elsewhere.pop(session_id, None)
        if worker is not None:
            del self._expires[session_id]
            if self._instances.get(worker.instance) == session_id:
                del self._instances[worker.instance]
            self._count(worker.kinds, -1)

    # Telling.

    def _end_grace(self) -> None:
        self._grace_ends = None
        self._in_grace = False
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_GATHER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        changed, self._changed = self._changed, {}
        here = [self._here[session_id] for session_id in changed if session_id in self._here]
        left = [session_id for session_id in changed if session_id not in self._here]
        if changed:
            self._others.workers([self._worker(session) for session in here], left)
        for listener in self._listeners:
            listener()

    def _count(self, kinds: Sequence[str], by: int) -> None:
        for kind in kinds:
            self._kinds[kind] += by
            if not self._kinds[kind]:
                del self._kinds[kind]

    def _worker(self, session: Session) -> ConnectedWorker:
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
        )
