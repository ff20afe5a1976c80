"""Where a watch of one job stands. Knows nothing of transport, and nothing of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from milepost.client._conversion import to_duration
from milepost.client._watch.event_selection import EVERYTHING, EventSelection
from milepost.client.errors import EpochChanged, MilepostError, ProtocolError, SequenceTrimmed
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

__all__ = ["Cursor", "OnGap", "Start"]

Start: TypeAlias = Literal["after", "snapshot", "latest"]
OnGap: TypeAlias = Literal["raise", "snapshot"]


class Cursor:
    """Takes the frames of one stream after the other, and keeps the rule: every event once, in order (rule 2).

    None is missing but, where the server says that it thins a log, progress which later progress stands for, and what
    was asked to be hidden. What is hidden still moves the cursor, so that a resumed stream does not look at it again.

    Attributes:
        sequence: The last event that was taken, or was hidden, or that a snapshot has.
        epoch: Of the store; empty until a stream has opened.
        first: The oldest event that the store still has.
        head: The newest event that is known of.
        caught_up: Whether the head was reached, on this stream or one before; or the end.
        ended: Whether ``job_ended`` was taken, or a snapshot of a job that has ended.
        fraction: How much of the job is done, as the last status said; None before the first.
        fraction_known: Whether that rests on a known number of stages or children; False before the first.
        estimate: How long the job will still take, as the last status said; None without evidence.
        waiting: What the job waits for, as the last status said, until it starts or ends; None where nothing is known.
    """

    def __init__(
        self,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
        start: Start = "after",
        showing: EventSelection = EVERYTHING,
        on_gap: OnGap = "raise",
        follow: bool = True,
        status_interval: float | None = None,
    ) -> None:
        self.sequence = after
        self.epoch = epoch
        self.first = 0
        self.head = 0
        self.caught_up = False
        self.ended = False
        self.fraction: float | None = None
        self.fraction_known = False
        self.estimate: Estimate | None = None
        self.waiting: Waiting | None = None
        self._job_id = job_id
        self._start: Start = start
        self._showing = showing
        self._on_gap = on_gap
        self._follow = follow
        self._status_interval = status_interval
        self._opened = False
        self._reached_head = False
        # Up to here the server may have left out progress that later progress stands for.
        self._thinned = 0

    def request(self, *, finite: bool = False) -> WatchJobRequest:
        """What to ask a new stream for; a `finite` one ends at the head. Frames are of that stream from now on."""
        self._opened = self._reached_head = False
        request = WatchJobRequest(
            job_id=self._job_id,
            epoch=self.epoch,
            # Its end is how a watch knows that it is complete, so `job_ended` is hidden here and not there.
            filter=self._showing.filter("job_ended"),
            delivery=self._showing.delivery,
            no_follow=finite or not self._follow,
            status_interval=None if self._status_interval is None else to_duration(self._status_interval),
        )
        if self._start == "snapshot":
            request.from_snapshot = True
        elif self._start == "latest":
            request.from_latest = True
        else:
            request.after_sequence = self.sequence
        return request

    @property
    def mark(self) -> int:
        """What a new stream continues after."""
        return self.sequence

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
        return self.ended or (self._reached_head and not self._follow)

    @property
    def maybe_complete(self) -> bool:
        """Whether it may have: a stream that starts at the end of an ended log brings no ``job_ended``."""
        return self._reached_head

    @property
    def takes_jobs(self) -> bool:
        """Whether the job as it stands may take the place of events that cannot be had."""
        return self._on_gap == "snapshot"

    def take(self, frame: WatchJobResponse) -> Sequence[Event | Job]:
        """The events of a frame, all of them new; or the job, where it was asked for.

        Raises:
            ProtocolError: An event is missing, comes twice, or follows the end; or the stream did not open.
        """
        name = frame.WhichOneof("frame")
        if name == "opened":
            self._open(frame.opened)
            return ()
        if not self._opened:
            raise ProtocolError(f"The stream began with {name or 'an unknown frame'}, not with opened.")
        if name == "events":
            return self._events(frame.events)
        if name == "snapshot" and self._start == "snapshot":
            return self._jump(frame.snapshot.job)
        if name == "caught_up":
            self._move(frame.caught_up.sequence)
            self.caught_up = self._reached_head = True
        elif name == "status":
            self._status(frame.status)
        return ()  # a frame that is not known here is skipped (rule 9)

    def take_job(self, job: Job) -> Sequence[Job]:
        """The job as a call tells it, where it has gone on since."""
        behind = self._start != "after" or job.epoch != self.epoch or job.last_sequence > self.sequence
        self.epoch = job.epoch
        return self._jump(job) if behind else ()

    def recover(self, error: MilepostError) -> Sequence[Event | Job] | None:
        """What to show instead of an error: nothing yet, since the next stream brings a snapshot; None to raise it."""
        if self._on_gap != "snapshot" or not isinstance(error, SequenceTrimmed | EpochChanged):
            return None
        if self._start == "snapshot":  # which neither can be a reason not to give
            return None
        self._start, self.epoch = "snapshot", ""
        return ()

    def _open(self, opened: Opened) -> None:
        if self._start == "after" and opened.cursor != self.sequence:
            raise ProtocolError(
                f"The stream opened after {opened.cursor}, but {self.sequence} was asked for."
            )
        if self._start == "latest":
            self._start, self.sequence = "after", opened.cursor
        self._opened = True
        self.head = (
            max(self.head, opened.head_sequence) if opened.epoch == self.epoch else opened.head_sequence
        )
        self.epoch, self.first = opened.epoch, opened.first_sequence
        self._thinned = opened.thinned_sequence

    def _jump(self, job: Job) -> Sequence[Job]:
        self._start, self.sequence = "after", job.last_sequence
        self.head = max(self.head, job.last_sequence)
        if job.state != JobState.JOB_STATE_QUEUED:
            self.waiting = None
        if has_ended(job):
            self.ended = self.caught_up = True
        return (job,)

    def _events(self, frame: Events) -> Sequence[Event]:
        events = frame.events
        if not events:
            return ()
        if self.ended:
            raise ProtocolError(f"Event {events[0].sequence} came after job_ended.")
        if self._start == "snapshot":
            raise ProtocolError("The stream brought events, but no snapshot.")
        sequence = self.sequence
        for event in events:
            if event.sequence != sequence + 1 and not self._may_skip(sequence, event.sequence - 1):
                raise ProtocolError(f"Event {event.sequence} came after {sequence}.")
            sequence = event.sequence
        self.sequence = sequence
        self.head = max(self.head, sequence)
        if any(event.HasField("job_started") or event.HasField("job_ended") for event in events):
            self.waiting = None
        if events[-1].HasField("job_ended"):
            self.ended = self.caught_up = True
            if not self._showing.shows(events[-1]):
                return events[:-1]
        return events

    def _status(self, status: Status) -> None:
        self._move(status.cursor)
        self.head = max(self.head, status.head_sequence)
        self.fraction, self.fraction_known = status.fraction, status.fraction_known
        self.estimate = status.estimate if status.HasField("estimate") else None
        self.waiting = status.waiting if status.HasField("waiting") else None

    def _move(self, cursor: int) -> None:
        """Everything up to there was sent, or hidden."""
        if cursor > self.sequence:
            if not self._may_skip(self.sequence, cursor):
                raise ProtocolError(
                    f"The stream stands at {cursor}, but has sent only up to {self.sequence}."
                )
            self.sequence = cursor
        self.head = max(self.head, cursor)

    def _may_skip(self, after: int, until: int) -> bool:
        """Whether none of the events after the one, up to the other, need be shown."""
        return after <= until and (self._showing.hides or until <= self._thinned)
