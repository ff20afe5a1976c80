"""Where a watch stands. Knows nothing of transport, and nothing of time."""

from __future__ import annotations

from collections.abc import Sequence

from milepost.client.errors import ProtocolError
from milepost.client.values import to_duration
from milepost.v1 import Estimate, Event, Events, Opened, Status, WatchJobRequest, WatchJobResponse

__all__ = ["Cursor"]


class Cursor:
    """Takes the frames of one stream after the other, and keeps the rule: every event once, in order (rule 2).

    None is missing but, where the server says that it thins a log, progress which later progress stands for.

    Attributes:
        sequence: The last event that was taken.
        epoch: Of the store; empty until a stream has opened.
        first: The oldest event that the store still has.
        head: The newest event that is known of.
        caught_up: Whether the head was reached, on this stream or one before; or the end.
        ended: Whether ``job_ended`` was taken.
        fraction: How much of the job is done, as the last status said; None before the first.
        estimate: How long the job will still take, as the last status said; None without evidence.
    """

    def __init__(
        self,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
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
        self.estimate: Estimate | None = None
        self._job_id = job_id
        self._follow = follow
        self._status_interval = status_interval
        self._opened = False
        self._reached_head = False
        # Up to here the server may have left out progress that later progress stands for.
        self._thinned = 0

    def request(self) -> WatchJobRequest:
        """What to ask a new stream for. Frames are of that stream from now on."""
        self._opened = self._reached_head = False
        return WatchJobRequest(
            job_id=self._job_id,
            after_sequence=self.sequence,
            epoch=self.epoch,
            no_follow=not self._follow,
            status_interval=None if self._status_interval is None else to_duration(self._status_interval),
        )

    @property
    def opened(self) -> bool:
        """Whether the current stream has opened."""
        return self._opened

    @property
    def complete(self) -> bool:
        """Whether a stream that ends well now has brought all that was asked for."""
        return self.ended or (self._reached_head and not self._follow)

    @property
    def maybe_complete(self) -> bool:
        """Whether it may have: a stream that starts at the end of an ended log brings no ``job_ended``."""
        return self._reached_head

    def take(self, frame: WatchJobResponse) -> Sequence[Event]:
        """The events of a frame, all of them new.

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
        if name == "caught_up":
            self.caught_up = self._reached_head = True
            self.head = max(self.head, frame.caught_up.sequence)
        elif name == "status":
            self._status(frame.status)
        return ()  # a frame that is not known here is skipped (rule 9)

    def _open(self, opened: Opened) -> None:
        if opened.cursor != self.sequence:
            raise ProtocolError(
                f"The stream opened after {opened.cursor}, but {self.sequence} was asked for."
            )
        self._opened = True
        self.epoch, self.first = opened.epoch, opened.first_sequence
        self._thinned = opened.thinned_sequence
        self.head = max(self.head, opened.head_sequence)

    def _events(self, frame: Events) -> Sequence[Event]:
        events = frame.events
        if not events:
            return ()
        if self.ended:
            raise ProtocolError(f"Event {events[0].sequence} came after job_ended.")
        sequence = self.sequence
        for event in events:
            if event.sequence != sequence + 1 and not sequence < event.sequence <= self._thinned + 1:
                raise ProtocolError(f"Event {event.sequence} came after {sequence}.")
            sequence = event.sequence
        self.sequence = sequence
        self.head = max(self.head, sequence)
        if events[-1].HasField("job_ended"):
            self.ended = self.caught_up = True
        return events

    def _status(self, status: Status) -> None:
        if status.cursor > self.sequence:
            raise ProtocolError(
                f"The stream stands at {status.cursor}, but has sent only up to {self.sequence}."
            )
        self.head = max(self.head, status.head_sequence)
        self.fraction = status.fraction
        self.estimate = status.estimate if status.HasField("estimate") else None
