"""The starts of jobs on this node: what each holds, and whether its attempt has to be undone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from milepost.contract.job_states import has_ended
from milepost.server import decide
from milepost.server.background_tasks import UNWRITTEN_LIMIT, call_when_written
from milepost.server.dispatch.attempt_key import AttemptKey, StartedAttempt
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_session import Session
from milepost.server.journal import Decision
from milepost.server.log.log_errors import StoreError
from milepost.server.store_errors import STORE_RETRY_DELAY
from milepost.v1 import Job

# Starts of unknown outcome that are remembered of a job: the first ones, since only one of them can get in.
_UNKNOWN_LIMIT = 4

# How often the delay doubles, from 1 s on, before a job that cannot be read is started again.
_DOUBLINGS = 6


class JobStart:
    """One start of a job for a session, from the match or the claim until its assignment is enqueued, or is not.

    Attributes:
        started: The attempt, once it is decided.
        assigned: Whether the assignment is enqueued.
        undo: How the attempt is undone whose assignment is not enqueued; None where that is not needed.
        seen: Whether the transition of the attempt has come.
        is_unknown: Whether the store did not say if the attempt is durable; its transition may still come.
        is_unreadable: Whether the attempt has started, but the job could not be loaded.
    """

    def __init__(self, session: Session, job_id: str) -> None:
        self.session = session
        self.job_id = job_id
        self.started: StartedAttempt | None = None
        self.assigned = False
        self.undo: Decision | None = None
        self.seen = False
        self.is_unknown = False
        self.is_unreadable = False

    async def written(self) -> None:
        """Wait until the attempt is durable. Raises as ``Journal.commit``, and Conflict."""
        assert self.started is not None
        try:
            await self.started.durable
        except StoreError as error:
            self.is_unknown = error.outcome_is_unknown
            raise

    def unreadable(self) -> None:
        """Note that the job of the attempt could not be loaded: unless it is undone, the attempt lasts for a lease."""
        self.is_unreadable = True
        self.undo = decide.assignment_lost

    def failed(self) -> None:
        """Note a defect: as ``unreadable``, unless the worker has the job already."""
        if not self.assigned:
            self.unreadable()


class JobStarts:
    """Starts under way, and starts of unknown outcome until the job's next transition shows the outcome."""

    def __init__(self, sessions: SessionTable) -> None:
        self._sessions = sessions
        # Matched jobs start in the order of their matches; only the waits for the disk overlap.
        self._order = asyncio.Lock()
        self._unwritten = asyncio.Semaphore(UNWRITTEN_LIMIT)
        # The last start of each job that made its session the holder.
        self._holding: dict[str, JobStart] = {}
        self._decided: dict[str, list[JobStart]] = {}
        # How often in a row a job had started and could not be loaded.
        self._unreadable: dict[str, int] = {}

    def hold(self, start: JobStart) -> None:
        """Let the session hold the job until the end of the start."""
        self._holding[start.job_id] = start
        self._sessions.hold(start.session, start.job_id, None)

    def hold_if_free(self, start: JobStart) -> None:
        """As ``hold``, where no session holds the job, so that this one misses no transition."""
        if not self._sessions.is_held(start.job_id):
            self.hold(start)

    async def decide(
        self, start: JobStart, decision: Callable[[], Awaitable[StartedAttempt]], *, in_order: bool
    ) -> StartedAttempt:
        """Decide the attempt once there is room among those that the store has yet to write. Raises as the decision.

        Those ``in_order`` go on in the order of these calls, one after the other, and the others do not wait for them.
        """
        async with self._order if in_order else contextlib.nullcontext():
            await self._unwritten.acquire()
            try:
                started = await decision()
            except BaseException:
                self._unwritten.release()
                raise
            self.decided(start, started)
            call_when_written(started.durable, self._unwritten.release)
        return started

    def decided(self, start: JobStart, started: StartedAttempt) -> None:
        """The attempt is decided. To be called before its transition can come: in the same pass of the event loop."""
        start.started, start.seen = started, False
        starts = self._decided.setdefault(start.job_id, [])
        if start not in starts:
            starts.append(start)

    def on_transition(self, job: Job) -> AttemptKey | None:
        """Note a transition; return its attempt if nobody waits any more to send the assignment of that."""
        if has_ended(job):
            self._unreadable.pop(job.job_id, None)
        is_waited_for = is_unsent = False
        for start in list(self._decided.get(job.job_id, ())):
            assert start.started is not None
            start.seen = start.seen or start.started.is_of(job)
            if not start.is_unknown:
                is_waited_for = is_waited_for or start.seen
            elif start.started.is_too_late(job):
                is_unsent = is_unsent or start.seen
                self._forget(start)
        return AttemptKey.of(job) if is_unsent and not is_waited_for else None

    def delay(self, job_id: str) -> float:
        """Seconds before a job that is requeued may start: longer each time that it could not be loaded."""
        times = self._unreadable.get(job_id, 0)
        return STORE_RETRY_DELAY * 2 ** min(times - 1, _DOUBLINGS) if times else 0.0

    def end(self, start: JobStart) -> None:
        """The start has ended. Release what it holds, but nothing that a later start or a resume holds."""
        job_id = start.job_id
        if start.is_unreadable:
            self._unreadable[job_id] = self._unreadable.get(job_id, 0) + 1
        elif start.assigned:
            self._unreadable.pop(job_id, None)
        if self._holding.get(job_id) is start:
            del self._holding[job_id]
            if start.session.jobs.get(job_id, "") is None:
                self._sessions.stop_holding(start.session, job_id)
        if start.is_unknown and start.seen:
            start.undo = decide.assignment_lost
        if start.started is not None and not self._is_to_come(start):
            self._forget(start)

    def _is_to_come(self, start: JobStart) -> bool:
        """Whether the transition of a start that has ended may still come, and is waited for."""
        if not start.is_unknown or start.seen:
            return False
        unknown = sum(other.is_unknown for other in self._decided[start.job_id])
        return unknown <= _UNKNOWN_LIMIT

    def _forget(self, start: JobStart) -> None:
        starts = self._decided[start.job_id]
        starts.remove(start)
        if not starts:
            del self._decided[start.job_id]
