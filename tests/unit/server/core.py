"""The server without its edge: what decides and keeps, on a log of its own and a clock that is moved by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.base.timestamps import SECOND
from milepost.server.dispatch.attempts import Acceptance, Attempts
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.followers.child_cancellation import ChildCancellation
from milepost.server.followers.transitions import follow_transitions
from milepost.server.journal import CACHE_BYTES, Journal
from milepost.server.submissions import Submissions
from milepost.v1 import Event, Events, Job, SubmitJobRequest, Update
from tests.support.clock import FakeClock
from tests.support.held_log import HeldLog

__all__ = ["Core"]


class Core:
    """All of it, and what tests ask of it."""

    def __init__(self, directory: Path, cache_bytes: int = CACHE_BYTES) -> None:
        self.log = HeldLog(directory)
        self.clock = FakeClock()
        self.journal = Journal(self.log, self.clock, cache_bytes)
        self.tokens = LeaseTokens(self.log.lease_secret, self.log.epoch)
        self.attempts = Attempts(self.journal, self.tokens)
        self.submissions = Submissions(self.log, self.journal, self.clock)
        self.tasks = Tasks()
        self.roster = WorkerRegistry(self.clock)
        self.sessions = SessionTable(self.clock, self.roster)
        self.log.add_listener(self.journal.on_entries)
        follow_transitions(self.log, ChildCancellation(self.log, self.journal, self.tasks).on_transition)

    async def close(self) -> None:
        """Ends it."""
        await self.tasks.close()
        await self.log.close()

    async def submit(self, job_id: str = "j", **fields: Any) -> Job:
        """Submits a job."""
        return await self.submissions.submit(SubmitJobRequest(**{"job_id": job_id, "kind": "k", **fields}))

    async def start(self, job_id: str = "j", *, claimed: bool = False) -> str:
        """Starts an attempt; its token."""
        started = await self.attempts.start(job_id, "w", instance="i", claimed=claimed)
        await started.durable
        return (await self.attempts.assignment(job_id, started.attempt))[1]

    async def report(self, token: str, *updates: Update, job_id: str = "j") -> Acceptance:
        """Reports what comes next, as a whole, and waits until that is durable."""
        first = (await self.journal.open(job_id)).report_sequence + 1
        return await (await self.attempts.report(job_id, token, first, updates, atomic=True)).durable

    async def cancel(self, grace: float, job_id: str = "j") -> None:
        """Asks for a job to be cancelled."""
        await self.journal.commit(
            job_id,
            partial(decide.cancel, reason="r", requested_by="b", grace_period=int(grace * SECOND)),
        )

    async def pass_time(self, seconds: float, job_id: str = "j", *, lease_is_out: bool = False) -> None:
        """Lets time pass, and happen to the job what is due."""
        self.clock.advance(seconds)
        await self.journal.commit(job_id, partial(decide.due, lease_is_out=lease_is_out))

    async def events(self, job_id: str = "j", after: int = 0) -> list[Event]:
        """The job's log."""
        page = await self.log.read(job_id, after, 1 << 30)
        assert page is not None
        return [event for chunk in page.chunks for event in Events.FromString(chunk.frames).events]
