"""The workers that are connected to this node, and the jobs that each of them holds."""

from __future__ import annotations

import math
from collections.abc import Callable

from milepost.contract.job_states import LEASED, has_ended, state_name
from milepost.server import decide
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.rpc.refusal import Refusal
from milepost.server.runtime.clock import Clock
from milepost.v1 import Cancel, Drain, ErrorReason, Job, JobState, Rejected, WorkResponse


class Sessions:
    """All connected workers. ``on_room`` is called when one of them may have come to take jobs, or not any more."""

    def __init__(self, on_room: Callable[[Session], None], clock: Clock, roster: WorkerRegistry) -> None:
        self._sessions: dict[Session, None] = {}  # in the order in which they came
        self._holders: dict[str, Session] = {}
        self._turned_early: dict[str, Job] = {}
        self._on_room = on_room
        self._clock = clock
        self._roster = roster

    def add(self, session: Session) -> None:
        """A worker connected."""
        session.connected_at = session.heard_at = self._clock.now()
        self._sessions[session] = None
        self._roster.add(session)
        self._on_room(session)

    def remove(self, session: Session) -> None:
        """A worker's stream ended. Its jobs stay its own until their leases are out."""
        session.open = False
        self._sessions.pop(session, None)
        self._roster.remove(session)
        for job_id in list(session.jobs):
            if self._holders.get(job_id) is session:
                del self._holders[job_id]
        self._on_room(session)

    def listening_since(self, job_id: str) -> float:
        """Since when the worker who has the job is listened to in vain; minus infinity where none is connected."""
        session = self._holders.get(job_id)
        return -math.inf if session is None else session.listening_since

    def is_held(self, job_id: str) -> bool:
        """Whether a connected worker has the job, or is about to."""
        return job_id in self._holders

    def hold(self, session: Session, job_id: str, token: str | None) -> None:
        """The session has the job from now on, and nobody else has. Without a token the job is still being started."""
        if not session.open:
            return
        before = self._holders.get(job_id)
        if before is not None and before is not session:
            before.jobs.pop(job_id, None)
            self._on_room(before)
        session.jobs[job_id] = token
        self._holders[job_id] = session
        turned = self._turned_early.pop(job_id, None)
        if turned is not None and token is not None:
            self.turned(turned)

    def let_go(self, session: Session, job_id: str) -> None:
        """The session does not have the job any more."""
        session.jobs.pop(job_id, None)
        session.leaving.discard(job_id)
        if self._holders.get(job_id) is session:
            del self._holders[job_id]
            self._turned_early.pop(job_id, None)
        self._on_room(session)

    def turned(self, job: Job) -> None:
        """Tells the worker that holds the job what it has to know: that it is cancelled, or not its own any more."""
        session = self._holders.get(job.job_id)
        if session is None:
            return
        if session.jobs.get(job.job_id) is None:
            self._turned_early[job.job_id] = job  # told once the worker knows of the job
            return
        if job.state == JobState.JOB_STATE_CANCELLING:
            session.outbox.put(WorkResponse(cancel=Cancel(job_id=job.job_id, cancellation=job.cancellation)))
        elif job.state not in LEASED:
            session.silent |= decide.is_lost(job)
            if job.job_id not in session.leaving:
                session.outbox.put(WorkResponse(rejected=_over(job, session.jobs[job.job_id] or "")))
            self.let_go(session, job.job_id)

    def resize(self, session: Session, max_concurrency: int) -> None:
        """The worker takes so many jobs at once from now on."""
        session.max_concurrency = max_concurrency
        self._roster.changed(session)
        self._on_room(session)

    def listen(self, session: Session) -> None:
        """The server is ready for what the worker says next."""
        session.listening_since = self._clock.monotonic()

    def heard(self, session: Session) -> None:
        """The worker was heard from, and can be given jobs again where it could not (rule 14)."""
        session.listening_since = math.inf
        session.heard_at = self._clock.now()
        if session.silent:
            session.silent = False
            self._on_room(session)

    def drain(self) -> None:
        """Tells all workers that the server is stopping."""
        for session in self._sessions:
            session.outbox.put(WorkResponse(drain=Drain()))


def rejection(
    job_id: str, refusal: Refusal, token: str = "", *, report_sequence: int = 0, expected: int = 0
) -> WorkResponse:
    """A refusal as a worker is told of it. ``report_sequence`` and ``expected`` are 0 where it was no report."""
    return WorkResponse(
        rejected=Rejected(
            job_id=job_id,
            reason=refusal.reason,
            message=refusal.message,
            report_sequence=report_sequence,
            expected_report_sequence=expected or int(refusal.metadata.get("expected", 0)),
            field=refusal.metadata.get("field", ""),
            lease_token=token,
        )
    )


def _over(job: Job, token: str) -> Rejected:
    ended = has_ended(job)
    return Rejected(
        job_id=job.job_id,
        reason=ErrorReason.ERROR_REASON_JOB_ENDED if ended else ErrorReason.ERROR_REASON_LEASE_LOST,
        message=f"Attempt {job.attempt} is over; the job is {state_name(job)}. {job.failure.message}".strip(),
        lease_token=token,
    )
