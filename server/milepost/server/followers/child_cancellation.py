"""Cancelling a job cancels its children (rule 18), and theirs."""

from __future__ import annotations

import asyncio

from milepost.contract.job_states import ACTIVE
from milepost.server import decide
from milepost.server.journal import Decision, Journal, OpenJob
from milepost.server.log.event_log import EventLog, Query
from milepost.server.rpc.refusal import Refusal
from milepost.server.rpc.store_errors import STORE_ERRORS
from milepost.server.runtime.background_tasks import Tasks
from milepost.server.runtime.timestamps import instant
from milepost.v1 import Event, Job, JobState

_PAGE = 1000

# When to try again after the store took nothing, in seconds.
_STORE_WAIT = 1.0


class ChildCancellation:
    """Carries cancellations from parents to children."""

    def __init__(self, log: EventLog, journal: Journal, tasks: Tasks) -> None:
        self._log = log
        self._journal = journal
        self._tasks = tasks

    def on_transition(self, job: Job) -> None:
        """Cancels the children of a job that is cancelled, or being cancelled."""
        if job.state in (JobState.JOB_STATE_CANCELLING, JobState.JOB_STATE_CANCELLED):
            self._tasks.start(self._cancel_children(job))
        elif job.state == JobState.JOB_STATE_QUEUED and job.parent_job_id:
            self._tasks.start(self.recover(job))

    async def recover(self, active: Job) -> None:
        """Cancels a job whose parent was cancelled while it was being accepted, or while the server was not there."""
        if active.parent_job_id:
            parent = await self._log.load(active.parent_job_id)
            if parent is not None:
                self.on_transition(parent.job)

    async def _cancel_children(self, parent: Job) -> None:
        grace_period = max(
            instant(parent.cancellation.deadline) - instant(parent.cancellation.request_time), 0
        )

        def decision(opened: OpenJob, now: int) -> list[Event]:
            return decide.cancel(
                opened.job,
                reason=parent.cancellation.reason,
                requested_by=f"parent job {parent.job_id}",
                grace_period=grace_period,
                now=now,
            )

        after: int | None = None
        while True:
            query = Query(
                parent_job_id=parent.job_id,
                states=sorted(ACTIVE),
                newest_first=False,
                after=after,
                limit=_PAGE,
            )
            children = await self._log.query(query)
            for after, child in children.jobs:
                await self._cancel(child.job_id, decision)
            if not children.more:
                return

    async def _cancel(self, job_id: str, decision: Decision) -> None:
        """Cancels one, however long the store takes nothing."""
        while True:
            try:
                await self._journal.act(job_id, decision)
            except Refusal:  # it was deleted meanwhile
                return
            except STORE_ERRORS:
                await asyncio.sleep(_STORE_WAIT)
            else:
                return
