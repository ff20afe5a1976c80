"""Commits as the journal makes them, for tests of logs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.clock import SystemClock
from milepost.server.decide import EventBatch
from milepost.server.journal import Journal
from milepost.server.log.event_log import Commit, EventLog, EventPage
from milepost.server.log.frames import Chunk
from milepost.server.messages.job_epoch import job_epoch
from milepost.server.messages.timestamps import instant
from milepost.server.open_job import OpenJob
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import (
    Event,
    Events,
    Job,
    JobEnded,
    JobState,
    LogWritten,
    Stage,
    StageProgressed,
    StageStarted,
    SubmitJobRequest,
    Update,
)

__all__ = ["Author", "events_of", "positions_of", "put", "put_in_turn", "read", "read_page"]


def positions_of(log: EventLog) -> list[int]:
    """Collect the positions of all entries from now on."""
    positions: list[int] = []
    log.add_listener(lambda entries: positions.extend(entry.position for entry in entries))
    return positions


async def put(log: EventLog, *commits: Commit) -> None:
    """Append the commits at once; return when all are durable."""
    await asyncio.gather(*(log.append(commit) for commit in commits))


async def put_in_turn(log: EventLog, *commits: Commit) -> None:
    """Append one after the other, so that none are coalesced and the order across jobs is fixed."""
    for commit in commits:
        await log.append(commit)


async def read(log: EventLog, job_id: str, cursor: int = 0, max_bytes: int = 1 << 30) -> list[Event]:
    """Read the events after the cursor."""
    return events_of((await read_page(log, job_id, cursor, max_bytes)).chunks)


async def read_page(log: EventLog, job_id: str, cursor: int = 0, max_bytes: int = 1 << 30) -> EventPage:
    """Read a page of an existing job."""
    page = await log.read(job_id, cursor, max_bytes)
    assert page is not None
    return page


def events_of(chunks: Iterable[Chunk]) -> list[Event]:
    """Decode consecutive chunks."""
    found: list[Event] = []
    for chunk in chunks:
        inside = list(Events.FromString(chunk.frames).events)
        assert {event.sequence for event in inside} <= {*range(chunk.first, chunk.last + 1)}
        found += inside
    return found


class _CommitList:
    """Collects a journal's commits in place of a log."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []

    def append(self, commit: Commit) -> PromptFuture[None]:
        """Collect the commit; it counts as durable."""
        self.commits.append(commit)
        future: PromptFuture[None] = PromptFuture()
        future.set_result(None)
        return future


class Author:
    """Makes the commits of one job. ``events`` are all events so far.

    Each method returns the next commit, for the caller to append.
    """

    def __init__(self, job_id: str, **request: Any) -> None:
        self.events: list[Event] = []
        self._request = SubmitJobRequest(**{"kind": "k", **request})
        self._job_id = job_id
        self._opened = OpenJob(Fold())
        self._list = _CommitList()
        # A journal calls no other method of its log when it appends.
        self._journal = Journal(cast("EventLog", self._list), SystemClock())

    @property
    def job(self) -> Job:
        """The job after the last commit, without its input."""
        return self._opened.job

    def epoch(self, log: EventLog) -> str:
        """The epoch of the job in this log."""
        return job_epoch(log.epoch, instant(self.job.submit_time))

    def submit(self) -> Commit:
        """The job's first commit."""
        event = decide.submit(self._request, self._job_id, self._now)
        if self._request.HasField("input"):
            event.job_submitted.job.input.CopyFrom(self._request.input)
        return self._commit([event])

    def start(self) -> Commit:
        """Start an attempt."""
        return self._commit([decide.start(self.job, "w", self._now)])

    def lines(self, *texts: str) -> Commit:
        """Log lines in one report."""
        return self.report(*(Update(log_written=LogWritten(text=text)) for text in texts))

    def succeed(self) -> Commit:
        """End the job as succeeded."""
        return self.report(Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))

    def report(self, *updates: Update) -> Commit:
        """One report of a worker."""
        events = []
        fold = Fold(Job.FromString(self.job.SerializeToString()))
        for update in updates:
            events.append(decide.report(fold, update, self._now))
            fold.apply(events[-1])
        self._opened.report_sequence += len(updates)
        return self._commit(events)

    def progress(self, *amounts: float, stage: str = "s") -> Commit:
        """Progress of a stage with the total 10, in one report."""
        return self.report(
            *(Update(stage_progressed=StageProgressed(stage_id=stage, current=amount)) for amount in amounts)
        )

    def stage(self, *stages: str) -> Commit:
        """Start stages with the total 10."""
        return self.report(
            *(Update(stage_started=StageStarted(stage=Stage(stage_id=name, total=10))) for name in stages)
        )

    def refused(self, count: int) -> Commit:
        """A report whose updates were all refused."""
        self._opened.report_sequence += count
        return self._commit([])

    @property
    def _now(self) -> int:
        return self._journal.now(self._opened)

    def _commit(self, events: Sequence[Event]) -> Commit:
        self.events.extend(Event.FromString(event.SerializeToString()) for event in events)
        time = instant(events[-1].time) if events else 0
        batch = EventBatch.apply(self._opened.fold, events, time)
        assert self._journal.append(self._opened, batch).done()
        return self._list.commits[-1]
