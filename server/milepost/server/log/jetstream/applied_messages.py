"""The applied messages of the stream, as the event loop knows them."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Final

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.listeners import Listeners
from milepost.server.log.deliveries import ENTRY_STEPS, Deliveries, entry_steps
from milepost.server.log.event_log import Entry
from milepost.server.log.jetstream.applied_sequence import AppliedSequence
from milepost.server.log.jetstream.applier import AppliedMessage, JobHead
from milepost.server.log.jetstream.backlog import Backlog
from milepost.server.log.jetstream.job_publisher import PublishedMessage
from milepost.server.scheduling.steps import Steps

HEADS_BYTES: Final = 8 << 20
"""Bound of the memory of jobs' heads; the projection has all of them."""

# Measured bytes of a head, with its key.
_HEAD_SIZE: Final = 400


class AppliedMessages:
    """Notifies listeners and publishers of what was applied, in slices. Bound to the running event loop.

    ``sent`` are the messages of this node that it has not read back yet, by name; ``backlog`` counts what was read and
    not resolved yet; ``on_unpurged`` is called with a deleted job and the message before which to purge its messages.

    Attributes:
        position: That of the newest entry that listeners know of.
        sequence: That of the newest message.
    """

    def __init__(
        self,
        sent: MutableMapping[bytes, PublishedMessage],
        backlog: Backlog,
        on_unpurged: Callable[[str, int], None],
    ) -> None:
        self._sent = sent
        self._backlog = backlog
        self._on_unpurged = on_unpurged
        self._listeners: Listeners[Sequence[Entry]] = Listeners()
        self._heads: SizedCache[str, JobHead] = SizedCache(HEADS_BYTES)
        self._deliveries: Deliveries[AppliedMessage] = Deliveries(_steps, self._resolve)
        self.position = 0
        self.sequence = AppliedSequence()

    def add_listener(self, listener: Callable[[Sequence[Entry]], None]) -> None:
        """See ``EventLog``."""
        self._listeners.add(listener)

    def put(self, group: Sequence[AppliedMessage]) -> None:
        """Enqueue the messages that a transaction has applied."""
        self._deliveries.put(group)

    def flush(self) -> None:
        """Notify of all enqueued messages."""
        self._deliveries.flush()

    def head(self, job_id: str) -> JobHead | None:
        """The end of the job's log, if it is known."""
        return self._heads.get(job_id)

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of heads."""
        return self._heads.evict_idle()

    def _resolve(self, group: Sequence[AppliedMessage]) -> None:
        entries = [entry for applied in group for entry in applied.entries]
        for applied in group:
            self._backlog.remove(applied.delivered.size)
            job_id = applied.delivered.job_id
            if job_id:
                self._heads.put(job_id, applied.head, _HEAD_SIZE)
        if entries:
            self.position = entries[-1].position
            self._listeners.notify(entries)
        for applied in group:
            if applied.is_unpurged:
                self._on_unpurged(applied.delivered.job_id, applied.delivered.sequence)
            message = self._sent.pop(applied.delivered.name, None)
            if message is not None and not message.applied.done():
                message.applied.set_result(applied)
        self.sequence.advance(group[-1].delivered.sequence)


def _steps(applied: AppliedMessage) -> int:
    return ENTRY_STEPS + sum(map(entry_steps, applied.entries))
