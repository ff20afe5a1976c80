"""The log that subscribers should have seen."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from milepost.fold import Fold
from milepost.v1 import Event, Job, JobFilter, WatchJobsResponse

__all__ = ["Commit", "EventView", "History", "Key", "key"]


class Key(NamedTuple):
    """The identity of an event."""

    job_id: str
    sequence: int


def key(event: Event) -> Key:
    """The key of an event."""
    return Key(event.job_id, event.sequence)


class Commit(NamedTuple):
    """Events that became durable together.

    ``before`` and ``after`` are the job's states, ``job`` is the job as submitted.
    """

    position: int
    events: tuple[Event, ...]
    job: Job
    before: int
    after: int


def _every(_: object) -> bool:
    return True


@dataclass(frozen=True)
class EventView:
    """The commits and events that a subscriber requested; ``latest`` is LATEST delivery."""

    commits: Callable[[Commit], bool] = _every
    events: Callable[[Event], bool] = _every
    latest: bool = False

    @classmethod
    def of_filter(cls, wanted: JobFilter) -> EventView:
        """The view of a filter of WatchJobs by the contract: a commit matches by its job and either state."""

        def matches(commit: Commit) -> bool:
            job = commit.job
            return (
                wanted.owner in ("", job.owner)
                and (not wanted.kinds or job.kind in wanted.kinds)
                and wanted.parent_job_id in ("", job.parent_job_id, job.job_id)
                and (not wanted.job_ids or job.job_id in wanted.job_ids)
                and set(wanted.labels.items()) <= set(job.labels.items())
                and (not wanted.states or bool({commit.before, commit.after} & set(wanted.states)))
            )

        return cls(matches)


class History:
    """All commits in order.

    ``dropped`` events were trimmed or deleted; they may be missing from a stream of all stored events. ``thinned`` are
    jobs whose superseded progress may be missing in WatchJobs. (In WatchJob `opened` says so.)
    """

    def __init__(
        self,
        commits: Iterable[tuple[int, Sequence[Event]]],
        *,
        dropped: Collection[Key] = (),
        thinned: Collection[str] = (),
    ) -> None:
        self.dropped = dropped
        self.thinned = thinned
        self.commits: list[Commit] = []
        self._folds: defaultdict[str, Fold] = defaultdict(Fold)
        self._submitted: defaultdict[str, Job] = defaultdict(Job)
        self._of: dict[Key, tuple[Commit, Event]] = {}
        self._progress: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for position, events in commits:
            self._add(position, events)
        self._positions = [commit.position for commit in self.commits]

    @classmethod
    def of_log(cls, log: Sequence[Event]) -> History:
        """The history of one job: each event is a commit of its own, with its sequence as position."""
        return cls([(event.sequence, [event]) for event in log])

    @classmethod
    def of_feed(cls, frames: Iterable[WatchJobsResponse]) -> History:
        """The history of many jobs from a WatchJobs with ``max_batch_events`` 1: commit by commit."""
        return cls([(f.events.position, f.events.events) for f in frames if f.HasField("events")])

    @property
    def head(self) -> int:
        """The last position."""
        return self._positions[-1] if self._positions else 0

    def find(self, event: Event) -> tuple[Commit, Event] | None:
        """The commit and the event with the same key."""
        return self._of.get(key(event))

    def after(self, position: int, upto: int) -> Iterator[Commit]:
        """The commits after a position, up to and including another."""
        for index in range(bisect_right(self._positions, position), len(self.commits)):
            if self.commits[index].position > upto:
                return
            yield self.commits[index]

    def is_superseded(self, event: Event, upto: int | None = None) -> bool:
        """Whether later progress of the same stage supersedes it, by the position ``upto`` if given."""
        if not event.HasField("stage_progressed"):
            return False
        later = self._progress[event.job_id, event.stage_progressed.stage_id]
        index = bisect_right(later, event.sequence)
        if index == len(later) or upto is None:
            return index < len(later)
        return self._of[Key(event.job_id, later[index])][0].position <= upto

    def job(self, job_id: str, sequence: int) -> Job | None:
        """The job as of that event; None if the history lacks earlier events."""
        fold = Fold()
        for number in range(1, sequence + 1):
            found = self._of.get(Key(job_id, number))
            if found is None:
                return None
            fold.apply(found[1])
        return fold.job

    def _add(self, position: int, events: Sequence[Event]) -> None:
        job_id = events[0].job_id
        fold = self._folds[job_id]
        before = fold.job.state
        for event in events:
            if event.HasField("job_submitted"):
                self._submitted[job_id] = event.job_submitted.job
            if event.HasField("stage_progressed"):
                self._progress[job_id, event.stage_progressed.stage_id].append(event.sequence)
            fold.apply(event)
        commit = Commit(position, tuple(events), self._submitted[job_id], before, fold.job.state)
        self.commits.append(commit)
        for event in events:
            self._of[key(event)] = (commit, event)
