"""The one way into the log: open the job, decide, fold, append.

Between deciding and appending nothing is awaited, so that each decision is made upon the one before it, and the log
keeps the order of the appends. What was decided may be ahead of what is durable, and is therefore shown to nobody:
readers read the log. If an append fails, what was decided is forgotten, and the job is opened from the log again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from milepost.fold import Fold
from milepost.server.decide import EventBatch
from milepost.server.log.event_log import (
    Commit,
    Conflict,
    DurableCommit,
    Entry,
    EventLog,
    StoredJob,
    StoreFailed,
    StoreFull,
    job_attributes,
)
from milepost.server.log.frames import Chunk
from milepost.server.payloads import has_end, has_transition
from milepost.server.rpc.refusal import Refusal, job_not_found
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import instant
from milepost.v1 import Event, Job

# How many jobs are kept in memory between two decisions about them. Any of them can be opened again.
_JOBS_IN_MEMORY = 10_000

# How often a decision is made again upon what somebody else has appended in between.
_TRIES = 100

# How long it is waited before that, in seconds: what is loaded may for a moment be ahead of what the log has told.
_AGAIN = 0.005

Decision = Callable[["OpenJob", int], Sequence[Event]]
"""What is to happen to a job, at an instant; pure, or raising a Refusal."""


class OpenJob:
    """A job with everything that was decided about it, durable or not. ``fold`` is without the job's input.

    ``state``, ``fraction`` and ``size`` (in bytes) are those after the newest append, which the next one starts from.
    """

    __slots__ = ("attributes", "fold", "fraction", "pending", "report_sequence", "size", "state", "time")

    def __init__(self, fold: Fold, report_sequence: int = 0, time: int = 0) -> None:
        self.fold = fold
        self.report_sequence = report_sequence
        self.time = time
        self.pending = 0
        self.attributes = job_attributes(fold.job)
        self.state = fold.job.state
        self.fraction = fold.job.fraction
        self.size = fold.job.ByteSize()

    @property
    def job(self) -> Job:
        """The job itself; not to be changed."""
        return self.fold.job


class Journal:
    """Appends what is decided to happen. Used from one event loop."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._jobs: OrderedDict[str, OpenJob] = OrderedDict()
        # While jobs are being loaded: when each was told of last, counted in tellings.
        self._loading = self._told = 0
        self._told_at: dict[str, int] = {}

    async def find(self, job_id: str) -> Job:
        """The whole job as of its last durable event. Raises JOB_NOT_FOUND."""
        job = await self._log.find(job_id)
        if job is None:
            raise job_not_found(job_id)
        return job

    async def refresh(self, job_id: str) -> None:
        """Sees to it that the next decision is made upon all that other nodes have appended to the job until now."""
        await self._log.refresh(job_id)

    async def open(self, job_id: str) -> OpenJob:
        """The job to decide upon, before the next await. Raises JOB_NOT_FOUND."""
        opened = self._jobs.get(job_id)
        if opened is None:
            stored = await self._load(job_id)
            if stored is None:
                await self._log.refresh(job_id)
                stored = await self._load(job_id)
            if stored is None:
                raise job_not_found(job_id)
            # Somebody else may have opened it meanwhile, and decided already.
            opened = self._jobs.setdefault(
                job_id, OpenJob(Fold(stored.job), stored.report_sequence, stored.time)
            )
            self._forget_some()
        self._jobs.move_to_end(job_id)
        return opened

    async def act(self, job_id: str, decision: Decision, *, by_timeout: bool = False) -> OpenJob:
        """Opens the job, lets happen what is decided, and returns once that is durable.

        With ``by_timeout`` it does not wait for an unreachable store: it raises StoreFailed instead.
        Raises what the decision refuses, JOB_NOT_FOUND, StoreFull or StoreFailed; Conflict if others are always first.
        """
        conflict = Conflict(job_id)
        for _ in range(_TRIES):
            opened, durable = await self.begin(job_id, decision, by_timeout=by_timeout)
            try:
                await asyncio.shield(durable)
            except Conflict as error:
                conflict = error
                await asyncio.sleep(_AGAIN)
            else:
                return opened
        raise conflict

    async def begin(
        self, job_id: str, decision: Decision, *, by_timeout: bool = False
    ) -> tuple[OpenJob, asyncio.Future[None]]:
        """Lets happen what is decided, and returns at once with what is done when it is durable. Raises as ``act``."""
        while True:
            opened = await self.open(job_id)
            try:
                events = decision(opened, self.now(opened))
            except Refusal:
                if not opened.pending:
                    raise
                await self.settle(opened)
                continue
            if events or opened.pending:
                return opened, self.append(opened, events, by_timeout=by_timeout)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return opened, done

    async def settle(self, opened: OpenJob) -> None:
        """Returns once it is known whether what was decided about the job is durable.

        A refusal stands upon that, and whoever is refused may give up the job for it. So nobody is refused for what may
        yet come to nothing: the job is opened again, and decided upon once more.
        """
        with contextlib.suppress(Conflict, StoreFull, StoreFailed):
            await asyncio.shield(self.append(opened, []))

    async def create(self, event: Event) -> None:
        """Appends the first event of a job. Raises Conflict where its id or request_id is taken."""
        opened = OpenJob(Fold())
        await asyncio.shield(self.append(opened, [event]))
        self._jobs.setdefault(event.job_id, opened)
        self._forget_some()

    def now(self, opened: OpenJob) -> int:
        """The instant for the job's next event: never earlier than that of the event before."""
        return max(self._clock.now(), opened.time)

    def append(
        self, opened: OpenJob, events: Sequence[Event], *, by_timeout: bool = False
    ) -> asyncio.Future[None]:
        """Folds the events in and appends them; done when they, and all that was appended before, are durable."""
        time = instant(events[-1].time) if events else 0
        batch = EventBatch.apply(opened.fold, events, time)
        return self.append_batch(opened, batch, by_timeout=by_timeout and bool(events))

    def append_batch(
        self, opened: OpenJob, batch: EventBatch, *, by_timeout: bool = False
    ) -> asyncio.Future[None]:
        """Appends events that are folded in already."""
        if batch.submission is not None:
            opened.attributes = job_attributes(opened.job)
        opened.time = batch.time or opened.time
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
            ends=has_end(batch.payloads),
            payloads=batch.payloads,
            submission=batch.submission,
            fraction_known=batch.fraction_known,
            by_timeout=by_timeout,
        )
        opened.state, opened.fraction, opened.size = batch.state, batch.fraction, len(batch.job)
        opened.pending += 1
        durable = self._log.append(commit)
        durable.add_done_callback(partial(self._appended, opened))
        return durable

    def publish(self, entries: Sequence[Entry]) -> None:
        """Forgets jobs that were deleted, or that another node has gone on with."""
        self._told += 1
        for entry in entries:
            if isinstance(entry, DurableCommit):
                job_id = entry.commit.job_id
                opened = self._jobs.get(job_id)
                if opened is not None and opened.job.last_sequence < entry.commit.chunk.last:
                    del self._jobs[job_id]
            else:
                job_id = entry.attributes.job_id
                if not entry.first_sequence:
                    self._jobs.pop(job_id, None)
            if self._loading:
                self._told_at[job_id] = self._told

    async def _load(self, job_id: str) -> StoredJob | None:
        """The job as it is in the log now, though others may go on with it while it is read."""
        stored: StoredJob | None = None
        self._loading += 1
        try:
            for _ in range(_TRIES):
                told = self._told
                stored = await self._log.load(job_id)
                if self._told_at.get(job_id, 0) <= told:
                    break
            return stored
        finally:
            self._loading -= 1
            if not self._loading:
                self._told_at.clear()

    def _appended(self, opened: OpenJob, durable: asyncio.Future[None]) -> None:
        opened.pending -= 1
        failed = durable.cancelled() or durable.exception() is not None
        if failed and self._jobs.get(opened.job.job_id) is opened:
            del self._jobs[opened.job.job_id]

    def _forget_some(self) -> None:
        """Keeps to the bound: the jobs that were decided upon longest ago go first."""
        while len(self._jobs) > _JOBS_IN_MEMORY:
            job_id, opened = next(iter(self._jobs.items()))
            if opened.pending:
                self._jobs.move_to_end(job_id)
                return
            del self._jobs[job_id]
