"""Wait reasons of watched QUEUED jobs, and which watches to wake when one changes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import repeat
from typing import Final

from milepost.server.dispatch.nearest_names import nearest
from milepost.server.dispatch.wait_reasons import WITHOUT_WORKER, Queue, WaitReasons, kinds_for
from milepost.server.dispatch.worker_registry import Taken
from milepost.server.log.event_log import EventLog
from milepost.server.messages.timestamps import instant
from milepost.server.scheduling.steps import SLICE_STEPS, Steps, every
from milepost.server.watching.tails import Tail
from milepost.v1 import Dispatch, Waiting, WaitingFor

COMPARISONS_LIMIT: Final = 10_000
"""Comparisons of a kind that workers began or ceased to take with one that watched jobs wait for, at each change of the
workers. One takes a few microseconds. Watches of further kinds hear of a nearer one with their next status."""

_COMPARED_TOGETHER: Final = 100
_COMPARISON_STEPS: Final = 3


class QueuedJobs:
    """Wakes watches of queued jobs whose wait reason has changed."""

    def __init__(self, waits: WaitReasons) -> None:
        self._waits = waits
        # A dict instead of a set, whose order would differ from run to run.
        self._tails: dict[Queue, dict[Tail, None]] = {}
        # The reason that watches of a queue have sent, or will send before they wait.
        self._reasons: dict[Queue, WaitingFor.ValueType] = {}

    async def waiting(self, tail: Tail, job_id: str, log: EventLog, caller: str) -> Waiting | None:
        """Why the job of the tail is queued; None if it is not QUEUED. Raises what ``Tail.identify`` does."""
        if not tail.queued:
            return None
        if tail.queue is None:
            stored = await log.load(job_id, caller=caller)
            if stored is None:  # deleted meanwhile
                return None
            tail.identify(instant(stored.job.submit_time))
            tail.queue = Queue.of(stored.job)
        queue = tail.queue
        waiting = self._waits.of(queue)
        if queue.dispatch != Dispatch.DISPATCH_EXTERNAL:
            self._tails.setdefault(queue, {})[tail] = None
            self._reasons.setdefault(queue, waiting.waiting_for)
        return waiting

    def leave(self, tail: Tail) -> None:
        """A watch of the tail ends: hold the tail no longer if that is its last one, since workers may not change for
        days.
        """
        if tail.queue is not None and tail.watchers == 1:
            self._forget(tail.queue, tail)

    def refresh(self) -> Steps[None]:
        """Wake watches that have to say something else: workers connected or left, or the grace period is over."""
        yield from every(SLICE_STEPS, self._refresh())

    def _refresh(self) -> Iterator[None]:
        """Do as ``refresh``, in small steps. Another refresh may run in between."""
        changed = sorted(self._waits.take_changes(), key=lambda each: each.kind)
        comparisons = COMPARISONS_LIMIT
        for queue in list(self._tails):
            yield from self._drop_left(queue)
            reason, before = self._waits.reason(queue), self._reasons.get(queue)
            if before is None:
                continue
            is_changed = reason != before
            if not is_changed and reason in WITHOUT_WORKER and changed and comparisons >= len(changed):
                comparisons -= len(changed)
                is_changed = yield from _is_near(queue, changed)
            if is_changed and queue in self._reasons:
                self._reasons[queue] = reason
                for tail in list(self._tails[queue]):
                    tail.signal.notify()
                    yield

    def _drop_left(self, queue: Queue) -> Iterator[None]:
        """Forget the watches of jobs that left the queue, and those that have ended."""
        for tail in list(self._tails.get(queue, ())):
            if not tail.queued or not tail.watchers:
                self._forget(queue, tail)
            yield

    def _forget(self, queue: Queue, tail: Tail) -> None:
        tails = self._tails.get(queue, {})
        tails.pop(tail, None)
        if not tails and queue in self._tails:
            del self._tails[queue], self._reasons[queue]


def _is_near(queue: Queue, changed: Sequence[Taken]) -> Generator[None, None, bool]:
    """Whether a kind that workers began or ceased to take is among those nearest to the queue's."""
    for start in range(0, len(changed), _COMPARED_TOGETHER):
        some = changed[start : start + _COMPARED_TOGETHER]
        if nearest(queue.kind, kinds_for(queue.owner, some), 1):
            return True
        yield from repeat(None, _COMPARISON_STEPS * len(some))
    return False
