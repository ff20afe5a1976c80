"""Giving queued jobs to the workers that wait for them: at once, first come first served."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

import structlog

from milepost.server.clock import Clock
from milepost.server.failures import STORE_ERRORS, refusal_of
from milepost.server.instants import SECOND, instant
from milepost.server.refusal import Refusal
from milepost.server.tasks import Tasks
from milepost.server.working.attempts import Attempts
from milepost.server.working.sessions import Session, Sessions, rejection
from milepost.v1 import Assignment, Dispatch, Job, JobState, WorkResponse

_log = structlog.get_logger("milepost.dispatch")

# When to try again after the store took nothing, in seconds.
_STORE_WAIT = 1.0


class Dispatcher:
    """The queues, one a kind, and who waits at them."""

    def __init__(self, attempts: Attempts, clock: Clock, tasks: Tasks) -> None:
        self._attempts = attempts
        self._clock = clock
        self._tasks = tasks
        # What is matched first starts first; only the waits for the disk overlap.
        self._order = asyncio.Lock()
        self.sessions = Sessions(self._on_room)
        self._queues: dict[str, deque[str]] = {}
        self._queued: dict[str, asyncio.TimerHandle | None] = {}
        self._waiting: dict[str, OrderedDict[Session, None]] = {}
        self._closed = False

    def on_turn(self, job: Job) -> None:
        """Queues a job that has come to wait for a worker, at the time when it may start."""
        if job.state != JobState.JOB_STATE_QUEUED or job.dispatch != Dispatch.DISPATCH_QUEUE:
            timer = self._queued.pop(job.job_id, None)
            if timer is not None:
                timer.cancel()
            return
        wait = (instant(job.retry_time) - self._clock.now()) / SECOND if job.HasField("retry_time") else 0.0
        self._queue(job.job_id, job.kind, wait)

    def close(self) -> None:
        """Gives out no more jobs, whatever comes back to the queue."""
        self._closed = True
        for timer in self._queued.values():
            if timer is not None:
                timer.cancel()
        self._queues.clear()
        self._queued.clear()
        self._waiting.clear()

    def _queue(self, job_id: str, kind: str, wait: float = 0.0) -> None:
        if wait > 0:
            loop = asyncio.get_running_loop()
            self._queued[job_id] = loop.call_later(wait, lambda: self._queue(job_id, kind))
            return
        self._queued[job_id] = None
        self._queues.setdefault(kind, deque()).append(job_id)
        self._match(kind)

    def _on_room(self, session: Session) -> None:
        for kind in session.kinds:
            waiting = self._waiting.setdefault(kind, OrderedDict())
            if session.has_room:
                waiting[session] = None
                self._match(kind)
            else:
                waiting.pop(session, None)

    def _match(self, kind: str) -> None:
        """Gives jobs of the kind to those who have waited longest, until there are none of one or the other."""
        queue, waiting = self._queues.get(kind), self._waiting.get(kind)
        while queue and waiting and not self._closed:
            session = next(iter(waiting))
            if not session.has_room:
                del waiting[session]
                continue
            job_id = queue.popleft()
            if job_id not in self._queued:  # it was cancelled while it waited
                continue
            del self._queued[job_id]
            waiting.move_to_end(session)
            self.sessions.hold(session, job_id, None)
            self._tasks.start(self._assign(session, job_id, kind))

    def claim(self, session: Session, job_id: str) -> asyncio.Task[None]:
        """Starts a job for the session that asks for it by name, or tells it why not; the task ends with that."""
        held = self.sessions.is_held(job_id)
        if not held:
            self.sessions.hold(session, job_id, None)

        async def claiming() -> None:
            try:
                await self._start(session, job_id, claimed=True)
            except (Refusal, *STORE_ERRORS) as error:
                if not held:
                    self.sessions.let_go(session, job_id)
                refusal = refusal_of(error)
                assert refusal is not None
                session.outbox.put(rejection(job_id, refusal))

        return self._tasks.run(claiming())

    async def _assign(self, session: Session, job_id: str, kind: str) -> None:
        try:
            await self._start(session, job_id, claimed=False)
        except STORE_ERRORS:
            self.sessions.let_go(session, job_id)
            self._queue(job_id, kind, _STORE_WAIT)
        except Refusal as refusal:  # it was cancelled in the last moment
            _log.info("not dispatched", job_id=job_id, reason=str(refusal))
            self.sessions.let_go(session, job_id)

    async def _start(self, session: Session, job_id: str, *, claimed: bool) -> None:
        async with self._order:
            durable = await self._attempts.start(job_id, session.worker_id, claimed=claimed)
        async with session.telling:
            await self._tell(session, job_id, durable)

    async def _tell(self, session: Session, job_id: str, durable: asyncio.Future[None]) -> None:
        await durable
        job, token = await self._attempts.started(job_id)
        if not session.open:  # the worker left in the last moment: nothing was done yet
            await self._attempts.release(job_id, token)
            return
        session.outbox.put(WorkResponse(assignment=Assignment(job=job, lease_token=token)))
        self.sessions.hold(session, job_id, token)
