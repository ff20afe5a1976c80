"""Deduplication of the events of many jobs across streams that overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from milepost.v1 import Event, Job

__all__ = ["Deduplicator"]

# Jobs per generation. An event can repeat only if a broken stream lagged its server by more matching jobs than this.
_GENERATION_SIZE: Final = 10_000
# Positions after a listing by which the commits of its jobs have surely arrived. A listing may contain a few commits
# that the server's position did not include yet.
_LISTING_SLACK: Final = 10_000


class _Received(NamedTuple):
    """The last event received of a job; its epoch, if known, tells it from another one with the same id."""

    sequence: int
    epoch: str | None = None


class Deduplicator:
    """Decides which jobs and events are new, by the last sequence received of each job.

    It keeps two generations and drops the older one when a newer one begins: recent entries stay for a while, and
    memory is bounded. While it retains all it drops nothing.
    """

    def __init__(self) -> None:
        self._retains_all = False
        self._newer: dict[str, _Received] = {}
        self._older: dict[str, _Received] = {}
        self._expires_after: int | None = None

    def retain_all(self, retains_all: bool) -> None:
        """Start or stop retaining every entry, as during an initial list, which starts over if its stream breaks."""
        self._retains_all = retains_all

    @property
    def is_empty(self) -> bool:
        """Whether it has no entries."""
        return not self._newer and not self._older

    @property
    def jobs(self) -> Sequence[str]:
        """The jobs that have an entry."""
        return [*self._newer, *(job_id for job_id in self._older if job_id not in self._newer)]

    def record_job(self, job: Job) -> bool:
        """Record the state of a job; return whether it is new."""
        previous = self._find(job.job_id)
        received = _Received(job.last_sequence, job.epoch)
        self._newer[job.job_id] = received
        if not self._retains_all and len(self._newer) > _GENERATION_SIZE:
            self._start_generation()
        return previous not in (received, _Received(received.sequence))

    def record_events(self, events: Sequence[Event]) -> Sequence[Event]:
        """Record events; return those that are new."""
        if self.is_empty and not self._retains_all:
            return events
        return [event for event in events if self._record_event(event)]

    def forget(self, job_id: str) -> None:
        """Drop the entry of a job that is deleted, or whose earlier events cannot repeat any more."""
        self._newer.pop(job_id, None)
        self._older.pop(job_id, None)

    def expire_after(self, position: int) -> None:
        """Drop the entries recorded so far once the stream is safely past `position`."""
        if not self._retains_all:
            self._start_generation()
            self._expires_after = position + _LISTING_SLACK

    def advance(self, position: int) -> None:
        """Note that every event up to `position` has been received."""
        if self._expires_after is not None and position > self._expires_after and not self._retains_all:
            self._older, self._expires_after = {}, None

    def clear(self) -> None:
        """Drop everything, for a stream that starts over."""
        self._newer, self._older, self._expires_after, self._retains_all = {}, {}, None, False

    def _record_event(self, event: Event) -> bool:
        previous = self._find(event.job_id)
        if previous is not None and event.sequence <= previous.sequence:
            return False
        if self._retains_all:
            epoch = None if previous is None else previous.epoch
            self._newer[event.job_id] = _Received(event.sequence, epoch)
        elif previous is not None:  # a stream resumed after this position does not repeat earlier events
            self.forget(event.job_id)
        return True

    def _find(self, job_id: str) -> _Received | None:
        return self._newer.get(job_id) or self._older.get(job_id)

    def _start_generation(self) -> None:
        self._older, self._newer, self._expires_after = self._newer, {}, None
