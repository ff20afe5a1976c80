"""What a job has to say, until the server has it: numbered, thinned and bounded. Knows nothing of transport.

Handlers add to it from any thread and never wait (rule 15). The session takes from it, tells it what has been
acknowledged, and after a lost connection has it go back to there (rule 11).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from milepost.contract.limits import KIB, MIB, REQUEST_SIZE
from milepost.v1 import LogWritten, Severity, Update

__all__ = ["Batch", "Reporter", "Source"]

# Of one Report.
_BATCH_COUNT: Final = 500
_BATCH_SIZE: Final = 1 * MIB - 64 * KIB
# Of one update, with room for what is around it. A message above the bound would end the session, and again the next.
_UPDATE_SIZE: Final = REQUEST_SIZE - 64 * KIB
# Sent and not acknowledged: beyond it, what waits stays where it can still be thinned.
_WINDOW_COUNT: Final = 5_000
_WINDOW_SIZE: Final = 8 * MIB
# Waiting to be sent. Logs and custom events are refused at the bound; what tells how the job stands at twice that.
_WAITING_COUNT: Final = 50_000
_WAITING_SIZE: Final = 16 * MIB
# Progress is sent at once while no more than this waits; else with the next tick.
_FLOWING: Final = 100
# Seconds between two looks at the progress of the stages.
_TICK: Final = 0.1


class Source(Protocol):
    """A stage whose progress is asked for when it is time, rather than told each time that it changes."""

    def progress(self) -> Update | None:
        """What it has to say now, if anything. Called with the reporter's lock held."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Updates to send as one report.

    Attributes:
        first: The number of the first; the others follow.
        updates: At least one.
    """

    first: int
    updates: list[Update]


class Reporter:
    """The updates of one attempt, in order.

    Attributes:
        lock: Held while anything here, or in a source, changes. It can be entered again, since a finalizer that logs
            may run at any moment, in the very thread that has it.
        acknowledged: The last update that is durable at the server.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called, with the lock held and from any thread, when there is something to take again."""
        self.lock = threading.RLock()
        self.acknowledged = 0
        self._wake = wake
        self._awake = False
        self._waiting: deque[tuple[Update, int]] = deque()
        self._waiting_size = 0
        # Those after `acknowledged`, of which the first `_sent` were sent on this connection.
        self._numbered: deque[tuple[Update, int]] = deque()
        self._numbered_size = 0
        self._sent = 0
        self._sources: dict[Source, None] = {}
        self._next_tick = 0.0
        self._dropped = 0
        self._ended = False

    @classmethod
    def restored(cls, wake: Callable[[], None], rest: Batch) -> Reporter:
        """One that has ended earlier, and of which this is the `rest`."""
        reporter = cls(wake)
        reporter.acknowledged = rest.first - 1
        for update in rest.updates:
            size = update.ByteSize()
            reporter._numbered.append((update, size))
            reporter._numbered_size += size
        reporter._ended = True
        return reporter

    # For handlers, from any thread.

    def add(self, update: Update, *, droppable: bool = False) -> None:
        """Adds an update. One that is droppable is left out where too many wait, and counted."""
        with self.lock:
            self.put(update, droppable=droppable)

    def put(self, update: Update, *, droppable: bool = False) -> None:
        """The same, for one who holds the lock."""
        if self._ended:
            return
        size = update.ByteSize()
        if size > _UPDATE_SIZE:
            update = _notice(
                f"An update of {size:,} bytes was left out: at most {_UPDATE_SIZE:,} can be sent."
            )
            size = update.ByteSize()
        bound = 1 if droppable else 2
        if len(self._waiting) >= bound * _WAITING_COUNT or self._waiting_size + size > bound * _WAITING_SIZE:
            self._dropped += 1
            return
        self._say_what_was_dropped()
        self._append(update, size)

    def touch(self, source: Source) -> None:
        """Has `source` asked for its progress with the next tick. For one who holds the lock."""
        if not self._ended:
            self._sources[source] = None
            self._rouse()

    @property
    def flowing(self) -> bool:
        """Whether so little waits that progress need not."""
        return len(self._waiting) < _FLOWING

    def end(self, update: Update) -> None:
        """Adds the last update, which is never left out; nothing comes after it."""
        with self.lock:
            if self._ended:
                return
            self._ask_sources()
            self._say_what_was_dropped()
            self._append(update, update.ByteSize())
            self._ended = True

    def amend(self, update: Update) -> None:
        """Adds another last update, since the server has refused the one before."""
        with self.lock:
            self._append(update, update.ByteSize())

    def close(self) -> None:
        """Nothing more is to be said, and what was not said yet is forgotten."""
        with self.lock:
            self._ended = True
            self._waiting.clear()
            self._numbered.clear()
            self._waiting_size = self._numbered_size = self._sent = 0
            self._sources.clear()

    # For the session.

    @property
    def last(self) -> int:
        """The highest number that was given out."""
        return self.acknowledged + len(self._numbered)

    @property
    def has_ended(self) -> bool:
        """Whether the last update was added."""
        return self._ended

    @property
    def is_sent(self) -> bool:
        """Whether nothing waits to be sent."""
        return not (self._waiting or self._sources) and self._sent == len(self._numbered)

    @property
    def is_empty(self) -> bool:
        """Whether everything is sent and acknowledged."""
        return not (self._numbered or self._waiting or self._sources)

    def take(self, now: float) -> Batch | None:
        """The next updates to send, or None. They are kept until they are acknowledged.

        Args:
            now: In seconds, of a clock that only goes forward.
        """
        with self.lock:
            self._awake = False
            if self._sources and now >= self._next_tick:
                self._ask_sources()
                self._next_tick = now + _TICK
            self._number()
            first = self.acknowledged + self._sent + 1
            updates: list[Update] = []
            size = 0
            for update, update_size in islice(self._numbered, self._sent, self._sent + _BATCH_COUNT):
                if updates and size + update_size > _BATCH_SIZE:
                    break
                updates.append(update)
                size += update_size
            self._sent += len(updates)
            return Batch(first, updates) if updates else None

    def rest(self) -> Batch | None:
        """All that is not acknowledged, whether it was sent or not; None where there is nothing."""
        with self.lock:
            updates = [update for update, _ in (*self._numbered, *self._waiting)]
            return Batch(self.acknowledged + 1, updates) if updates else None

    def due(self, now: float) -> float | None:
        """In how many seconds to look again even if nobody wakes; None for not at all."""
        return max(self._next_tick - now, 0.0) if self._sources else None

    def acknowledge(self, number: int) -> None:
        """The update of this number and all before it are durable."""
        with self.lock:
            self._forget(min(number, self.acknowledged + self._sent))

    def rewind(self, acknowledged: int) -> bool:
        """Starts over after what the server has. False where that cannot be: what it lacks is not here any more."""
        with self.lock:
            if not self.acknowledged <= acknowledged <= self.last:
                return False
            self._forget(acknowledged)
            self._sent = 0
            return True

    # Within, with the lock held.

    def _append(self, update: Update, size: int) -> None:
        self._waiting.append((update, size))
        self._waiting_size += size
        self._rouse()

    def _rouse(self) -> None:
        if not self._awake:
            self._awake = True
            self._wake()

    def _ask_sources(self) -> None:
        sources, self._sources = self._sources, {}
        for source in sources:
            update = source.progress()
            if update is not None:
                size = update.ByteSize()
                self._waiting.append((update, size))
                self._waiting_size += size

    def _say_what_was_dropped(self) -> None:
        if self._dropped:
            notice = _notice(
                f"{self._dropped} updates were dropped here: they came faster than they could be sent."
            )
            self._dropped = 0
            self._append(notice, notice.ByteSize())

    def _number(self) -> None:
        """Gives numbers to what waits, as far as the window allows."""
        while self._waiting and len(self._numbered) < _WINDOW_COUNT and self._numbered_size < _WINDOW_SIZE:
            update, size = self._waiting.popleft()
            self._waiting_size -= size
            self._numbered.append((update, size))
            self._numbered_size += size

    def _forget(self, number: int) -> None:
        while self.acknowledged < number:
            _, size = self._numbered.popleft()
            self._numbered_size -= size
            self._sent = max(self._sent - 1, 0)
            self.acknowledged += 1


def _notice(text: str) -> Update:
    return Update(log_written=LogWritten(severity=Severity.SEVERITY_WARNING, text=text))
