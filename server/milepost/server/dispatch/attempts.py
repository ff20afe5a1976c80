"""Attempts at jobs: started, reported on, given back; each write proved by its lease token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from milepost.contract.job_states import LEASED, has_ended
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.decide import Rejection, ReportBatch
from milepost.server.dispatch.conflict_retry import ConflictRetry
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.journal import Journal, OpenJob
from milepost.server.log.sqlite.coalescing import COMMIT_BYTES_LIMIT
from milepost.server.rpc.refusal import Refusal, job_ended, lease_lost
from milepost.v1 import ErrorReason, Event, Job, JobState, Update


@dataclass(slots=True, frozen=True)
class Accepted:
    """What became of a report; ``durable`` is done when everything up to ``report_sequence`` is."""

    report_sequence: int
    last_sequence: int
    rejections: Sequence[Rejection]
    over: bool
    """Whether the attempt has ended by it."""
    durable: asyncio.Future[None]


@dataclass(slots=True, frozen=True)
class Started:
    """An attempt that was decided to start; it has when ``durable`` is done."""

    attempt: int
    durable: asyncio.Future[None]


class Attempts:
    """What may be done under a lease."""

    def __init__(self, journal: Journal, tokens: LeaseTokens) -> None:
        self._journal = journal
        self._tokens = tokens
        self._redoing: ConflictRetry[Accepted] = ConflictRetry()

    async def start(
        self,
        job_id: str,
        worker_id: str,
        *,
        instance: str = "",
        claimed: bool = False,
        admit: Callable[[Job], None] | None = None,
    ) -> Started:
        """Decides that the next attempt starts. ``admit`` has the last word on it, and may raise a Refusal.

        Raises JOB_ENDED, also where the job's time to start is over; LEASE_LOST, INVALID_FIELD, and as ``admit``.
        """

        def decision(opened: OpenJob, now: int) -> list[Event]:
            if opened.job.state == JobState.JOB_STATE_QUEUED:
                overdue = decide.due(opened.job, now, lease_is_out=False)
                if overdue:
                    return overdue
            event = decide.start(opened.job, worker_id, now, instance=instance, claimed=claimed)
            if admit is not None:
                admit(opened.job)
            opened.report_sequence = 0
            return [event]

        opened, durable = await self._journal.begin(job_id, decision)
        if has_ended(opened.job):
            refusal = _over(opened.job)
            await asyncio.shield(durable)
            raise refusal
        return Started(opened.job.attempt, durable)

    async def started(self, job_id: str, attempt: int) -> tuple[Job, str]:
        """The job, with its input, and the lease token of the attempt that has started.

        Raises LEASE_LOST or JOB_ENDED where that attempt is over already.
        """
        job = await self._journal.find(job_id)
        token = self._tokens.token(job_id, attempt)
        self._check_lease(job, token)
        return job, token

    async def lost(
        self, job_id: str, attempt: int, why: Callable[[Job, int], list[Event]] = decide.lost_on_its_way
    ) -> None:
        """Gives a job back whose worker never heard of the attempt; nothing where the attempt is over already."""

        def decision(opened: OpenJob, now: int) -> list[Event]:
            if opened.job.attempt != attempt or opened.job.state not in LEASED:
                return []
            return why(opened.job, now)

        await self._journal.act(job_id, decision)

    async def release(self, job_id: str, token: str) -> None:
        """Gives a job back unharmed. Raises LEASE_LOST, JOB_ENDED."""

        def decision(opened: OpenJob, now: int) -> list[Event]:
            self._check_lease(opened.job, token)
            return decide.release(opened.job, now)

        await self._journal.act(job_id, decision)

    async def resume(self, job_id: str, token: str) -> tuple[int, Job]:
        """The last durable report of an attempt that goes on, and the job. Raises LEASE_LOST, JOB_ENDED."""

        def decision(opened: OpenJob, _: int) -> list[Event]:
            self._check_lease(opened.job, token)
            return []

        await self._journal.refresh(job_id)  # it may have worked through another node until now
        opened = await self._journal.act(job_id, decision)
        return opened.report_sequence, await self._journal.find(job_id)

    async def report(
        self, job_id: str, token: str, first: int, updates: Sequence[Update], *, whole: bool = False
    ) -> Accepted:
        """Takes reports, from the number ``first`` on (rule 11). With ``whole`` it takes all of them, or none.

        Raises LEASE_LOST, JOB_ENDED and REPORT_GAP; with ``whole`` also what the first bad update is refused for.
        Without, such an update is among the rejections, and the others are taken.
        """
        opened = await self._open_in_turn(job_id)
        if not self._tokens.holds(opened.job, token) or first > opened.report_sequence + 1:
            # What came before may have gone through another node, and not be known here yet.
            await self._journal.refresh(job_id)
        return await self._decide(lambda: self._open_in_turn(job_id), token, first, updates, whole=whole)

    def settled(
        self,
        accepted: Accepted,
        job_id: str,
        token: str,
        first: int,
        updates: Sequence[Update],
        *,
        whole: bool = False,
    ) -> asyncio.Future[Accepted]:
        """What became of the report in the end, once it is durable; to be asked right after ``report`` has returned.

        It is another than ``accepted`` where another node had gone on with the job. Raises as ``report`` then.
        """

        async def again() -> Accepted:
            return await self._decide(lambda: self._journal.open(job_id), token, first, updates, whole=whole)

        return self._redoing.follow(job_id, accepted, again)

    async def _decide(
        self,
        open_job: Callable[[], Awaitable[OpenJob]],
        token: str,
        first: int,
        updates: Sequence[Update],
        *,
        whole: bool,
    ) -> Accepted:
        """See ``report``. Nobody is refused for what is not durable yet."""
        while True:
            opened = await open_job()
            try:
                return self._report(opened, token, first, updates, whole=whole)
            except Refusal:
                if not opened.pending:
                    raise
                await self._journal.settle(opened)

    async def _open_in_turn(self, job_id: str) -> OpenJob:
        """The job, once nothing of it is being decided again that came before."""
        while True:
            await self._redoing.idle(job_id)
            opened = await self._journal.open(job_id)
            if not self._redoing.is_busy(job_id):
                return opened

    def _report(
        self, opened: OpenJob, token: str, first: int, updates: Sequence[Update], *, whole: bool
    ) -> Accepted:
        """See ``report``. Nothing is awaited, so that reports keep their order."""
        job, job_id = opened.job, opened.attributes.job_id
        if not self._tokens.holds(job, token):
            raise lease_lost(job)
        expected = opened.report_sequence + 1
        if not 1 <= first <= expected:
            raise _gap(job_id, expected, first)
        fresh = updates[expected - first :]
        if not fresh:  # it was taken before: acknowledged once that is durable
            return self._accepted(opened, [], self._journal.append(opened, []))
        self._check_lease(job, token)
        now, fold = self._journal.now(opened), opened.fold
        if whole:
            fold = Fold(Job.FromString(job.SerializeToString()))
        batches = decide.report_batches(
            fold, fresh, expected, now, size=opened.size, batch_bytes=COMMIT_BYTES_LIMIT, over=_over
        )
        if whole:
            # All of it is decided before any of it counts, on a copy that takes the job's place.
            batches = iter(list(_whole(batches, expected - first, expected)))
            opened.fold = fold
        rejections: list[Rejection] = []
        appended: list[asyncio.Future[None]] = []
        for batch in batches:
            opened.report_sequence = batch.report_sequence
            appended.append(self._journal.append_batch(opened, batch.events))
            rejections += batch.rejections
        return self._accepted(opened, rejections, appended[-1])

    def _accepted(
        self, opened: OpenJob, rejections: Sequence[Rejection], durable: asyncio.Future[None]
    ) -> Accepted:
        return Accepted(
            report_sequence=opened.report_sequence,
            last_sequence=opened.job.last_sequence,
            rejections=rejections,
            over=opened.job.state not in LEASED,
            durable=durable,
        )

    async def job(self, job_id: str) -> Job:
        """The job as of its last durable event."""
        return await self._journal.find(job_id)

    def _check_lease(self, job: Job, token: str) -> None:
        """The lease is that of the current attempt, and the attempt is not over."""
        if not self._tokens.holds(job, token):
            raise lease_lost(job)
        if job.state not in LEASED:
            raise _over(job)


def _whole(batches: Iterator[ReportBatch], skipped: int, expected: int) -> Iterator[ReportBatch]:
    """The batches of a report, none of whose updates may be refused; ``skipped`` of the request were taken before.

    Raises what the first bad update is refused for, with its place in the request.
    """
    for batch in batches:
        for number, refusal in batch.rejections:
            raise refusal.within(f"updates[{number - expected + skipped}]")
        yield batch


def _over(job: Job) -> Refusal:
    """What there is to say to the worker of an attempt that is over."""
    if has_ended(job):
        return job_ended(job)
    return lease_lost(job)


def _gap(job_id: str, expected: int, received: int) -> Refusal:
    return Refusal(
        ErrorReason.ERROR_REASON_REPORT_GAP,
        f"Report {received} of job {job_id!r} came where {expected} was expected. Send from {expected}.",
        metadata={"job_id": job_id, "expected": expected, "received": received},
    )
