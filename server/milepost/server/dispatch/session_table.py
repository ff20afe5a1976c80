"""The workers that are connected to this node, and the jobs that each of them holds."""

from __future__ import annotations

import math
from collections.abc import Callable

from milepost.contract.job_states import LEASED, has_ended, state_name
from milepost.server import decide
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.dispatch.worker_session import Session
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Cancel, Drain, ErrorReason, Job, JobState, Rejected, WorkResponse


class SessionTable:
    """All connected workers. Follows job state transitions, and tells each worker what concerns its jobs."""

    def __init__(self, clock: Clock, registry: WorkerRegistry) -> None:
        self._sessions: dict[Session, None] = {}  # in the order in which they connected
        self._holders: dict[str, Session] = {}
        # Transitions of jobs whose assignment is still on its way to the worker.
        self._early_transitions: dict[str, Job] = {}
        self._listeners: list[Callable[[Session], None]] = []
        self._clock = clock
        self._registry = registry

    def add_capacity_listener(self, listener: Callable[[Session], None]) -> None:
        """Call ``listener`` whenever the capacity of a session may have changed."""
        self._listeners.append(listener)

    # Sessions.

    def add(self, session: Session) -> None:
        """Add a worker that has connected."""
        session.connected(self._clock.now())
        self._sessions[session] = None
        self._registry.add(session)
        self._capacity_changed(session)

    def remove(self, session: Session) -> None:
        """Remove a worker whose stream has ended. It keeps its jobs until their leases expire."""
        session.disconnected()
        self._sessions.pop(session, None)
        self._registry.remove(session)
        for job_id in list(session.jobs):
            if self._holders.get(job_id) is session:
                del self._holders[job_id]
        self._capacity_changed(session)

    def resize(self, session: Session, max_concurrency: int) -> None:
        """Change the number of jobs that the worker runs at once."""
        session.resize(max_concurrency)
        self._registry.changed(session)
        self._capacity_changed(session)

    def listen(self, session: Session) -> None:
        """The server is ready to read the worker's next message."""
        session.listen(self._clock.monotonic())

    def heard(self, session: Session) -> None:
        """A message of the worker has come, so that it gets jobs again where it was suspect (rule 14)."""
        if session.heard(self._clock.now()):
            self._capacity_changed(session)

    def drain(self) -> Steps[None]:
        """Tell all workers that the server is stopping, one a step: each wakes the task of a stream."""
        for session in list(self._sessions):
            session.responses.put(WorkResponse(drain=Drain()))
            yield

    # Jobs that they hold.

    def listening_since(self, job_id: str) -> float:
        """Since when the server waits for a message of the job's worker; minus infinity where none is connected."""
        session = self._holders.get(job_id)
        return -math.inf if session is None else session.listening_since

    def silent_for(self, session: Session) -> float:
        """Seconds for which the server has waited for the worker's next message; minus infinity where it does not."""
        return self._clock.monotonic() - session.listening_since

    def is_held(self, job_id: str) -> bool:
        """Whether a connected worker holds the job, or it is being started for one."""
        return job_id in self._holders

    def hold(self, session: Session, job_id: str, token: str | None) -> None:
        """Make the session the only holder of the job. Without a token the job is still being started."""
        if not session.open:
            return
        before = self._holders.get(job_id)
        if before is not None and before is not session:
            before.jobs.pop(job_id, None)
            before.unsent.discard(job_id)
            before.ending.discard(job_id)
            self._capacity_changed(before)
        session.jobs[job_id] = token
        if token is None:
            session.unsent.add(job_id)
        self._holders[job_id] = session
        early = self._early_transitions.pop(job_id, None)
        if early is not None and token is not None:
            self.on_transition(early)

    def assignment_sent(self, session: Session, job_id: str) -> None:
        """The worker has been sent the assignment of the job, or will never be."""
        had_capacity = session.has_capacity
        session.unsent.discard(job_id)
        if session.has_capacity != had_capacity:
            self._capacity_changed(session)

    def stop_holding(self, session: Session, job_id: str) -> None:
        """Release the job from the session that holds it."""
        session.jobs.pop(job_id, None)
        session.unsent.discard(job_id)
        session.ending.discard(job_id)
        if self._holders.get(job_id) is session:
            del self._holders[job_id]
            self._early_transitions.pop(job_id, None)
        self._capacity_changed(session)

    def on_transition(self, job: Job) -> None:
        """Tell the worker that holds the job that it is cancelled, or that the attempt is over."""
        session = self._holders.get(job.job_id)
        if session is None:
            return
        token = session.jobs.get(job.job_id)
        if token is None:
            self._early_transitions[job.job_id] = _worker_view(job)
            return
        if job.state == JobState.JOB_STATE_CANCELLING:
            cancel = Cancel(job_id=job.job_id, cancellation=job.cancellation)
            session.responses.put(WorkResponse(cancel=cancel))
        elif job.state not in LEASED:
            if decide.is_lost(job):
                session.lost()
            if job.job_id not in session.ending:
                session.responses.put(WorkResponse(rejected=_attempt_over(job, token)))
            self.stop_holding(session, job.job_id)

    def _capacity_changed(self, session: Session) -> None:
        for listener in self._listeners:
            listener(session)


def rejection(
    job_id: str, refusal: Refusal, token: str = "", *, report_sequence: int = 0, expected: int = 0
) -> WorkResponse:
    """A refusal as a response to a worker. ``report_sequence`` and ``expected`` are 0 where it was no report."""
    return WorkResponse(
        rejected=Rejected(
            job_id=job_id,
            reason=refusal.reason,
            message=refusal.message,
            report_sequence=report_sequence,
            expected_report_sequence=expected or int(refusal.metadata.get("expected", 0)),
            field=refusal.metadata.get("field", ""),
            lease_token=token,
            state=_state(refusal.metadata.get("state", "")),
        )
    )


def _worker_view(job: Job) -> Job:
    """Only the fields that ``on_transition`` uses: a job may be large, and many assignments may be on their way."""
    view = Job(job_id=job.job_id, state=job.state, attempt=job.attempt)
    if job.HasField("cancellation"):
        view.cancellation.CopyFrom(job.cancellation)
    if job.HasField("failure"):
        view.failure.code, view.failure.message = job.failure.code, job.failure.message
    return view


def _attempt_over(job: Job, token: str) -> Rejected:
    reason = ErrorReason.ERROR_REASON_JOB_ENDED if has_ended(job) else ErrorReason.ERROR_REASON_LEASE_LOST
    message = f"Attempt {job.attempt} is over; the job is {state_name(job)}. {job.failure.message}"
    state = job.state if has_ended(job) else JobState.JOB_STATE_UNSPECIFIED
    return Rejected(job_id=job.job_id, reason=reason, message=message.strip(), lease_token=token, state=state)


def _state(name: str) -> JobState.ValueType:
    return JobState.Value(f"JOB_STATE_{name or 'UNSPECIFIED'}")
