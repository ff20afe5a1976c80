"""Giving queued jobs to the workers that wait for them: at once, and in the order of the queues."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable

import structlog

from milepost.server import decide
from milepost.server.dispatch.attempts import Attempts, Started
from milepost.server.dispatch.concurrency_limits import ConcurrencyLimits
from milepost.server.dispatch.job_queues import JobQueues, Waiting
from milepost.server.dispatch.session_table import Sessions, rejection
from milepost.server.dispatch.worker_instances import WorkerInstances
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.event_log import Conflict
from milepost.server.rpc.refusal import Refusal, draining
from milepost.server.rpc.store_errors import STORE_ERRORS, refusal_of
from milepost.server.runtime.background_tasks import Tasks
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import SECOND, instant
from milepost.v1 import Assignment, Dispatch, Job, JobState, WorkResponse

_log = structlog.get_logger("milepost.dispatch")

# When to try again after the store took nothing, in seconds.
_STORE_WAIT = 1.0


class Dispatcher:
    """What waits for workers, and the workers that wait for it, those first that have waited longest."""

    def __init__(self, attempts: Attempts, clock: Clock, tasks: Tasks, roster: WorkerRegistry) -> None:
        self._attempts = attempts
        self._clock = clock
        self._tasks = tasks
        # What is matched first starts first; only the waits for the disk overlap.
        self._order = asyncio.Lock()
        self.sessions = Sessions(self._on_room, clock, roster)
        self._queues = JobQueues()
        self._at_work = ConcurrencyLimits(self._queues)
        self._instances = WorkerInstances()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._waiting: dict[str, OrderedDict[Session, None]] = {}
        self._closed = False

    def on_transition(self, job: Job) -> None:
        """Queues a job that has come to wait for a worker, at the time when it may start, and tells who has it."""
        self._instances.on_transition(job)
        # Nothing is matched before all is known: who left work, who waits, who has room.
        freed = self._at_work.on_transition(job)
        if job.state != JobState.JOB_STATE_QUEUED or job.dispatch != Dispatch.DISPATCH_QUEUE:
            self._unqueue_later(job.job_id)
            self._queues.remove(job.job_id)
        else:
            wait = instant(job.retry_time) - self._clock.now() if job.HasField("retry_time") else 0
            self._queue(Waiting.of(job), wait / SECOND)
            freed.add(job.kind)
        self.sessions.turned(job)
        self._match(freed)

    def welcome(self, session: Session, job_ids: Collection[str]) -> None:
        """A worker connected, and has these jobs of earlier sessions; what else its run was given got lost."""
        lost = self._instances.attempts(session.instance) if session.instance else {}
        for job_id, attempt in lost.items():
            if job_id not in job_ids:
                _log.info("lost on its way", job_id=job_id, attempt=attempt, worker_id=session.worker_id)
                self._tasks.start(self._attempts.lost(job_id, attempt))
        self.sessions.add(session)

    def close(self) -> None:
        """Gives out no more jobs, whatever comes back to the queue."""
        self._closed = True
        for job_id in list(self._later):
            self._unqueue_later(job_id)
        self._waiting.clear()

    def claim(self, session: Session, job_id: str) -> asyncio.Task[None]:
        """Starts a job for the session that asks for it by name, or tells it why not; the task ends with that."""
        free = not self.sessions.is_held(job_id)
        if free:
            self.sessions.hold(session, job_id, None)
        return self._tasks.run(self._claim(session, job_id, holds=free))

    # Queueing.

    def _queue(self, job: Waiting, wait: float) -> None:
        """Now, or in so many seconds."""
        self._unqueue_later(job.job_id)
        if self._closed:
            return
        if wait <= 0:
            self._queues.add(job)
            return

        def queue() -> None:
            del self._later[job.job_id]
            self._queue(job, 0)
            self._match([job.kind])

        self._later[job.job_id] = asyncio.get_running_loop().call_later(wait, queue)

    def _unqueue_later(self, job_id: str) -> None:
        timer = self._later.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    # Matching.

    def _on_room(self, session: Session) -> None:
        for kind in session.kinds:
            if session.has_room:
                self._waiting.setdefault(kind, OrderedDict())[session] = None
                self._match([kind])
            else:
                self._wait_no_more(session, kind)

    def _wait_no_more(self, session: Session, kind: str) -> None:
        waiting = self._waiting.get(kind)
        if waiting is not None:
            waiting.pop(session, None)
            if not waiting:
                del self._waiting[kind]

    def _match(self, kinds: Iterable[str]) -> None:
        """Gives out jobs of these kinds, until there are no more of them, or nobody waits."""
        for kind in sorted(kinds):
            while (waiting := self._waiting.get(kind)) and not self._closed:
                session = next(iter(waiting))
                if not session.has_room:
                    self._wait_no_more(session, kind)
                    continue
                job = self._queues.take(kind)
                if job is None:
                    break
                waiting.move_to_end(session)
                self._at_work.admit(job)
                self.sessions.hold(session, job.job_id, None)
                self._tasks.start(self._assign(session, job))

    # Starting.

    async def _assign(self, session: Session, job: Waiting) -> None:
        told = False
        try:
            told = await self._start(session, job.job_id, None)
        except Conflict:  # another node was first, or the job is another than it was: looked at again at once
            self._queue(job, 0)
        except STORE_ERRORS:
            self._queue(job, _STORE_WAIT)
        except Refusal as refusal:  # it was cancelled in the last moment, or another node has filled its key
            _log.info("not dispatched", job_id=job.job_id, reason=str(refusal))
        finally:
            self._settle(session, job.job_id, admitted=True, let_go=not told)

    async def _claim(self, session: Session, job_id: str, *, holds: bool) -> None:
        admitted = told = False

        def admit(job: Job) -> None:
            nonlocal admitted
            if not admitted:
                self._at_work.admit(Waiting.of(job))
            admitted = True

        try:
            if self._closed:
                raise draining()
            try:
                told = await self._start(session, job_id, admit)
            except Conflict:  # decided once more, upon what another node has done
                told = await self._start(session, job_id, admit)
        except (Refusal, *STORE_ERRORS) as error:
            refusal = refusal_of(error)
            assert refusal is not None
            session.outbox.put(rejection(job_id, refusal))
        finally:
            self._settle(session, job_id, admitted=admitted, let_go=holds and not told)

    async def _start(self, session: Session, job_id: str, admit: Callable[[Job], None] | None) -> bool:
        """Whether the session was told of its job, so that it has it. ``admit`` is for one that is claimed."""
        async with self._order:
            started = await self._attempts.start(
                job_id,
                session.worker_id,
                instance=session.instance,
                claimed=admit is not None,
                admit=admit,
            )
        async with session.telling:
            return await self._tell(session, job_id, started)

    async def _tell(self, session: Session, job_id: str, started: Started) -> bool:
        await started.durable
        job, token = await self._attempts.started(job_id, started.attempt)
        try:
            self._at_work.confirm(Waiting.of(job))
        except Refusal:
            await self._attempts.lost(job_id, started.attempt, decide.crowded_out)
            raise
        assignment = WorkResponse(assignment=Assignment(job=job, lease_token=token))
        if not session.open or not session.outbox.put(assignment):
            # The worker left in the last moment: nothing was done yet.
            await self._attempts.lost(job_id, started.attempt)
            return False
        self.sessions.hold(session, job_id, token)
        return True

    def _settle(self, session: Session, job_id: str, *, admitted: bool, let_go: bool) -> None:
        """A start has come to something, or to nothing."""
        freed = self._at_work.settle(job_id) if admitted else set()
        if let_go:
            self.sessions.let_go(session, job_id)
        self._match(freed)
