"""What is known of a job that is being watched, as the views show it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from milepost.client._cli.rendering import text
from milepost.client._watch.job_watch import Connection
from milepost.contract.job_states import has_ended
from milepost.fold import Fold
from milepost.v1 import Estimate, Event, Job, Waiting

__all__ = ["LogLine", "WatchSource", "WatchedJob"]

_LOG_LINE_LIMIT = 20


class WatchSource(Protocol):
    """Where the events come from; a `Watch`."""

    @property
    def head(self) -> int:
        """The newest event that is known of."""

    @property
    def estimate(self) -> Estimate | None:
        """How long the job will still apply."""

    @property
    def waiting(self) -> Waiting | None:
        """What the job waits for."""

    @property
    def connection(self) -> Connection:
        """How the connection is."""


@dataclass(frozen=True)
class LogLine:
    """A line of the job's own log; an event whose text has several lines gives several of these."""

    event: Event
    text: str


@dataclass
class WatchedJob:
    """A job that is being watched. Changed by ``apply`` and ``connection_changed``, read by the views."""

    fold: Fold
    source: WatchSource
    connection_since: datetime
    """When the connection came to be as it is."""
    cursor: int = 0
    """The sequence of the last event that came."""
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=_LOG_LINE_LIMIT))

    @property
    def job(self) -> Job:
        """The job as of ``cursor`` or, where the watch started amid the log, as of when it started."""
        return self.fold.job

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return has_ended(self.job)

    @property
    def behind(self) -> int:
        """How many events are known of that have not come yet."""
        return max(self.source.head - self.cursor, 0)

    @property
    def estimate(self) -> Estimate | None:
        """How long the job will still apply; ``None`` without evidence."""
        return self.source.estimate or (self.job.estimate if self.job.HasField("estimate") else None)

    def apply(self, event: Event) -> None:
        """Takes in the next event."""
        self.fold.apply(event)
        self.cursor = event.sequence
        if event.HasField("log_written"):
            self.log.extend(LogLine(event, line) for line in text.clean(event.log_written.text).split("\n"))

    def connection_changed(self, now: datetime) -> None:
        """The connection has changed."""
        self.connection_since = now
