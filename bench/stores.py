"""Stores of many jobs, written by the server's own parts without gRPC."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import work
from bench.figures import OURS, Settings
from bench.processes import Load
from milepost.server import decide
from milepost.server.base.clock import SystemClock
from milepost.server.base.refusal import job_ended
from milepost.server.journal import Journal
from milepost.server.log.coalescing import COMMIT_BYTES_LIMIT
from milepost.server.log.sqlite.schema import MIGRATIONS
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.open_job import OpenJob
from milepost.server.submissions import Submissions
from milepost.v1 import (
    Dispatch,
    JobEnded,
    JobState,
    Stage,
    StageStarted,
    SubmitJobRequest,
    Update,
)

__all__ = ["EVENTS", "Opened", "Store", "growing", "largest"]

EVENTS = 50
"""Events of each job, in two commits; every hundredth job still runs, and lacks the last."""

_CONCURRENT_JOBS = 1000

_STAGE = Stage(stage_id="hash", total=1e12)
_START = Update(stage_started=StageStarted(stage=_STAGE))
_END = Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED))


class Store(NamedTuple):
    """A store with a number of jobs."""

    jobs: int
    path: Path

    @property
    def name(self) -> str:
        """The name for people."""
        return f"{self.jobs:,} jobs"


def growing(settings: Settings) -> Mapping[str, Store]:
    """Copies of stores by name, each ten times the size of the next; the largest first, under Milepost's name."""
    sizes = (100_000, 10_000, 1000, 100) if settings.full else (20_000, 2000, 200)
    stores = [_copy(jobs, settings) for jobs in sizes]
    return {OURS: stores[0], **{store.name: store for store in stores[1:]}}


def largest(settings: Settings) -> Mapping[str, Store]:
    """The first and the last store of ``growing``."""
    stores = [_copy(jobs, settings) for jobs in ((100_000, 100) if settings.full else (20_000, 200))]
    return {OURS: stores[0], stores[1].name: stores[1]}


def _copy(jobs: int, settings: Settings) -> Store:
    """Copy a store, which is created once and reused by later runs."""
    made = settings.stores / f"{jobs}-jobs-schema-{len(MIGRATIONS)}"
    if not made.exists():
        fresh = settings.directory / "made"
        fresh.mkdir()
        with Load.start() as load:
            load.begin(_make, fresh, jobs)
            load.step(timeout=900)
        settings.stores.mkdir(parents=True, exist_ok=True)
        fresh.rename(made)
    copy = settings.directory / f"store-{jobs}"
    shutil.copytree(made, copy)
    os.sync()  # not during the measurement
    return Store(jobs, copy)


class Opened(NamedTuple):
    """The parts of a server that store jobs."""

    log: SqliteEventLog
    journal: Journal
    submissions: Submissions

    @classmethod
    def at(cls, path: Path) -> Opened:
        """Open the store."""
        clock = SystemClock()
        log = SqliteEventLog(path)
        journal = Journal(log, clock)
        return cls(log, journal, Submissions(log, journal, clock))

    async def run(self, request: SubmitJobRequest) -> OpenJob:
        """Submit a job and start it."""
        job = await self.submissions.submit(request)
        opened = await self.journal.open(job.job_id)
        await self.append(opened, [_START])
        return opened

    async def append(self, opened: OpenJob, updates: Sequence[Update]) -> None:
        """Append updates; durable on return."""
        now = self.journal.now(opened)
        if opened.job.state == JobState.JOB_STATE_QUEUED:
            await self.journal.commit(opened.job.job_id, lambda job, now: [decide.start(job, "bench", now)])
        batches = decide.report_batches(
            opened.fold, updates, 1, now, size=opened.size, batch_bytes=COMMIT_BYTES_LIMIT, over=job_ended
        )
        await asyncio.gather(
            *[self.journal.append(opened, batch.events) for batch in batches if batch is not None]
        )


def _request_of(number: int) -> SubmitJobRequest:
    """The request of a job: owners and kinds have equally many jobs each, but an owner has no jobs of most kinds."""
    return SubmitJobRequest(
        job_id=f"job-{number}",
        kind=f"kind-{number % 10}",
        owner=f"owner-{number % 100}",
        labels={"team": str(number % 50), "env": "prod"},
        stages=[_STAGE],
        dispatch=Dispatch.DISPATCH_EXTERNAL,
    )


# --- In a process of its own ----------------------------------------------------------------------------------


async def _make(path: Path, jobs: int) -> AsyncGenerator[None]:
    parts = Opened.at(path)
    for first in range(0, jobs, _CONCURRENT_JOBS):
        await asyncio.gather(
            *(_job(parts, number) for number in range(first, min(first + _CONCURRENT_JOBS, jobs)))
        )
    await parts.log.close()
    yield


async def _job(parts: Opened, number: int) -> None:
    job = await parts.submissions.submit(_request_of(number))
    opened = await parts.journal.open(job.job_id)
    updates = [_START, *work.progress(1, EVENTS - 4)]
    await parts.append(opened, [*updates, _END] if number % 100 else updates)
