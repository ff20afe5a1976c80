"""Cursor of a watch of many jobs. Pure: no transport, no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from milepost.client._arguments import build_request
from milepost.client._watch.deduplicator import Deduplicator
from milepost.client._watch.event_selection import ALL_EVENTS, EventSelection
from milepost.client._watch.watch_cursor import OnGap, Start, WatchCursor
from milepost.client.errors import EpochChanged, MilepostError, ProtocolError, SequenceTrimmed
from milepost.v1 import (
    Deleted,
    Estimate,
    Event,
    Events,
    Job,
    JobFilter,
    JobState,
    Opened,
    Snapshot,
    Status,
    Trimmed,
    WatchJobsRequest,
    WatchJobsResponse,
)

__all__ = ["ESTIMATES_LIMIT", "Gap", "Item", "JobsCursor"]

ESTIMATES_LIMIT: Final = 1000
"""Estimates of statuses that a cursor keeps, the latest ones; a server sends those of 500 jobs at most."""


@dataclass(frozen=True)
class Gap:
    """The watch cannot continue. All jobs that match come again, each as a `Job`, and then the next events.

    Discard the jobs that you have: those that do not come again before the watch has caught up no longer exist.

    Attributes:
        error: The reason: `SequenceTrimmed` or `EpochChanged`.
    """

    error: MilepostError


Item: TypeAlias = Event | Job | Deleted | Trimmed | Gap


class JobsCursor(WatchCursor):
    """Accepts the frames of successive streams: each event exactly once, those of a job in order (rule 2).

    A stream resumes at a position, but does not always have one. It starts with the state of the jobs, or with all
    events the server has although it dropped some; if it breaks before that is complete, the next one starts over. Also
    the server sends a newly matching job in its current state, ahead of the stream's position, and does not know that
    after a break. A `Deduplicator` therefore records the last sequence received of each such job.

    Attributes:
        position: Position up to which everything was accepted; None if a new stream would start over.
        epoch: Epoch of the store; empty until a stream has opened.
        head: The newest known position.
        caught_up: Whether this or an earlier stream has reached the head.
        missing: Listed jobs that were deleted or ceased to match while no stream was open; the watch fetches each and
            passes it to `accept_missing`.
    """

    def __init__(
        self,
        job_filter: JobFilter,
        *,
        after: int | None = None,
        epoch: str = "",
        start: Start = "after",
        selection: EventSelection = ALL_EVENTS,
        on_gap: OnGap = "raise",
        follow: bool = True,
        status_interval: float | None = None,
    ) -> None:
        super().__init__(
            epoch=epoch,
            start=start,
            selection=selection,
            on_gap=on_gap,
            follow=follow,
            status_interval=status_interval,
        )
        self.position: int | None = after or None  # 0 is the beginning
        self._filter = job_filter
        self._deduplicator = Deduplicator()
        # From the last statuses; None for a job that no longer has one. They are checked against the job only when
        # somebody asks for one, so that an event costs nothing.
        self._estimates: dict[str, Estimate | None] = {}
        # Without a start position: the server has dropped events up to this one, so that no stream resumes before it.
        self._dropped = 0
        # The highest position of any stream, the position of the current stream, and the jobs of its initial list.
        self._highest = after or 0
        self._stream_position = 0
        self._listed: set[str] = set()

    def request(self, *, finite: bool = False) -> WatchJobsRequest:
        """Start a new stream: return its request. A `finite` stream ends at the head."""
        self._stream_position = 0
        self._listed.clear()
        cursor = {} if self.position is None else {"after_position": self.position}
        return build_request(
            WatchJobsRequest,
            filter=self._filter,
            event_filter=self._selection.filter(),
            **self._new_stream(cursor, finite=finite),
        )

    @property
    def resume_after(self) -> int:
        """The position that a new stream resumes after; 0 if it starts over."""
        return self.position or 0

    def accept(self, frame: WatchJobsResponse) -> Sequence[Item]:
        """The new items of a frame.

        Raises:
            ProtocolError: The stream did not open as requested, or its position went back.
            EpochChanged: The store was replaced after its jobs were listed.
            SequenceTrimmed: The watch started on an empty store, which has dropped events since.
        """
        name = frame.WhichOneof("frame")
        if name == "opened":
            return self._open(frame.opened)
        self._check_opened(name)
        match name:
            case "events":
                return self._accept_events(frame.events)
            case "snapshot":
                return self._accept_snapshot(frame.snapshot)
            case "deleted":
                new = self._advance(frame.deleted.position)
                if new:
                    self._deduplicator.forget(frame.deleted.job_id)
                    self._estimates.pop(frame.deleted.job_id, None)
                return (frame.deleted,) if new else ()
            case "trimmed":
                return (frame.trimmed,) if self._advance(frame.trimmed.position) else ()
            case "caught_up":
                self._advance(frame.caught_up.sequence)
                self.caught_up = self._reached_head = True
                self._deduplicator.expire_after(frame.caught_up.sequence)
            case "status":
                self._advance(frame.status.cursor)
                self.head = max(self.head, frame.status.head_sequence)
                self._deduplicator.expire_after(frame.status.cursor)
                self._accept_estimates(frame.status)
        return ()  # ignore unknown frames (rule 9)

    def recover(self, error: MilepostError) -> Sequence[Item] | None:
        """Items to yield instead of an error; None to raise it."""
        if isinstance(error, SequenceTrimmed) and (self._start == "snapshot" or self._starts_with_all_events):
            return ()  # trimmed during the initial list: nothing is missing, since the next stream lists again
        if not self._replaces_gap(error):
            return None
        self._start, self.position, self.epoch, self.caught_up = "snapshot", None, "", False
        self._highest = 0
        self._deduplicator.clear()
        self._estimates.clear()
        self.missing.clear()
        return (Gap(error),)

    def accept_missing(self, job_id: str, job: Job | None) -> Sequence[Item]:
        """The items for a missing job, in its current state; `job` is None if it no longer exists."""
        self.missing.remove(job_id)
        if job is not None:
            return self._record_job(job)
        self._deduplicator.forget(job_id)
        self._estimates.pop(job_id, None)
        return (Deleted(job_id=job_id, position=self.resume_after),)

    def estimate_of(self, job: Job) -> Estimate | None:
        """See `JobsWatch.estimate_of`."""
        if job.state != JobState.JOB_STATE_RUNNING:
            return None
        own = job.estimate if job.HasField("estimate") else None
        estimate = self._estimates.get(job.job_id, own)
        if estimate is None or estimate.as_of.ToNanoseconds() < job.start_time.ToNanoseconds():
            return None  # or of an earlier attempt
        return estimate

    @property
    def _starts_with_all_events(self) -> bool:
        """Whether the next stream starts with all events that the server still has."""
        return self._start == "after" and self.position is None

    def _open(self, opened: Opened) -> Sequence[Item]:
        items: Sequence[Item] = ()
        if self.epoch and opened.epoch != self.epoch and not self._deduplicator.is_empty:
            metadata = {"requested": self.epoch, "epoch": opened.epoch}
            text = "The store was replaced while the server listed the jobs."
            raised = [EpochChanged(text, metadata=metadata)]
            recovered = self.recover(raised[0])
            if recovered is None:
                raise raised.pop()  # by no variable: it has this frame
            items = recovered
        if self._start == "after":
            if opened.cursor != (self.position or 0):
                raise ProtocolError(f"The stream opened after {opened.cursor}, not {self.position or 0}.")
            if self.position == 0 and opened.first_sequence > 1:
                raise _dropped_since_start(opened)
            if self.position is None:
                self._dropped = opened.first_sequence - 1
                self._deduplicator.retain_all(self._dropped > 0)
        elif self._start == "latest":
            self._start, self.position = "after", opened.cursor
        else:
            self._deduplicator.retain_all(True)
        self._note_opened(opened)
        return items

    def _accept_events(self, frame: Events) -> Sequence[Event]:
        new_events = self._deduplicator.record_events(frame.events)
        self._advance(frame.position)
        return new_events

    def _accept_snapshot(self, frame: Snapshot) -> Sequence[Job]:
        job = frame.job
        if frame.position:
            self._advance(frame.position)
        else:
            self._listed.add(job.job_id)
        return self._record_job(job)

    def _record_job(self, job: Job) -> Sequence[Job]:
        """The items for the current state of a job: none if it is known, but for its estimate."""
        if self._deduplicator.record_job(job):
            self._estimates.pop(job.job_id, None)  # the job has its own estimate
            return (job,)
        self._keep_estimate(job.job_id, job.estimate if job.HasField("estimate") else None)
        return ()

    def _accept_estimates(self, status: Status) -> None:
        for each in status.job_estimates:
            self._keep_estimate(each.job_id, each.estimate if each.HasField("estimate") else None)

    def _keep_estimate(self, job_id: str, estimate: Estimate | None) -> None:
        self._estimates.pop(job_id, None)  # the latest ones are at the end
        self._estimates[job_id] = estimate
        if len(self._estimates) > ESTIMATES_LIMIT:
            del self._estimates[next(iter(self._estimates))]

    def _advance(self, position: int) -> bool:
        """Advance to a position up to which everything has been received; return whether it is new."""
        if position < self._stream_position:
            raise ProtocolError(f"The stream went back from {self._stream_position} to {position}.")
        self._stream_position = position
        self.head = max(self.head, position)
        new = position > self._highest
        self._highest = max(self._highest, position)
        if self._start == "snapshot":
            self._end_list()
            self.position = position
        elif self.position is not None:
            self.position = max(self.position, position)
        elif position >= self._dropped:
            self._deduplicator.retain_all(False)
            self.position = position
        self._deduplicator.advance(position)
        return new

    def _end_list(self) -> None:
        """End the initial list: jobs that an earlier stream listed, and this one did not, are missing."""
        self._start = "after"
        self._deduplicator.retain_all(False)
        self.missing.extend(job_id for job_id in self._deduplicator.jobs if job_id not in self._listed)
        self._listed.clear()


def _dropped_since_start(opened: Opened) -> SequenceTrimmed:
    """The error that the server returns for any dropped position but 0, where it starts with all events it has."""
    metadata = {"requested": "0", "first": str(opened.first_sequence), "head": str(opened.head_sequence)}
    return SequenceTrimmed(
        f"The watch cannot continue from 0: the oldest position in the store is {opened.first_sequence}.",
        metadata=metadata,
    )
