"""The buffer of a job's updates until the server has acknowledged them: numbered, thinned, bounded, without any I/O.

Handlers add updates from any thread and never wait (rule 15). The session sends batches, passes acknowledgements on,
and after a lost connection rewinds to the last acknowledged update (rule 11).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from milepost.client._transport import after_fork
from milepost.contract.limits import KIB, MIB, REQUEST_SIZE
from milepost.v1 import LogWritten, Severity, Update

__all__ = ["Batch", "ProgressSource", "Reporter"]

# Bounds of one Report.
_BATCH_COUNT_LIMIT: Final = 500
_BATCH_SIZE_LIMIT: Final = 1 * MIB - 64 * KIB
# Bound of one update; the rest of the message needs 64 KiB. A larger message would end the session, and each one after.
_UPDATE_SIZE_LIMIT: Final = REQUEST_SIZE - 64 * KIB
# Bounds of the updates in flight. Beyond them, updates wait unnumbered, where they can still be thinned.
_WINDOW_COUNT_LIMIT: Final = 5_000
_WINDOW_SIZE_LIMIT: Final = 8 * MIB
# Bounds of the waiting updates. Logs and custom events are dropped at the bound, other updates at twice that.
_WAITING_COUNT_LIMIT: Final = 50_000
_WAITING_SIZE_LIMIT: Final = 16 * MIB
# Below this number of waiting updates progress is sent at once, above it with the next tick.
_CONGESTION_COUNT: Final = 100
# Seconds between two polls of the progress of stages.
_TICK_INTERVAL: Final = 0.1
# Reports of progress between ticks: so many in a row, and so many a second. Each costs its worker about 0.2 ms.
_EARLY_REPORTS: Final = 20
_EARLY_REPORTS_PER_SECOND: Final = 20.0


ProgressSource: TypeAlias = Callable[[], Update | None]
"""Returns the progress of a stage that is not reported yet, if any. Called on a tick, with the reporter's lock held."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Updates to send as one report.

    Attributes:
        first: The number of the first update; the others follow.
        updates: At least one.
    """

    first: int
    updates: list[Update]


class Reporter:
    """The updates of one attempt, in order.

    Attributes:
        lock: Guards the reporter and its progress sources; another one in a forked child. Reentrant, since a finalizer
            that logs may run at any moment in the thread that holds it.
        acknowledged: The number of the last update that is durable at the server.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called when a batch is available again; with the lock held, from any thread."""
        self.lock = threading.RLock()
        self.acknowledged: int = 0
        self._wake = wake
        self._awake = False
        self._waiting: deque[tuple[Update, int]] = deque()
        self._waiting_size = 0
        # Updates after `acknowledged`; the first `_sent` of them were sent on this connection.
        self._numbered: deque[tuple[Update, int]] = deque()
        self._numbered_size = 0
        self._sent = 0
        self._sources: dict[ProgressSource, None] = {}
        self._next_tick = 0.0
        self._early_reports = float(_EARLY_REPORTS)
        self._early_reports_counted_at = 0.0
        self._dropped = 0
        self._ended = False
        after_fork.register(self)

    @classmethod
    def restored(cls, wake: Callable[[], None], unacknowledged: Batch) -> Reporter:
        """A reporter that has ended, with the updates that the server has not acknowledged."""
        reporter = cls(wake)
        reporter.acknowledged = unacknowledged.first - 1
        for update in unacknowledged.updates:
            size = update.ByteSize()
            reporter._numbered.append((update, size))
            reporter._numbered_size += size
        reporter._ended = True
        return reporter

    # For handlers; from any thread.

    def add(self, update: Update, *, droppable: bool = False) -> None:
        """Append an update. A droppable one is dropped, and counted, when too many wait."""
        with self.lock:
            self.add_locked(update, droppable=droppable)

    def add_locked(self, update: Update, *, droppable: bool = False) -> None:
        """`add`, for callers that hold the lock."""
        if self._ended:
            return
        size = update.ByteSize()
        if size > _UPDATE_SIZE_LIMIT:
            update = _notice(
                f"An update of {size:,} bytes was left out: at most {_UPDATE_SIZE_LIMIT:,} can be sent."
            )
            size = update.ByteSize()
        factor = 1 if droppable else 2
        if (
            len(self._waiting) >= factor * _WAITING_COUNT_LIMIT
            or self._waiting_size + size > factor * _WAITING_SIZE_LIMIT
        ):
            self._dropped += 1
            return
        self._report_dropped()
        self._append(update, size)

    def schedule_progress(self, source: ProgressSource) -> None:
        """Poll `source` with the next tick. For callers that hold the lock."""
        # A source that is known already waits for the tick.
        if not self._ended and source not in self._sources:
            self._sources[source] = None
            self._wake_once()

    @property
    def uncongested(self) -> bool:
        """Whether so few updates wait that progress can be sent at once."""
        return len(self._waiting) < _CONGESTION_COUNT

    def take_early_report(self) -> bool:
        """Whether progress may be reported before the next tick, and if so count it. For callers that hold the lock."""
        if not self.uncongested or self._early_reports < 1:
            return False
        self._early_reports -= 1
        return True

    def end(self, update: Update) -> None:
        """Append the last update, which is never dropped; later ones are ignored."""
        with self.lock:
            if self._ended:
                return
            self._poll_sources()
            self._report_dropped()
            self._append(update, update.ByteSize())
            self._ended = True

    def replace_end(self, update: Update) -> None:
        """Append another last update, after the server has refused the previous one."""
        with self.lock:
            self._append(update, update.ByteSize())

    def after_fork(self) -> None:
        """See `Inherited`: what a child reports is dropped, since its parent reports on the job."""
        self.lock = threading.RLock()
        self.close()

    def close(self) -> None:
        """End, discard all updates, and let go of whoever was woken for them."""
        with self.lock:
            self._ended = True
            self._wake = _wake_nobody
            self._waiting.clear()
            self._numbered.clear()
            self._waiting_size = self._numbered_size = self._sent = 0
            self._sources.clear()

    # For the session.

    @property
    def last(self) -> int:
        """The highest number in use."""
        return self.acknowledged + len(self._numbered)

    @property
    def has_ended(self) -> bool:
        """Whether the last update was appended."""
        return self._ended

    def is_end(self, number: int) -> bool:
        """Whether this is the number of the last update, which has none while it waits behind a full window."""
        return self._ended and not self._waiting and number == self.last

    @property
    def is_sent(self) -> bool:
        """Whether all updates were sent."""
        return not (self._waiting or self._sources) and self._sent == len(self._numbered)

    @property
    def size(self) -> int:
        """Bytes of the updates that were not acknowledged."""
        return self._numbered_size + self._waiting_size

    @property
    def is_empty(self) -> bool:
        """Whether all updates were acknowledged."""
        return not (self._numbered or self._waiting or self._sources)

    def next_batch(self, now: float) -> Batch | None:
        """The next updates to send, or None. They stay in the buffer until they are acknowledged.

        Args:
            now: Seconds of a monotonic clock.
        """
        with self.lock:
            self._awake = False
            self._refill_early_reports(now)
            if self._sources and now >= self._next_tick:
                self._poll_sources()
                self._next_tick = now + _TICK_INTERVAL
            self._number()
            first = self.acknowledged + self._sent + 1
            updates: list[Update] = []
            size = 0
            for update, update_size in islice(self._numbered, self._sent, self._sent + _BATCH_COUNT_LIMIT):
                if updates and size + update_size > _BATCH_SIZE_LIMIT:
                    break
                updates.append(update)
                size += update_size
            self._sent += len(updates)
            return Batch(first, updates) if updates else None

    def unacknowledged(self) -> Batch | None:
        """All updates that are not acknowledged, sent or not; None if there are none."""
        with self.lock:
            updates = [update for update, _ in (*self._numbered, *self._waiting)]
            return Batch(self.acknowledged + 1, updates) if updates else None

    def due(self, now: float) -> float | None:
        """Seconds until the next tick; None if no stage is scheduled."""
        return max(self._next_tick - now, 0.0) if self._sources else None

    def acknowledge(self, number: int) -> None:
        """Discard the update of this number and all before it: they are durable."""
        with self.lock:
            self._discard(min(number, self.acknowledged + self._sent))

    def rewind(self, acknowledged: int) -> bool:
        """Resend everything after `acknowledged`. False if that is impossible: an update is no longer here."""
        with self.lock:
            if not self.acknowledged <= acknowledged <= self.last:
                return False
            self._discard(acknowledged)
            self._sent = 0
            return True

    # Private; the lock is held.

    def _append(self, update: Update, size: int) -> None:
        self._waiting.append((update, size))
        self._waiting_size += size
        self._wake_once()

    def _wake_once(self) -> None:
        if not self._awake:
            self._awake = True
            self._wake()

    def _refill_early_reports(self, now: float) -> None:
        more = max(now - self._early_reports_counted_at, 0.0) * _EARLY_REPORTS_PER_SECOND
        self._early_reports = min(self._early_reports + more, _EARLY_REPORTS)
        self._early_reports_counted_at = now

    def _poll_sources(self) -> None:
        sources, self._sources = self._sources, {}
        for source in sources:
            update = source()
            if update is not None:
                size = update.ByteSize()
                self._waiting.append((update, size))
                self._waiting_size += size

    def _report_dropped(self) -> None:
        if self._dropped:
            notice = _notice(
                f"{self._dropped} updates were dropped here: they came faster than they could be sent."
            )
            self._dropped = 0
            self._append(notice, notice.ByteSize())

    def _number(self) -> None:
        """Number the waiting updates, as far as the window allows."""
        while (
            self._waiting
            and len(self._numbered) < _WINDOW_COUNT_LIMIT
            and self._numbered_size < _WINDOW_SIZE_LIMIT
        ):
            update, size = self._waiting.popleft()
            self._waiting_size -= size
            self._numbered.append((update, size))
            self._numbered_size += size

    def _discard(self, number: int) -> None:
        while self.acknowledged < number:
            _, size = self._numbered.popleft()
            self._numbered_size -= size
            self._sent = max(self._sent - 1, 0)
            self.acknowledged += 1


def _wake_nobody() -> None:
    pass


def _notice(text: str) -> Update:
    return Update(log_written=LogWritten(severity=Severity.SEVERITY_WARNING, text=text))
