"""Watched jobs that are QUEUED: what each waits for, and which watches to wake when that changes."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from milepost.server.dispatch.nearest_names import nearest
from milepost.server.dispatch.wait_reasons import WITHOUT_WORKER, Queue, WaitReasons, kinds_for
from milepost.server.dispatch.worker_registry import Taken
from milepost.server.log.event_log import EventLog
from milepost.server.watching.tails import Tail
from milepost.v1 import Dispatch, Waiting, WaitingFor

COMPARISONS_LIMIT: Final = 10_000
"""Comparisons of a kind that workers began or ceased to take with one that watched jobs wait for, at each change of the
workers. One takes a few microseconds. Watches of further kinds hear of a nearer one with their next status."""


class QueuedJobs:
    """Wakes the watches of queued jobs for which the coming and going of workers has changed what they say."""

    def __init__(self, waits: WaitReasons) -> None:
        self._waits = waits
        # A dict and no set, whose order would differ from run to run.
        self._tails: dict[Queue, dict[Tail, None]] = {}
        # The reason that watches of a queue have sent, or will send before they wait.
        self._reasons: dict[Queue, WaitingFor.ValueType] = {}
        # As of the last ``refresh``.
        self._taken: AbstractSet[Taken] = frozenset()

    async def waiting(self, tail: Tail, job_id: str, log: EventLog, caller: str) -> Waiting | None:
        """What the job of the tail waits for; None if it is not QUEUED."""
        if not tail.queued:
            return None
        if tail.queue is None:
            stored = await log.load(job_id, caller=caller)
            if stored is None:  # deleted meanwhile
                return None
            tail.queue = Queue.of(stored.job)
        queue = tail.queue
        waiting = self._waits.of(queue)
        if queue.dispatch != Dispatch.DISPATCH_EXTERNAL:
            self._tails.setdefault(queue, {})[tail] = None
            self._reasons.setdefault(queue, waiting.waiting_for)
        return waiting

    def refresh(self) -> None:
        """Wake watches that have to say something else: workers connected or left, or the grace period is over."""
        taken = self._waits.taken()
        changed, self._taken = sorted(taken ^ self._taken, key=lambda each: each.kind), taken
        comparisons = COMPARISONS_LIMIT
        for queue, tails in list(self._tails.items()):
            for tail in [tail for tail in tails if not tail.queued or not tail.watchers]:
                del tails[tail]
            if not tails:
                del self._tails[queue], self._reasons[queue]
                continue
            reason, before = self._waits.reason(queue), self._reasons[queue]
            is_changed = reason != before
            if not is_changed and reason in WITHOUT_WORKER and changed and comparisons >= len(changed):
                comparisons -= len(changed)
                is_changed = bool(nearest(queue.kind, kinds_for(queue.owner, changed), 1))
            if is_changed:
                self._reasons[queue] = reason
                for tail in tails:
                    tail.signal.notify()
