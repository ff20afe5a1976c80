"""Cursor of a watch of one job. Pure: no transport, no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from milepost.client._arguments import build_request
from milepost.client._watch.event_selection import ALL_EVENTS, EventSelection
from milepost.client._watch.watch_cursor import OnGap, Start, WatchCursor
from milepost.client.errors import MilepostError, ProtocolError
from milepost.contract.job_states import has_ended
from milepost.v1 import (
    Estimate,
    Event,
    Events,
    Job,
    JobState,
    Opened,
    Status,
    Waiting,
    WatchJobRequest,
    WatchJobResponse,
)

__all__ = ["JobCursor"]

_STATE_CHANGES: Final = frozenset({"job_started", "attempt_ended", "cancel_requested", "job_ended"})
"""Payloads after which an earlier estimate does not hold any more."""


class JobCursor(WatchCursor):
    """Accepts the frames of successive streams, and enforces that each event comes exactly once and in order (rule 2).

    Gaps are allowed only for events that the caller filters out, and, in a log that the server thins, for progress that
    later progress supersedes. Filtered events still advance the cursor, so that a resumed stream skips them.

    Attributes:
        sequence: Sequence of the last event that was accepted or filtered out, or that a snapshot includes.
        epoch: Epoch of `sequence`; empty until a stream has opened or, if it starts with a snapshot, that has come.
        first: Sequence of the oldest event in the store.
        head: Sequence of the newest known event.
        caught_up: Whether this or an earlier stream, or a call, has reached the head, or the job has ended.
        ended: Whether the cursor has accepted ``job_ended``, or a snapshot of a job that has ended.
        fraction: Fraction of the job that is done, from the last status; None before the first.
        fraction_known: Whether the number of stages or children behind `fraction` is known; False before the first.
        estimate: Estimated remaining time, from the last status or snapshot; None without evidence, and unless it runs.
        waiting: Why the job has not started, from the last status; None if unknown, or once it has started or ended.
    """

    def __init__(
        self,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
        start: Start = "after",
        selection: EventSelection = ALL_EVENTS,
        on_gap: OnGap = "raise",
        follow: bool = True,
        status_interval: float | None = None,
        new_estimates: bool = False,
    ) -> None:
        super().__init__(
            epoch=epoch,
            start=start,
            selection=selection,
            on_gap=on_gap,
            follow=follow,
            status_interval=status_interval,
        )
        self.sequence: int = after
        self.first: int = 0
        self.ended: bool = False
        self.fraction: float | None = None
        self.fraction_known: bool = False
        self.estimate: Estimate | None = None
        self.waiting: Waiting | None = None
        self._job_id = job_id
        self._new_estimates = new_estimates
        # That of the current stream, which is the cursor's once the snapshot has come that the stream starts with.
        self._opened_epoch = ""
        self._has_current_state = False  # that a call returned
        # Up to this sequence the server may have thinned out progress that later progress supersedes.
        self._thinned = 0

    def request(self, *, finite: bool = False) -> WatchJobRequest:
        """Start a new stream: return its request. A `finite` stream ends at the head."""
        request = build_request(
            WatchJobRequest,
            job_id=self._job_id,
            # A watch is complete at `job_ended`, so the request includes it and the cursor filters it out.
            filter=self._selection.filter("job_ended"),
            **self._new_stream({"after_sequence": self.sequence}, finite=finite),
        )
        if self._start == "snapshot":
            request.epoch = ""  # of any
        return request

    @property
    def resume_after(self) -> int:
        """The sequence that a new stream resumes after."""
        return self.sequence

    @property
    def complete(self) -> bool:
        """Whether the watch is complete if the current stream ends with OK now."""
        return self.ended or super().complete

    @property
    def has_last(self) -> bool:
        """Whether nothing more comes, whatever a stream says: it has the last event, or all that a call tells."""
        return self.ended or (self._has_current_state and not self._follow)

    @property
    def accepts_jobs(self) -> bool:
        """Whether the state of the job may replace events that are unavailable."""
        return self._on_gap == "snapshot"

    def accept(self, frame: WatchJobResponse) -> Sequence[Event | Job | Status]:
        """The events of a frame, all of them new; or the job, if the request asked for a snapshot.

        With `new_estimates` also each status whose estimate differs from the one before.

        Raises:
            ProtocolError: An event is missing, repeats, or follows the end; or the stream did not begin with `opened`.
        """
        name = frame.WhichOneof("frame")
        if name == "opened":
            self._open(frame.opened)
            return ()
        self._check_opened(name)
        if name == "events":
            return self._accept_events(frame.events)
        if name == "snapshot" and self._start == "snapshot":
            self.epoch = self._opened_epoch
            return self._accept_snapshot(frame.snapshot.job)
        if name == "caught_up":
            self._advance(frame.caught_up.sequence)
            self.caught_up = self._reached_head = True
        elif name == "status":
            before = self.estimate
            self._accept_status(frame.status)
            if self._new_estimates and self.estimate != before:
                return (frame.status,)
        return ()  # ignore unknown frames (rule 9)

    def accept_job(self, job: Job) -> Sequence[Job]:
        """The job that a unary call returned, if it is newer than the cursor."""
        behind = self._start != "after" or job.epoch != self.epoch or job.last_sequence > self.sequence
        self.epoch = job.epoch
        if behind or job.last_sequence == self.sequence:  # and not from a node that has yet to read so far
            self.caught_up = self._has_current_state = True
        if has_ended(job):  # also where the cursor was at the end before
            self.ended = self.caught_up = True
        return self._accept_snapshot(job) if behind else ()

    def accept_present(self, job: Job, waiting: Waiting | None) -> None:
        """Take what a unary call returns beyond events: the estimate, and why the job has not started."""
        self._accept_estimate(job)
        self.waiting = waiting

    def recover(self, error: MilepostError) -> Sequence[Event | Job] | None:
        """Items to yield instead of an error: none, since the next stream starts with a snapshot; None to raise it."""
        if not self._replaces_gap(error):
            return None
        if self._start == "snapshot":  # neither error is a valid answer to that
            return None
        self._start = "snapshot"
        return ()

    def _open(self, opened: Opened) -> None:
        if self._start == "after" and opened.cursor != self.sequence:
            raise ProtocolError(
                f"The stream opened after {opened.cursor}, but the request was for {self.sequence}."
            )
        if self._start == "latest":
            self._start, self.sequence = "after", opened.cursor
        before = self.epoch
        self._note_opened(opened)
        self._opened_epoch = opened.epoch
        if self._start == "snapshot":
            self.epoch = before
        self.first = opened.first_sequence
        self._thinned = opened.thinned_sequence

    def _accept_snapshot(self, job: Job) -> Sequence[Job]:
        self._start, self.sequence = "after", job.last_sequence
        self.head = max(self.head, job.last_sequence)
        if job.state != JobState.JOB_STATE_QUEUED:
            self.waiting = None
        self._accept_estimate(job)
        if has_ended(job):
            self.ended = self.caught_up = True
        return (job,)

    def _accept_estimate(self, of: Job | Status) -> None:
        self.estimate = None
        if of.HasField("estimate"):
            self.estimate = Estimate()  # a copy: a reference would keep the whole job in memory
            self.estimate.CopyFrom(of.estimate)

    def _accept_events(self, frame: Events) -> Sequence[Event]:
        events = frame.events
        if not events:
            return ()
        if self.ended:
            raise ProtocolError(f"Event {events[0].sequence} came after job_ended.")
        if self._start == "snapshot":
            raise ProtocolError("The stream sent events, but no snapshot.")
        sequence = self.sequence
        for event in events:
            if event.sequence != sequence + 1 and not self._may_skip(sequence, event.sequence - 1):
                raise ProtocolError(f"Event {event.sequence} came after {sequence}.")
            sequence = event.sequence
        self.sequence = sequence
        self.head = max(self.head, sequence)
        changes = _STATE_CHANGES.intersection(event.WhichOneof("payload") for event in events)
        if changes:
            self.estimate = None
        if changes - {"attempt_ended", "cancel_requested"}:
            self.waiting = None
        if events[-1].HasField("job_ended"):
            self.ended = self.caught_up = True
            if not self._selection.includes(events[-1]):
                return events[:-1]
        return events

    def _accept_status(self, status: Status) -> None:
        self._advance(status.cursor)
        self.head = max(self.head, status.head_sequence)
        self.fraction, self.fraction_known = status.fraction, status.fraction_known
        self._accept_estimate(status)
        self.waiting = status.waiting if status.HasField("waiting") else None

    def _advance(self, cursor: int) -> None:
        """Advance to a cursor up to which the server has sent or filtered every event."""
        if cursor > self.sequence:
            if not self._may_skip(self.sequence, cursor):
                raise ProtocolError(
                    f"The stream stands at {cursor}, but has sent only up to {self.sequence}."
                )
            self.sequence = cursor
        self.head = max(self.head, cursor)

    def _may_skip(self, after: int, until: int) -> bool:
        """Whether all events after one sequence, up to another, may be filtered or thinned out."""
        return after <= until and (self._selection.is_filtered or until <= self._thinned)
