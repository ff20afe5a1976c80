"""Up to where jobs were shown ahead of their events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from milepost.v1 import Event, Job

__all__ = ["Deduplicator"]

# How many jobs that came to match are remembered at the least. A stream would have to be more of them behind its server
# when it breaks, for an event to come again.
_REMEMBERED: Final = 10_000
# A job may be listed with commits that the server's position did not count yet. These are few; this is many.
_SLACK: Final = 10_000


class _Shown(NamedTuple):
    """Up to which event a job was shown.

    ``submitted`` is when, where that is known: the id of a deleted job may be another one's by now.
    """

    sequence: int
    submitted: tuple[int, int] | None = None


class Deduplicator:
    """Tells what is new in what may come again.

    It remembers in two generations, of which the older one goes when a newer one begins: what was remembered last stays
    for a while, and memory is bounded. With ``keep_all`` everything is remembered, for as long as it is set.
    """

    def __init__(self) -> None:
        self.keep_all = False
        self._newer: dict[str, _Shown] = {}
        self._older: dict[str, _Shown] = {}
        self._settled: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not self._newer and not self._older

    @property
    def jobs(self) -> Sequence[str]:
        """Those that are remembered."""
        return [*self._newer, *(job_id for job_id in self._older if job_id not in self._newer)]

    def note(self, job: Job) -> bool:
        """The job came as it stands; whether that is new."""
        before = self._find(job.job_id)
        shown = _Shown(job.last_sequence, (job.submit_time.seconds, job.submit_time.nanos))
        self._newer[job.job_id] = shown
        if not self.keep_all and len(self._newer) > _REMEMBERED:
            self._turn()
        same = (shown, _Shown(shown.sequence))
        return before not in same

    def fresh(self, events: Sequence[Event]) -> Sequence[Event]:
        """Those of the events that are new."""
        if self.is_empty and not self.keep_all:
            return events
        return [event for event in events if self._is_fresh(event)]

    def forget(self, job_id: str) -> None:
        """The job is gone, or has gone on: it cannot come again."""
        self._newer.pop(job_id, None)
        self._older.pop(job_id, None)

    def settle(self, at: int) -> None:
        """What was shown lies before the position `at`, or a little after it: once that is passed, it may go."""
        if not self.keep_all:
            self._turn()
            self._settled = at + _SLACK

    def passed(self, position: int) -> None:
        """Everything up to the position has come."""
        if self._settled is not None and position > self._settled and not self.keep_all:
            self._older, self._settled = {}, None

    def clear(self) -> None:
        """Everything begins anew."""
        self._newer, self._older, self._settled, self.keep_all = {}, {}, None, False

    def _is_fresh(self, event: Event) -> bool:
        before = self._find(event.job_id)
        if before is not None and event.sequence <= before.sequence:
            return False
        if self.keep_all:
            submitted = None if before is None else before.submitted
            self._newer[event.job_id] = _Shown(event.sequence, submitted)
        elif before is not None:  # from the next position on, nothing before this event comes again
            self.forget(event.job_id)
        return True

    def _find(self, job_id: str) -> _Shown | None:
        return self._newer.get(job_id) or self._older.get(job_id)

    def _turn(self) -> None:
        self._older, self._newer, self._settled = self._newer, {}, None
