"""The core of a server without gRPC, on its own log and a manual clock."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from milepost.server import decide
from milepost.server.background_tasks import Tasks
from milepost.server.dispatch.attempt_key import AttemptKey
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.reports import Acceptance, Reports
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.followers.child_cancellation import ChildCancellation
from milepost.server.followers.transitions import follow_transitions
from milepost.server.journal import CACHE_BYTES, Journal
from milepost.server.messages.timestamps import SECOND, duration
from milepost.server.submissions import Submissions
from milepost.v1 import CancelJobRequest, Event, Events, Job, SubmitJobRequest, Update
from tests.support.clock import FakeClock
from tests.support.held_log import HeldLog

__all__ = ["Core"]


class Core:
    """The parts of the core, and shortcuts for tests."""

    def __init__(self, directory: Path, cache_bytes: int = CACHE_BYTES) -> None:
        self.log = HeldLog(directory)
        self.clock = FakeClock()
        self.journal = Journal(self.log, self.clock, cache_bytes)
        self.tokens = LeaseTokens(self.log.lease_secret, self.log.epoch)
        self.attempts = Attempts(self.journal, self.tokens)
        self.reports = Reports(self.journal, self.tokens)
        self.submissions = Submissions(self.log, self.journal, self.clock)
        self.tasks = Tasks()
        self.registry = WorkerRegistry(self.clock)
        self.sessions = SessionTable(self.clock, self.registry)
        self.log.add_listener(self.journal.on_entries)
        follow_transitions(self.log, ChildCancellation(self.log, self.journal, self.tasks).on_transition)

    async def close(self) -> None:
        """Close the core."""
        await self.tasks.close()
        await self.log.close()

    async def submit(self, job_id: str = "j", **fields: Any) -> Job:
        """Submit a job."""
        return await self.submissions.submit(SubmitJobRequest(**{"job_id": job_id, "kind": "k", **fields}))

    async def start(self, job_id: str = "j", *, claimed: bool = False) -> str:
        """Start an attempt; return its lease token."""
        started = await self.attempts.start(job_id, "w", instance="i", claimed=claimed)
        await started.durable
        return (await self.attempts.assignment(job_id, started.key))[1]

    async def undo_start(self, job_id: str, attempt: int) -> None:
        """Requeue the present job with this id, whose worker never received the attempt."""
        key = AttemptKey.of(await self.journal.find(job_id))
        await self.attempts.undo_start(job_id, key._replace(attempt=attempt))

    def token(self, job_id: str, attempt: int) -> str:
        """The lease token of an attempt at an open job."""
        opened = self.journal.open_nowait(job_id)
        assert opened is not None
        return self.tokens.token(opened.job, attempt)

    async def report(self, token: str, *updates: Update, job_id: str = "j") -> Acceptance:
        """Report atomically, and wait until the report is durable."""
        first = (await self.journal.open(job_id)).report_sequence + 1
        return await (await self.reports.accept(job_id, token, first, updates, atomic=True)).durable

    async def cancel(self, grace: float, job_id: str = "j") -> None:
        """Request the cancellation of a job."""
        await self.journal.commit(
            job_id,
            partial(decide.cancel, reason="r", requested_by="b", grace_period=int(grace * SECOND)),
        )

    async def cancel_as_users_do(self, grace: float, job_id: str = "j") -> None:
        """Asks as ``CancelJob`` does: what time has passed is measured as the server does."""
        request = CancelJobRequest(job_id=job_id, grace_period=duration(grace))
        await self.journal.commit(job_id, decide.cancel_requested(request, self.journal.ages.age))

    async def pass_time(self, seconds: float, job_id: str = "j", *, lease_is_out: bool = False) -> None:
        """Advance the clock, and apply what is due for the job."""
        self.clock.advance(seconds)
        await self.journal.commit(job_id, partial(decide.due, lease_is_out=lease_is_out))

    async def events(self, job_id: str = "j", after: int = 0) -> list[Event]:
        """Read the job's events."""
        page = await self.log.read(job_id, after, 1 << 30)
        assert page is not None
        return [event for chunk in page.chunks for event in Events.FromString(chunk.frames).events]
