"""Attempts at jobs: start, resume, release. Each write is authorised by the attempt's lease token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from milepost.contract.job_states import LEASED, has_ended
from milepost.server import decide
from milepost.server.base.refusal import Refusal, attempt_over, lease_lost
from milepost.server.dispatch.attempt_key import AttemptKey, StartedAttempt
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.forecasting.learned_stages import LearnedStages
from milepost.server.journal import Decision, Journal
from milepost.server.log.log_errors import StoreBehind, StoreError
from milepost.server.scheduling.callers import SERVER
from milepost.v1 import Cancellation, Event, Job, JobState


class Attempts:
    """The operations of a lease, apart from reports (``Reports``).

    ``learned`` reads the earlier durations of the stages of a kind before an attempt reports.
    """

    def __init__(
        self,
        journal: Journal,
        tokens: LeaseTokens,
        learned: LearnedStages | None = None,
    ) -> None:
        self._journal = journal
        self._tokens = tokens
        self._learned = LearnedStages() if learned is None else learned

    async def start(
        self,
        job_id: str,
        worker_id: str,
        *,
        instance: str = "",
        claimed: bool = False,
        admit: Callable[[Job], None] | None = None,
        caller: str = SERVER,
    ) -> StartedAttempt:
        """Decide that the next attempt starts. ``admit`` is called last, and may raise a Refusal.

        Raises JOB_ENDED, also where the job's start deadline has passed; LEASE_LOST, INVALID_FIELD, and as ``admit``.
        """
        time = 0

        def decision(job: Job, now: int) -> list[Event]:
            nonlocal time
            if job.state == JobState.JOB_STATE_QUEUED:
                overdue = decide.due(job, now, lease_is_out=False, age=self._journal.ages.age)
                if overdue:
                    return overdue
            event = decide.start(job, worker_id, now, instance=instance, claimed=claimed)
            if admit is not None:
                admit(job)
            opened = self._journal.open_nowait(job_id)
            time = now if opened is not None and now > opened.time else 0
            return [event]

        opened, durable = await self._journal.apply(job_id, decision, caller=caller)
        if has_ended(opened.job):
            refusal = attempt_over(opened.job)
            await asyncio.shield(durable)
            raise refusal
        return StartedAttempt(AttemptKey.of(opened.job), time, worker_id, instance, durable)

    async def prepare_claim(self, job_id: str, *, caller: str = SERVER) -> None:
        """Catch up with the job unless it waits for a start, so that no claim is refused for an attempt that is over.

        Another node may have acknowledged its end to an engine that claims the next one here. Raises JOB_NOT_FOUND,
        StoreBehind.
        """
        opened = await self._journal.open(job_id, caller=caller)
        if opened.job.state != JobState.JOB_STATE_QUEUED:
            await self._journal.catch_up(job_id)

    async def assignment(self, job_id: str, key: AttemptKey, *, caller: str = SERVER) -> tuple[Job, str]:
        """Return the job, with its input, and the lease token of the attempt that has started.

        Raises LEASE_LOST or JOB_ENDED where that attempt is over already.
        """
        attributes = (await self._journal.open(job_id, caller=caller)).attributes
        await self._learned.prepare(attributes.owner, attributes.kind)
        # Read after that, which may take long: meanwhile the attempt may end.
        job = await self._journal.find(job_id, caller=caller)
        if AttemptKey.of(job) != key:
            raise lease_lost(job)
        token = self._tokens.token(job, key.attempt)
        self._tokens.check(job, token)
        return job, token

    async def undo_start(
        self,
        job_id: str,
        key: AttemptKey,
        undo: Decision = decide.assignment_lost,
    ) -> None:
        """Requeue a job whose worker never received the attempt. Do nothing where the attempt is over already."""

        def decision(job: Job, now: int) -> Sequence[Event]:
            if AttemptKey.of(job) != key or job.state not in LEASED:
                return []
            return undo(job, now)

        await self._journal.commit(job_id, decision)

    async def release(self, job_id: str, token: str, *, caller: str = SERVER) -> None:
        """Requeue a job that its worker gives up. Raises LEASE_LOST, JOB_ENDED."""

        def decision(job: Job, now: int) -> list[Event]:
            self._tokens.check(job, token)
            return decide.release(job, now)

        await self._journal.commit(job_id, decision, caller=caller)

    async def resume(self, job_id: str, token: str, *, caller: str = SERVER) -> tuple[int, Job]:
        """Return the last durable report of a running attempt, and the job. Raises LEASE_LOST, JOB_ENDED.

        While the store is away, attempts that this node knows go on; of any other it raises StoreBehind.
        """
        is_behind = False

        def decision(job: Job, _: int) -> list[Event]:
            if is_behind and not self._tokens.holds(job, token):
                raise StoreBehind(f"the attempt at job {job_id!r} may have begun at another node")
            self._tokens.check(job, token)
            return []

        try:
            # The worker may have been connected to another node until now.
            await self._journal.catch_up(job_id)
        except StoreBehind:
            is_behind = True
        opened = await self._journal.commit(job_id, decision, caller=caller)
        await self._learned.prepare(opened.job.owner, opened.job.kind)
        job = await self._journal.find(job_id, caller=caller)
        # By now it may be over, or its id that of a later job.
        self._tokens.check(job, token)
        return opened.report_sequence, job

    async def cancellation(self, job_id: str, token: str, *, caller: str = SERVER) -> Cancellation | None:
        """Return how the job of the current or last attempt is cancelled.

        None if it is not, is deleted by now, or cannot be read: that is no reason to refuse what is durable, and the
        next report brings it.
        """
        try:
            job = await self._journal.find(job_id, caller=caller)
        except (Refusal, StoreError):
            return None
        return job.cancellation if self._tokens.holds(job, token) and job.HasField("cancellation") else None
