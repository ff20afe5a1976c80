"""Where a watch of many jobs stands. Knows nothing of transport, and nothing of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from milepost.client._conversion import to_duration
from milepost.client._watch.deduplicator import Deduplicator
from milepost.client._watch.event_selection import EVERYTHING, EventSelection
from milepost.client._watch.job_cursor import OnGap, Start
from milepost.client.errors import EpochChanged, MilepostError, ProtocolError, SequenceTrimmed
from milepost.v1 import (
    Deleted,
    Event,
    Events,
    Job,
    JobFilter,
    Opened,
    Snapshot,
    Trimmed,
    WatchJobsRequest,
    WatchJobsResponse,
)

__all__ = ["FeedCursor", "Gap", "Item"]


@dataclass(frozen=True)
class Gap:
    """What came before cannot be continued. All jobs that match come anew, each as a `Job`; then what happens next.

    Forget the jobs that you have: those that do not come again until the watch has caught up are gone.

    Attributes:
        error: Why: `SequenceTrimmed` or `EpochChanged`.
    """

    error: MilepostError


Item: TypeAlias = Event | Job | Deleted | Trimmed | Gap


class FeedCursor:
    """Takes the frames of one stream after the other: each event once, those of a job in order (rule 2).

    A position says where to resume, but there is not always one. A stream begins with jobs as they stand, or with all
    that is kept although some was dropped; if it breaks in there, the next one begins anew. And a job that came to
    match is sent as it stands, ahead of where the stream is; after a break the server does not know this any more. So
    up to where jobs were shown is noted, for as long as it takes.

    Attributes:
        position: Everything up to there was taken; None where a new stream would begin anew.
        epoch: Of the store; empty until a stream has opened.
        head: The newest position that is known of.
        caught_up: Whether the head was reached, on this stream or one before.
        missing: Jobs that were shown as they stood, and that are not there or do not match any more, without having
            been told so; to be looked up, and settled.
    """

    def __init__(
        self,
        wanted: JobFilter,
        *,
        after: int | None = None,
        epoch: str = "",
        start: Start = "after",
        showing: EventSelection = EVERYTHING,
        on_gap: OnGap = "raise",
        follow: bool = True,
        status_interval: float | None = None,
    ) -> None:
        self.position = after or None  # 0 is the beginning
        self.epoch = epoch
        self.head = 0
        self.caught_up = False
        self.missing: list[str] = []
        self._wanted = wanted
        self._start: Start = start
        self._showing = showing
        self._on_gap = on_gap
        self._follow = follow
        self._status_interval = status_interval
        self._opened = False
        self._reached_head = False
        self._seen = Deduplicator()
        # Of an unset start: up to here something was dropped, so that a position before it cannot be resumed from.
        self._dropped = 0
        # The furthest that any stream was, and where the current one is, and what it has listed to begin with.
        self._replayed = after or 0
        self._at = 0
        self._listed: set[str] = set()

    def request(self, *, finite: bool = False) -> WatchJobsRequest:
        """What to ask a new stream for; a `finite` one ends at the head. Frames are of that stream from now on."""
        self._opened = self._reached_head = False
        self._at = 0
        self._listed.clear()
        request = WatchJobsRequest(
            filter=self._wanted,
            epoch=self.epoch,
            event_filter=self._showing.filter(),
            delivery=self._showing.delivery,
            no_follow=finite or not self._follow,
            status_interval=None if self._status_interval is None else to_duration(self._status_interval),
        )
        if self._start == "snapshot":
            request.from_snapshot = True
        elif self._start == "latest":
            request.from_latest = True
        elif self.position is not None:
            request.after_position = self.position
        return request

    @property
    def mark(self) -> int:
        """What a new stream continues after; 0 where it begins anew."""
        return self.position or 0

    @property
    def opened(self) -> bool:
        """Whether the current stream has opened."""
        return self._opened

    @property
    def reached_head(self) -> bool:
        """Whether the current stream has brought all that there was."""
        return self._reached_head

    @property
    def complete(self) -> bool:
        """Whether a stream that ends well now has brought all that was asked for."""
        return self._reached_head and not self._follow

    def take(self, frame: WatchJobsResponse) -> Sequence[Item]:
        """What a frame brings that is new.

        Raises:
            ProtocolError: The stream did not open as it was asked to, or went back.
            EpochChanged: The jobs that were shown to begin with are of another store.
            SequenceTrimmed: All was shown of a store in which nothing had happened yet, and since then some of what
                did is gone.
        """
        name = frame.WhichOneof("frame")
        if name == "opened":
            return self._open(frame.opened)
        if not self._opened:
            raise ProtocolError(f"The stream began with {name or 'an unknown frame'}, not with opened.")
        match name:
            case "events":
                return self._events(frame.events)
            case "snapshot":
                return self._snapshot(frame.snapshot)
            case "deleted":
                new = self._move(frame.deleted.position)
                if new:
                    self._seen.forget(frame.deleted.job_id)
                return (frame.deleted,) if new else ()
            case "trimmed":
                return (frame.trimmed,) if self._move(frame.trimmed.position) else ()
            case "caught_up":
                self._move(frame.caught_up.sequence)
                self.caught_up = self._reached_head = True
                self._seen.settle(frame.caught_up.sequence)
            case "status":
                self._move(frame.status.cursor)
                self.head = max(self.head, frame.status.head_sequence)
                self._seen.settle(frame.status.cursor)
        return ()  # a frame that is not known here is skipped (rule 9)

    def recover(self, error: MilepostError) -> Sequence[Item] | None:
        """What to show instead of an error; None to raise it."""
        if isinstance(error, SequenceTrimmed) and (self._start == "snapshot" or self._has_all_that_is_kept):
            return ()  # trimmed while that was listed: nothing is missing yet, and the next list is up to date
        if self._on_gap != "snapshot" or not isinstance(error, SequenceTrimmed | EpochChanged):
            return None
        self._start, self.position, self.epoch, self.caught_up = "snapshot", None, "", False
        self._replayed = 0
        self._seen.clear()
        self.missing.clear()
        return (Gap(error),)

    def found(self, job_id: str, job: Job | None) -> Sequence[Item]:
        """How a job stands that was missing; None where there is none any more."""
        self.missing.remove(job_id)
        if job is not None:
            return (job,) if self._seen.note(job) else ()
        self._seen.forget(job_id)
        return (Deleted(job_id=job_id, position=self.mark),)

    @property
    def _has_all_that_is_kept(self) -> bool:
        """Whether the next stream begins with what is kept by then, whatever the ones before it have shown."""
        return self._start == "after" and self.position is None

    def _open(self, opened: Opened) -> Sequence[Item]:
        items: Sequence[Item] = ()
        if self.epoch and opened.epoch != self.epoch and not self._seen.is_empty:
            metadata = {"requested": self.epoch, "epoch": opened.epoch}
            error = EpochChanged("The store was replaced while jobs were listed.", metadata=metadata)
            recovered = self.recover(error)
            if recovered is None:
                raise error
            items = recovered
        if self._start == "after":
            if opened.cursor != (self.position or 0):
                raise ProtocolError(f"The stream opened after {opened.cursor}, not {self.position or 0}.")
            if self.position == 0 and opened.first_sequence > 1:
                raise _dropped_since_the_beginning(opened)
            if self.position is None:
                self._dropped = opened.first_sequence - 1
                self._seen.keep_all = self._dropped > 0
        elif self._start == "latest":
            self._start, self.position = "after", opened.cursor
        else:
            self._seen.keep_all = True
        self._opened = True
        self.head = (
            max(self.head, opened.head_sequence) if opened.epoch == self.epoch else opened.head_sequence
        )
        self.epoch = opened.epoch
        return items

    def _events(self, frame: Events) -> Sequence[Event]:
        fresh = self._seen.fresh(frame.events)
        self._move(frame.position)
        return fresh

    def _snapshot(self, frame: Snapshot) -> Sequence[Job]:
        job = frame.job
        if frame.position:
            self._move(frame.position)
        else:
            self._listed.add(job.job_id)
        return (job,) if self._seen.note(job) else ()

    def _move(self, position: int) -> bool:
        """Everything up to the position has come; whether that was new."""
        if position < self._at:
            raise ProtocolError(f"The stream went back from {self._at} to {position}.")
        self._at = position
        self.head = max(self.head, position)
        new = position > self._replayed
        self._replayed = max(self._replayed, position)
        if self._start == "snapshot":
            self._listing_ended()
            self.position = position
        elif self.position is not None:
            self.position = max(self.position, position)
        elif position >= self._dropped:
            self._seen.keep_all = False
            self.position = position
        self._seen.passed(position)
        return new

    def _listing_ended(self) -> None:
        """The jobs as they stand have all come. What an earlier stream had listed, and this one has not, is missing."""
        self._start = "after"
        self._seen.keep_all = False
        self.missing.extend(job_id for job_id in self._seen.jobs if job_id not in self._listed)
        self._listed.clear()


def _dropped_since_the_beginning(opened: Opened) -> SequenceTrimmed:
    """The refusal that a server gives at any position but 0, from where it shows all that is kept."""
    metadata = {"requested": "0", "first": str(opened.first_sequence), "head": str(opened.head_sequence)}
    return SequenceTrimmed(
        f"The feed cannot be continued from 0: what is kept begins with {opened.first_sequence}.",
        metadata=metadata,
    )
