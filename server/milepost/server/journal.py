"""The only writer of the log: open a job, decide, fold, append; and drop events.

Nothing is awaited between a decision and its append, so each decision builds on the one before it and the log keeps
the order of the appends. A decision may be ahead of the durable log, and is therefore never shown: readers read the
log. If an append fails, the journal forgets the job and loads it from the log again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog

from milepost.contract.job_states import has_ended, state_name
from milepost.contract.sized_cache import SizedCache
from milepost.fold import Fold
from milepost.server.base.clock import Clock
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal, job_not_ended, job_not_found
from milepost.server.decide import EventBatch
from milepost.server.job_changes import JobChanges
from milepost.server.log.event_log import Commit, DurableCommit, Entry, EventLog, StoredJob, job_attributes
from milepost.server.log.frames import Chunk
from milepost.server.log.log_errors import Conflict, StoreError
from milepost.server.messages.job_ages import JobAges
from milepost.server.messages.payloads import JOB_STARTED, has_end, has_transition
from milepost.server.messages.timestamps import instant
from milepost.server.open_job import OpenJob
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture, failed_future
from milepost.server.scheduling.reservations import Reservations
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Event, Job

CACHE_BYTES: Final = 48 << 20
"""Bound of the memory of jobs that are kept between decisions. Any of them can be loaded again."""

# Maximum attempts on write conflicts, and the backoff in seconds before each: the log may return a job before the
# journal has seen its last commits.
_RETRY_LIMIT = 100
_RETRY_DELAY = 0.005

Decision = Callable[[Job, int], Sequence[Event]]
"""A pure function of a job and an instant to the job's next events. It may raise a Refusal."""


class Journal:
    """Apply decisions to jobs and append the resulting events. Used from one event loop.

    ``ages`` measures the time that has passed in its jobs, for decisions. Between decisions it keeps jobs that take
    ``cache_bytes`` of memory, besides those with pending appends. ``run_of`` returns what later estimates need of a job
    that ends (``Commit.run``).
    """

    def __init__(
        self,
        log: EventLog,
        clock: Clock,
        cache_bytes: int = CACHE_BYTES,
        run_of: Callable[[Job], bytes] = lambda job: b"",
    ) -> None:
        self._log = log
        self._run_of = run_of
        logger = structlog.get_logger("milepost.journal")
        self._lost_runs = FaultLog(logger, "run not kept for estimates", logging.ERROR)
        self._clock = clock
        # Jobs with pending appends stay; all others are a cache.
        self._pending: dict[str, OpenJob] = {}
        self._idle: SizedCache[str, OpenJob] = SizedCache(cache_bytes)
        self._reservations = Reservations()
        self.ages = JobAges(clock)
        self._changes = JobChanges()

    @property
    def cached_bytes(self) -> int:
        """Memory of the jobs that are kept between decisions."""
        return self._idle.size

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of jobs without pending appends."""
        return self._idle.evict_idle()

    # Reading.

    async def find(self, job_id: str, *, caller: str = SERVER) -> Job:
        """Return the whole job as of its last durable event. Raises JOB_NOT_FOUND."""
        job = await self._log.find(job_id, caller=caller)
        if job is None:
            raise job_not_found(job_id)
        return job

    async def find_ended(self, job_id: str, *, caller: str = SERVER) -> Job:
        """As ``find``, but with the end that another node has acknowledged and this one has yet to read."""
        job = await self.find(job_id, caller=caller)
        if not has_ended(job):
            await self.catch_up(job_id)
            job = await self.find(job_id, caller=caller)
        return job

    async def catch_up(self, job_id: str) -> None:
        """Catch up with what other nodes have appended to the job: no store checks a refusal. Raises StoreBehind."""
        await self._log.catch_up(job_id)
        if self._log.is_shared:  # there is no entry of what has no events, such as a report that was refused
            self._idle.pop(job_id)

    async def open(self, job_id: str, *, caller: str = SERVER) -> OpenJob:
        """Return the job to decide on, valid until the next await. Raises JOB_NOT_FOUND.

        Where it has to be loaded, that is in the turn of the caller. While the job is reserved, wait; calls go on in
        their order.
        """
        if job_id in self._reservations:
            await self._reservations.wait(job_id)
        while (opened := self._find_open(job_id)) is None:
            stored = await self._load(job_id, caller)
            if stored is None:
                await self._log.catch_up(job_id)
                stored = await self._load(job_id, caller)
            if stored is None:
                raise job_not_found(job_id)
            # A concurrent call may have opened the job: it may be making a long decision, or have applied one.
            if self._reservations.is_reserved(job_id):
                await self._reservations.wait(job_id)
            elif self._find_open(job_id) is None:
                opened = OpenJob(Fold(stored.job), stored.report_sequence, stored.time)
                self._idle.put(job_id, opened, opened.fold.memory)
        return opened

    def open_nowait(self, job_id: str) -> OpenJob | None:
        """Return the job if ``open`` would not have to wait for it; else None."""
        return None if job_id in self._reservations else self._find_open(job_id)

    def reserve(self, opened: OpenJob, decision: asyncio.Task[Any]) -> None:
        """Reserve a job that was just opened for a decision in slices: it stays valid until this task is done.

        It is reserved from now on, since others may go first before the task begins, and even if that never does. A
        decision that fails, but for a refusal, discards the job.
        """
        self._keep(opened)
        self._reservations.reserve(opened.attributes.job_id)
        decision.add_done_callback(partial(self._decided, opened))

    def discard(self, opened: OpenJob) -> None:
        """Have the next decision load the job from the log: events may be folded in that will not be appended.

        Those that were appended are not lost. Until all of them are durable, or have failed, the job is reserved.
        """
        job_id = opened.attributes.job_id
        if self._find_open(job_id) is not opened:
            return  # forgotten, since an append has failed
        if opened.pending:
            opened.is_discarded = True
            self._reservations.reserve(job_id)
        else:
            self._forget(job_id)

    def is_reserved(self, job_id: str) -> bool:
        """Whether ``open`` would wait for a long decision about the job."""
        return job_id in self._reservations

    def now(self, opened: OpenJob) -> int:
        """The time of the job's next event, never earlier than that of the previous event."""
        return max(self._clock.now(), opened.time)

    # Writing.

    async def create(self, event: Event, job_input: bytes | None = None) -> None:
        """Append the first event of a job, durably. Raises Conflict where its id or request_id is taken.

        ``job_input`` is the job's input, encoded, which the event lacks.
        """
        opened = OpenJob(Fold())
        batch = EventBatch.apply(opened.fold, [event], instant(event.time), job_input)
        with self._changes.watching(event.job_id) as changes:
            await asyncio.shield(self.append(opened, batch))
            # One is this one. Others may have appended to the job by now, also at another node.
            if changes() <= 1 and self._find_open(event.job_id) is None:
                self._idle.put(event.job_id, opened, opened.fold.memory)

    async def commit(
        self, job_id: str, decision: Decision, *, by_timeout: bool = False, caller: str = SERVER
    ) -> OpenJob:
        """Apply the decision, and return when it is durable. Decide again where another node was first.

        With ``by_timeout`` it does not wait for a store that is away: it raises StoreFailed instead.
        Raises what the decision refuses, JOB_NOT_FOUND, StoreFull or StoreFailed; Conflict after too many retries.
        """
        for _ in range(_RETRY_LIMIT):
            opened, durable = await self.apply(job_id, decision, by_timeout=by_timeout, caller=caller)
            try:
                await asyncio.shield(durable)
            except Conflict:
                await asyncio.sleep(_RETRY_DELAY)
            else:
                return opened
            finally:
                # It has the error, whose traceback has this frame: the job would be garbage with both.
                del durable
        raise Conflict(job_id)

    async def apply(
        self, job_id: str, decision: Decision, *, by_timeout: bool = False, caller: str = SERVER
    ) -> tuple[OpenJob, asyncio.Future[None]]:
        """Apply the decision; return a future that resolves when it is durable. Raises as ``commit``."""
        while True:
            opened = await self.open(job_id, caller=caller)
            try:
                events = decision(opened.job, self.now(opened))
            except Refusal:
                if not opened.pending:
                    raise
                await self.flush(opened)
                continue
            if events:
                try:
                    batch = EventBatch.apply(opened.fold, events, instant(events[-1].time))
                    return opened, self.append(opened, batch, by_timeout=by_timeout)
                except Exception:
                    self.discard(opened)
                    raise
            if opened.pending:
                return opened, self.barrier(opened)
            durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            durable.set_result(None)
            return opened, durable

    def append(
        self,
        opened: OpenJob,
        batch: EventBatch,
        *,
        report_sequence: int | None = None,
        fold: Fold | None = None,
        by_timeout: bool = False,
    ) -> PromptFuture[None]:
        """Append events that are folded in; resolve when they, and all earlier appends to the job, are durable.

        Where folding or this raises, the caller has to ``discard`` the job.
        ``report_sequence`` is the number of the last report that the events came from. ``fold`` replaces the job's
        where the events were folded into a copy.
        """
        if fold is not None:
            opened.fold = fold
        if report_sequence is not None:
            opened.report_sequence = report_sequence
        elif batch.payloads & JOB_STARTED:  # each attempt numbers its reports from 1
            opened.report_sequence = 0
        if batch.submission is not None:
            opened.attributes = job_attributes(opened.job)
        opened.time = batch.time or opened.time
        ends = has_end(batch.payloads)
        commit = Commit(
            attributes=opened.attributes,
            chunk=Chunk(batch.first, batch.last, batch.frames),
            job=batch.job,
            state_before=opened.state,
            state=batch.state,
            fraction_before=opened.fraction,
            fraction=batch.fraction,
            report_sequence=opened.report_sequence,
            time=opened.time,
            is_transition=has_transition(batch.payloads),
            ends=ends,
            payloads=batch.payloads,
            submission=batch.submission,
            fraction_known=batch.fraction_known,
            by_timeout=by_timeout,
            run=self._run(opened.job) if ends else b"",
        )
        opened.state, opened.fraction, opened.size = batch.state, batch.fraction, len(batch.job)
        # Another node may have appended as many events: the log would not see that this one builds on others.
        durable = failed_future(Conflict(commit.job_id)) if opened.has_failed else self._log.append(commit)
        self._keep(opened)
        durable.call_back(partial(self._appended, opened, bool(batch.frames)))
        return durable

    def _run(self, job: Job) -> bytes:
        """The run of a job that ends. It only teaches estimates, so a defect there must keep no job from ending."""
        try:
            return self._run_of(job)
        except Exception as error:  # noqa: BLE001
            self._lost_runs.note(repr(error), job_id=job.job_id, exc_info=error)
            return b""

    def barrier(self, opened: OpenJob) -> PromptFuture[None]:
        """Append nothing; resolve when all appends to the job so far are durable. Raises as those do."""
        return self.append(opened, EventBatch.apply(opened.fold, [], 0))

    async def flush(self, opened: OpenJob) -> None:
        """Return when all appends to the job so far are durable, or have failed.

        A refusal may make its caller give up the job, so it must not rest on a decision that may still fail. The
        caller opens the job again then, and decides once more.
        """
        with contextlib.suppress(StoreError):
            await asyncio.shield(self.barrier(opened))

    # Dropping. Each is about one job, known by the time of its submission; JOB_NOT_FOUND once a later one has its id.

    async def thin(self, job: Job) -> None:
        """Drop superseded progress from the log of an ended job. Raises JOB_NOT_FOUND."""
        await _dropped(job.job_id, self._log.thin(job.job_id, instant(job.submit_time)))

    async def trim(self, job_id: str, submitted: int, first_sequence: int) -> None:
        """Drop the commits that end before this event. Raises JOB_NOT_FOUND."""
        await _dropped(job_id, self._log.trim(job_id, first_sequence, submitted))

    async def delete(self, job: Job) -> None:
        """Delete an ended job with its log. Raises JOB_NOT_FOUND, JOB_NOT_ENDED."""
        if not has_ended(job):
            raise job_not_ended(job.job_id, state_name(job))
        await _dropped(job.job_id, self._log.delete(job.job_id, instant(job.submit_time)))

    async def revoke_shares(self, job: Job) -> None:
        """Begin the next generation of a job's shares. Raises JOB_NOT_FOUND."""
        await _dropped(job.job_id, self._log.revoke_shares(job.job_id, instant(job.submit_time)))

    # Following the log.

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Evict cached jobs that were deleted, or that another node has appended to."""
        for entry in entries:
            if isinstance(entry, DurableCommit):
                job_id = entry.commit.attributes.job_id
                opened = self._find_open(job_id)
                if opened is not None and opened.fold.job.last_sequence < entry.commit.chunk.last:
                    self._forget(job_id)
            else:
                job_id = entry.attributes.job_id
                if not entry.first_sequence:
                    self._forget(job_id)
            self._changes.note(job_id)

    def _find_open(self, job_id: str) -> OpenJob | None:
        return self._pending.get(job_id) or self._idle.get(job_id)

    def _forget(self, job_id: str) -> None:
        self._pending.pop(job_id, None)
        self._idle.pop(job_id)

    async def _load(self, job_id: str, caller: str) -> StoredJob | None:
        """Load the job, again where it changed during the read."""
        stored: StoredJob | None = None
        for _ in range(_RETRY_LIMIT):
            with self._changes.watching(job_id) as changes:
                stored = await self._log.load(job_id, caller=caller)
                if not changes():
                    break
        return stored

    def _decided(self, opened: OpenJob, decision: asyncio.Task[Any]) -> None:
        if decision.cancelled() or not isinstance(decision.exception(), Refusal | None):
            self.discard(opened)
        self._release(opened, failed=False)
        if not opened.is_discarded:
            self._reservations.release(opened.attributes.job_id)

    def _appended(self, opened: OpenJob, has_events: bool, durable: asyncio.Future[None]) -> None:
        failed = durable.cancelled() or durable.exception() is not None
        self._release(opened, failed=failed)
        if not has_events and not failed:
            # As ``on_entries``: there is no entry of it, and it may have a new number of a report.
            if self._find_open(job_id := opened.attributes.job_id) is not opened:
                self._forget(job_id)
            self._changes.note(job_id)

    def _keep(self, opened: OpenJob) -> None:
        """Keep the job until ``_release``, whatever the bound of the cache."""
        opened.pending += 1
        job_id = opened.attributes.job_id
        if self._idle.get(job_id) is opened:
            self._idle.pop(job_id)
            self._pending[job_id] = opened

    def _release(self, opened: OpenJob, *, failed: bool) -> None:
        opened.pending -= 1
        opened.has_failed |= failed
        job_id = opened.attributes.job_id
        if self._pending.get(job_id) is opened and (failed or not opened.pending):
            del self._pending[job_id]
            if not failed and not opened.is_discarded:
                self._idle.put(job_id, opened, opened.fold.memory)
        if opened.is_discarded and not opened.pending:
            self._reservations.release(job_id)


async def _dropped(job_id: str, durable: asyncio.Future[None]) -> None:
    """Wait until a drop is durable. Raises JOB_NOT_FOUND where a concurrent call has deleted the job."""
    try:
        await asyncio.shield(durable)
    except Conflict:
        raise job_not_found(job_id) from None
    finally:
        del durable  # as in ``commit``
