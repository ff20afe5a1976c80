"""State of a watched job, as views show it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from milepost.client._cli.rendering import text
from milepost.client._watch.connection_state import Connection
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Estimate, Event, Job, JobState, Waiting

__all__ = ["LogLine", "WatchSource", "WatchedJob"]

_LOG_LINE_LIMIT: Final = 20


class WatchSource(Protocol):
    """Source of the events: a `JobWatch` or a test double."""

    @property
    def head(self) -> int:
        """Sequence of the newest event of the job."""

    @property
    def estimate(self) -> Estimate | None:
        """Remaining time of the job."""

    @property
    def waiting(self) -> Waiting | None:
        """Why the job is queued."""

    @property
    def connection(self) -> Connection:
        """State of the connection."""


@dataclass(frozen=True)
class LogLine:
    """One line of the job's log. An event with several lines of text becomes several of these."""

    event: Event
    text: str


@dataclass
class WatchedJob:
    """A job as of the last event received, with the state of its connection.

    Attributes:
        fold: The job and its stages.
        source: Source of the events.
        connection_since: When the connection entered its current state.
        waiting_at_first: Why the job was queued when it was fetched: a stream says so only after a while.
        cursor: Sequence of the last event received.
        log: The last lines of the job's log.
    """

    fold: Fold
    source: WatchSource
    connection_since: datetime
    waiting_at_first: Waiting | None = None
    cursor: int = 0
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=_LOG_LINE_LIMIT))

    @property
    def job(self) -> Job:
        """The job as of ``cursor``; if the watch started amid the log, as of its start until events arrive."""
        return self.fold.job

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return has_ended(self.job)

    @property
    def behind(self) -> int:
        """Number of known events that have not arrived yet."""
        return max(self.source.head - self.cursor, 0)

    @property
    def estimate(self) -> Estimate | None:
        """Remaining time of the job; None without evidence."""
        return self.source.estimate

    @property
    def waiting(self) -> Waiting | None:
        """Why the job is queued; None if unknown or not queued."""
        return self.source.waiting or self.waiting_at_first

    def apply(self, event: Event) -> None:
        """Apply the next event."""
        self.fold.apply(event)
        if self.job.state != JobState.JOB_STATE_QUEUED:
            self.waiting_at_first = None
        self.cursor = event.sequence
        if event.HasField("log_written"):
            self.log.extend(LogLine(event, line) for line in text.escaped(event.log_written.text).split("\n"))

    def connection_changed(self, now: datetime) -> None:
        """Record that the connection entered another state at ``now``."""
        self.connection_since = now
