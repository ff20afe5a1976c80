"""Accept the reports of attempts: check the lease and the report number, decide, append, and retry after conflicts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple, TypeAlias, TypeVar

from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal, attempt_over, lease_lost, report_gap
from milepost.server.decide import Rejection, ReportBatch
from milepost.server.dispatch.conflict_retry import ConflictRetry
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.forecasting.learned_stages import LearnedStages
from milepost.server.journal import Journal
from milepost.server.log.coalescing import COMMIT_BYTES_LIMIT
from milepost.server.log.log_errors import Conflict
from milepost.server.open_job import OpenJob
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture, failed_future
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import SLICE_STEPS, Steps
from milepost.v1 import Job, Update


class Acceptance(NamedTuple):
    """The outcome of a report.

    Attributes:
        report_sequence: The number of the last report that is accepted.
        last_sequence: The job's last event.
        rejections: The updates that were refused.
        over: Whether the report ended the attempt.
    """

    report_sequence: int
    last_sequence: int
    rejections: Sequence[Rejection]
    over: bool


class PendingReport(NamedTuple):
    """A report that is accepted and being made durable.

    Attributes:
        accepted: The outcome as decided now.
        durable: Resolves to the outcome when everything up to its ``report_sequence`` is durable. The outcome is
            another than ``accepted`` where another node had appended to the job first. Raises as ``Reports.accept``.
    """

    accepted: Acceptance
    durable: PromptFuture[Acceptance]


class _Request(NamedTuple):
    job_id: str
    token: str
    first: int
    updates: Sequence[Update]
    size: int | None
    atomic: bool
    caller: str
    during: Callable[[str], AbstractContextManager[object]]


_Decided: TypeAlias = "tuple[Acceptance, PromptFuture[None]]"
"""The outcome of a report, and a future that resolves when it is durable."""

_Outcome = TypeVar("_Outcome")


class Reports:
    """Reports of attempts, accepted in order (rule 11).

    ``learned`` has the earlier durations of stages, from which stages without a weight get one.
    """

    def __init__(
        self,
        journal: Journal,
        tokens: LeaseTokens,
        slices: Slices | None = None,
        learned: LearnedStages | None = None,
    ) -> None:
        self._journal = journal
        self._tokens = tokens
        self._slices = Slices() if slices is None else slices
        self._learned = LearnedStages() if learned is None else learned
        self._retries: ConflictRetry[Acceptance] = ConflictRetry()

    async def accept(
        self,
        job_id: str,
        token: str,
        first: int,
        updates: Sequence[Update],
        *,
        size: int | None = None,
        atomic: bool = False,
        caller: str = SERVER,
        during: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> PendingReport:
        """Accept reports, numbered from ``first`` on (rule 11). With ``atomic``, accept all of them or none.

        ``size`` is the bytes of the updates, at most, where that is known. A long report is decided in slices (see
        ``Slices``; ``caller`` has sent it), within ``during(job_id)``.

        Raises LEASE_LOST, JOB_ENDED and REPORT_GAP; with ``atomic`` also the refusal of the first bad update. Without,
        such an update is among the rejections, and the others are accepted.
        """
        pending = self.accept_nowait(job_id, token, first, updates, size, caller, atomic=atomic)
        if pending is not None:
            return pending
        request = _Request(job_id, token, first, updates, size, atomic, caller, during)
        opened = await self._open_in_order(job_id, caller)
        if not self._tokens.holds(opened.job, token) or first > opened.report_sequence + 1:
            # Another node may have accepted earlier reports that this one has not read yet.
            await self._journal.catch_up(job_id)
            opened = await self._open_in_order(job_id, caller)
        return await self._decide(
            self._open_in_order, request, partial(self._pending_report, request), opened
        )

    def accept_nowait(
        self,
        job_id: str,
        token: str,
        first: int,
        updates: Sequence[Update],
        size: int | None,
        caller: str,
        *,
        atomic: bool = False,
    ) -> PendingReport | None:
        """Accept the next report of an open job if all its updates are plain; else do nothing. See ``accept``.

        Most reports are such. Here they cost no task and no await, and only a conflict can have them refused.
        """
        if self._retries.is_busy(job_id) or not decide.is_short(updates, size):
            return None
        opened = self._journal.open_nowait(job_id)
        if opened is None or first != opened.report_sequence + 1:
            return None
        plain = opened.plain_reports
        if plain is None or not plain.is_current(opened.fold, token):
            if not self._tokens.holds(opened.job, token):
                return None
            plain = opened.plain_reports = decide.PlainReports(opened.fold, token)
        last = first + len(updates) - 1
        try:
            batch = plain.decide(updates, self._journal.now(opened), opened.size)
            if batch is None:
                return None
            appended = self._journal.append(opened, batch, report_sequence=last)
        except Exception:
            self._journal.discard(opened)
            raise
        request = _Request(job_id, token, first, updates, size, atomic, caller, during=nullcontext)
        return self._pending_report(request, (Acceptance(last, batch.last, (), over=False), appended))

    def _pending_report(self, request: _Request, decided: _Decided) -> PendingReport:
        accepted, appended = decided
        retry = partial(self._decide, self._open, request, _unchanged)
        return PendingReport(
            accepted, self._retries.durable_outcome(request.job_id, accepted, appended, retry)
        )

    async def _open(self, job_id: str, caller: str) -> OpenJob:
        return await self._journal.open(job_id, caller=caller)

    async def _open_in_order(self, job_id: str, caller: str) -> OpenJob:
        """Return the job once no earlier decision about it is being retried."""
        while True:
            await self._retries.idle(job_id)
            opened = await self._journal.open(job_id, caller=caller)
            if not self._retries.is_busy(job_id):
                return opened

    async def _decide(
        self,
        open_job: Callable[[str, str], Awaitable[OpenJob]],
        request: _Request,
        then: Callable[[_Decided], _Outcome],
        opened: OpenJob | None = None,
    ) -> _Outcome:
        """Decide and append a report; a refusal rests on durable events only. See ``accept``.

        Return what ``then`` makes of the decision, before anybody else may decide about the job. ``opened`` is the job
        where it was just opened.
        """
        while True:
            if opened is None:
                opened = await open_job(request.job_id, request.caller)
            try:
                return await self._decide_once(opened, request, then)
            except Refusal:
                if not opened.pending:
                    raise
                # Another long report may have begun on it meanwhile: then this one waits for that.
                if self._journal.open_nowait(request.job_id) is opened:
                    await self._journal.flush(opened)
                opened = None

    async def _decide_once(
        self, opened: OpenJob, request: _Request, then: Callable[[_Decided], _Outcome]
    ) -> _Outcome:
        steps = self._append(opened, request)
        try:
            next(steps)
        except StopIteration as done:
            return then(done.value)
        except Refusal:
            raise
        except Exception:
            self._journal.discard(opened)
            raise
        deciding = asyncio.create_task(self._decide_in_slices(steps, request, then))
        # Before anybody else of this pass of the event loop: the job has a part of the report.
        self._journal.reserve(opened, deciding)
        # A caller that leaves does not end a decision that has begun.
        return await asyncio.shield(deciding)

    async def _decide_in_slices(
        self, steps: Steps[_Decided], request: _Request, then: Callable[[_Decided], _Outcome]
    ) -> _Outcome:
        with request.during(request.job_id):
            return then(await self._slices.run(steps, request.caller))

    def _append(self, opened: OpenJob, request: _Request) -> Steps[_Decided]:
        """See ``accept``. The caller reserves the job before others can go first, so that reports keep their order.

        It raises a refusal before anything is folded into the job; after any other error the job has to be discarded.
        """
        job, first = opened.job, request.first
        if not self._tokens.holds(job, request.token):
            raise lease_lost(job)
        expected = opened.report_sequence + 1
        if not 1 <= first <= expected:
            raise report_gap(request.job_id, expected, first)
        fresh = request.updates[expected - first :]
        if not fresh:
            # All were accepted before: acknowledge them once they are durable.
            return _acceptance(opened, []), self._journal.barrier(opened)
        self._tokens.check(job, request.token)
        now, fold = self._journal.now(opened), opened.fold
        if request.atomic:
            fold = Fold(Job.FromString(job.SerializeToString()))
        batches: Iterator[ReportBatch | None] = decide.report_batches(
            fold,
            fresh,
            expected,
            now,
            size=opened.size,
            batch_bytes=COMMIT_BYTES_LIMIT,
            over=attempt_over,
            updates_size=request.size,
            slice_steps=SLICE_STEPS,
            learned=self._learned.seconds(opened.attributes.owner, opened.attributes.kind),
        )
        if request.atomic:
            # Decide all of it on a copy of the job before any of it is appended.
            batches = iter((yield from _all_accepted(batches, expected - first, expected)))
        rejections: list[Rejection] = []
        appended: list[PromptFuture[None]] = []
        for batch in batches:
            if batch is None:
                yield
                if appended and _has_failed(appended[-1]):
                    # What builds on it cannot be appended either: decide again, on what is durable then.
                    appended = [failed_future(Conflict(request.job_id))]
                    break
                continue
            appended.append(
                self._journal.append(opened, batch.events, report_sequence=batch.report_sequence, fold=fold)
            )
            rejections += batch.rejections
        return _acceptance(opened, rejections), appended[-1]


def _acceptance(opened: OpenJob, rejections: Sequence[Rejection]) -> Acceptance:
    return Acceptance(
        report_sequence=opened.report_sequence,
        last_sequence=opened.job.last_sequence,
        rejections=rejections,
        over=opened.job.state not in LEASED,
    )


def _all_accepted(
    batches: Iterator[ReportBatch | None], skipped: int, expected: int
) -> Steps[list[ReportBatch]]:
    """Return the batches of a report, none of whose updates may be refused.

    ``skipped`` updates of the request were accepted before. Raises the first refusal, with its place in the request.
    """
    accepted: list[ReportBatch] = []
    for batch in batches:
        if batch is None:
            yield
            continue
        for number, refusal in batch.rejections:
            raise refusal.within(f"updates[{number - expected + skipped}]")
        accepted.append(batch)
    return accepted


def _has_failed(appended: PromptFuture[None]) -> bool:
    return appended.done() and appended.exception() is not None


def _unchanged(decided: _Decided) -> _Decided:
    return decided
