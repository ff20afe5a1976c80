"""Commits as the journal makes them, for tests of what is below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.instants import SECOND, instant
from milepost.server.log.event_log import Commit
from milepost.server.log.frames import Chunk, frame
from milepost.v1 import Event, Job, JobEnded, JobState, LogWritten, SubmitJobRequest, Update

__all__ = ["NOW", "Author"]

NOW = 1_700_000_000 * SECOND


class Author:
    """Writes the log of one job, commit by commit. ``events`` are those that were put into commits."""

    def __init__(self, job_id: str, **request: Any) -> None:
        self.events: list[Event] = []
        self.state = Fold()
        self.report_sequence = 0
        self._request = SubmitJobRequest(**{"kind": "k", **request})
        self._job_id = job_id

    def submit(self) -> Commit:
        """The job's first commit."""
        return self.commit([decide.submit(self._request, self._job_id, NOW)])

    def start(self) -> Commit:
        """The start of an attempt."""
        return self.commit([decide.start(self.state.job, "w", NOW)])

    def lines(self, *texts: str) -> Commit:
        """Log lines, reported in one."""
        return self.report(*(Update(log_written=LogWritten(text=text)) for text in texts))

    def succeed(self) -> Commit:
        """The end."""
        return self.report(Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))

    def report(self, *updates: Update) -> Commit:
        """What a worker says, in one."""
        events = []
        for update in updates:
            events.append(decide.report(self.state, update, NOW))
            self.state.apply(events[-1])
        self.report_sequence += len(updates)
        return self.commit(events)

    def commit(self, events: Sequence[Event]) -> Commit:
        """The commit of these events."""
        for event in events:
            self.state.apply(event)
        self.events.extend(events)
        submission = events[0] if events and events[0].HasField("job_submitted") else None
        job = Job()
        job.CopyFrom(self.state.job)
        job.ClearField("input")
        last = job.last_sequence
        return Commit(
            job_id=self._job_id,
            chunk=Chunk(last - len(events) + 1, last, b"".join(map(frame, events))),
            job=job.SerializeToString(),
            state=job.state,
            fraction=job.fraction,
            report_sequence=self.report_sequence,
            time=instant(events[-1].time) if events else NOW,
            turns=any(not event.HasField("log_written") for event in events),
            submission=submission,
        )
