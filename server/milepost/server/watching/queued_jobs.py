"""Watched jobs that are QUEUED: what each waits for, and which watches to wake when that changes."""

from __future__ import annotations

from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.log.event_log import EventLog
from milepost.server.watching.tails import Tail
from milepost.v1 import Dispatch, Waiting, WaitingFor


class QueuedJobs:
    """Wakes the watches of queued jobs whose reason for waiting has changed, and no others."""

    def __init__(self, waits: WaitReasons) -> None:
        self._waits = waits
        # A dict and no set, whose order would differ from run to run.
        self._tails: dict[str, dict[Tail, None]] = {}
        # By kind, the reason that watches of its jobs have sent, or will send before they wait.
        self._reasons: dict[str, WaitingFor.ValueType] = {}

    async def waiting(self, tail: Tail, job_id: str, log: EventLog) -> Waiting | None:
        """What the job of the tail waits for; None if it is not QUEUED."""
        if not tail.queued:
            return None
        if not tail.kind:
            stored = await log.load(job_id)
            if stored is None:  # deleted meanwhile
                return None
            tail.set_queue(stored.job.kind, stored.job.dispatch)
        waiting = self._waits.of(tail.kind, tail.dispatch)
        if tail.dispatch != Dispatch.DISPATCH_EXTERNAL:
            self._tails.setdefault(tail.kind, {})[tail] = None
            self._reasons.setdefault(tail.kind, waiting.waiting_for)
        return waiting

    def refresh(self) -> None:
        """Wake watches whose reason has changed: workers connected or left, or the grace period is over."""
        for kind, tails in list(self._tails.items()):
            for tail in [tail for tail in tails if not tail.queued or not tail.watchers]:
                del tails[tail]
            if not tails:
                del self._tails[kind], self._reasons[kind]
                continue
            reason = self._waits.reason(kind, Dispatch.DISPATCH_QUEUE)
            if reason != self._reasons[kind]:
                self._reasons[kind] = reason
                for tail in tails:
                    tail.signal.notify()
