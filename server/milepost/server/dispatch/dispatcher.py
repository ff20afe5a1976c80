"""Assign queued jobs to workers with capacity: at once, and in the order of the queues."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

import structlog

from milepost.server import decide
from milepost.server.access.authorize import Action, Target, check
from milepost.server.background_tasks import STARTS_PER_PASS, Tasks
from milepost.server.base.clock import Clock
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal, draining
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.budgets.byte_budget import Charge
from milepost.server.budgets.response_room import RESPONSE_COPIES
from milepost.server.dispatch.attempt_key import AttemptKey, StartedAttempt
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.concurrency_limits import ConcurrencyLimits
from milepost.server.dispatch.job_queues import (
    KEY_GROUPS_LIMIT,
    ConcurrencyKey,
    JobQueues,
    QueuedJob,
    QueuePlace,
)
from milepost.server.dispatch.job_starts import JobStart, JobStarts
from milepost.server.dispatch.session_table import SessionTable, rejection
from milepost.server.dispatch.undone_starts import UndoneStarts
from milepost.server.dispatch.worker_instances import WorkerInstances
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import Conflict, StoreError
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.messages.timestamps import SECOND
from milepost.server.store_errors import STORE_RETRY_DELAY, refusal_of
from milepost.v1 import Assignment, Dispatch, ErrorReason, Job, JobState, SubmitJobRequest, WorkResponse

_logger = structlog.get_logger("milepost.dispatch")

# Measured bytes of a job that waits for its time to be queued: its timer, with all of its texts.
_DELAYED_MEMORY = 1500

# Suggested delay in seconds before a refused submission is repeated: a guess, since jobs end when they end.
_KEY_RETRY_DELAY = 5.0

_NOT_STARTED = Refusal(
    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
    "The server could not start the job; its log says why. Try again.",
    retry_delay=STORE_RETRY_DELAY,
)

# How often a job that has started is loaded again before its start is undone.
_LOAD_RETRIES = 2


class Dispatcher:
    """Match queued jobs with sessions that have capacity; the session that has waited longest goes first."""

    def __init__(self, attempts: Attempts, sessions: SessionTable, clock: Clock, tasks: Tasks) -> None:
        self._attempts = attempts
        self.sessions = sessions
        self._clock = clock
        self._tasks = tasks
        self._queues = JobQueues()
        self._limits = ConcurrencyLimits(self._queues)
        self._instances = WorkerInstances()
        self._starts = JobStarts(sessions)
        self._undone = UndoneStarts(attempts, tasks)
        self._refusals = FaultLog(_logger, "not dispatched", logging.INFO)
        self._failures = FaultLog(_logger, "start failed", logging.ERROR)
        self._delayed: dict[str, asyncio.TimerHandle] = {}
        self._idle: dict[str, OrderedDict[Session, None]] = {}
        self._kinds_to_match: dict[str, None] = {}
        self._closed = False
        sessions.add_capacity_listener(self._on_capacity)

    @property
    def memory(self) -> int:
        """Approximate bytes of memory of the jobs that wait for workers."""
        return self._queues.memory + len(self._delayed) * _DELAYED_MEMORY

    @property
    def waiting(self) -> Mapping[str, int]:
        """The number of jobs in the queue of each kind that has any."""
        return self._queues.waiting

    def oldest(self, kind: str) -> int | None:
        """When the first of a kind's queued jobs was submitted; see ``JobQueues``."""
        return self._queues.oldest(kind)

    def admit(self, request: SubmitJobRequest) -> None:
        """Admit a job to the queues. Raises LIMIT_REACHED."""
        if not request.concurrency_key:
            return
        key = ConcurrencyKey(request.owner, request.concurrency_key)
        if self._queues.is_key_full(key, request.concurrency_limit or 1):
            raise Refusal(
                ErrorReason.ERROR_REASON_LIMIT_REACHED,
                f"Jobs of the concurrency_key {key.name!r} wait in {KEY_GROUPS_LIMIT:,} kinds and priorities. "
                "Submit more when some of them have started, or use fewer kinds or priorities.",
                metadata={"limit": "concurrency-key", "concurrency_key": key.name},
                retry_delay=_KEY_RETRY_DELAY,
            )

    def place(self, job_id: str) -> QueuePlace | None:
        """The place of a job in its queue; None if it waits for no worker."""
        return self._queues.place(job_id)

    def ahead(self, job_id: str) -> int:
        """Jobs of any owner that start before it; see ``JobQueues``."""
        return self._queues.ahead(job_id)

    def on_transition(self, job: Job) -> None:
        """Queue a job that waits for a worker, at the time when it may start; otherwise remove it from the queue."""
        self._instances.on_transition(job)
        unsent = self._starts.on_transition(job)
        if unsent is not None:
            self._undone.undo_in_turn(job.job_id, unsent)
        startable = self._limits.on_transition(job)
        if job.state != JobState.JOB_STATE_QUEUED or job.dispatch != Dispatch.DISPATCH_QUEUE:
            self._cancel_delayed(job.job_id)
            self._queues.remove(job.job_id)
        else:
            wait = decide.retry_delay(job, self._clock.now()) / SECOND
            self._queue(QueuedJob.of(job), max(wait, self._starts.delay(job.job_id)))
            startable.add(job.kind)
        self._match_soon(sorted(startable))

    def connect(self, session: Session, job_ids: Collection[str]) -> None:
        """Add a session, and requeue what its worker process was assigned but does not have among ``job_ids``."""
        assigned = self._instances.attempts(session.instance) if session.instance else {}
        for job_id, key in assigned.items():
            if job_id not in job_ids:
                _logger.info(
                    "assignment lost", job_id=job_id, attempt=key.attempt, worker_id=session.worker_id
                )
                self._undone.undo_in_turn(job_id, key)
        self.sessions.add(session)

    def close(self) -> None:
        """Assign no more jobs, whatever comes back to the queue."""
        self._closed = True
        for job_id in list(self._delayed):
            self._cancel_delayed(job_id)
        self._idle.clear()

    def claim(self, session: Session, job_id: str, instance: str = "") -> asyncio.Task[None]:
        """Start the job for the session that claims it; the task ends when the session is answered.

        With an `instance` of its own the claim takes the job over from an earlier claim of the same one.
        """
        taken_over = self._instances.attempts(instance).get(job_id) if instance else None
        start = JobStart(session, job_id)
        self._starts.hold_if_free(start)
        return self._tasks.run(self._claim(start, instance, taken_over))

    # Queueing.

    def _queue(self, job: QueuedJob, wait: float) -> None:
        """Queue the job, after ``wait`` seconds."""
        self._cancel_delayed(job.job_id)
        if self._closed:
            return
        if wait <= 0:
            self._queues.add(job)
        else:
            self._delayed[job.job_id] = asyncio.get_running_loop().call_later(wait, self._end_delay, job)

    def _end_delay(self, job: QueuedJob) -> None:
        del self._delayed[job.job_id]
        self._queue(job, 0)
        self._match_soon([job.kind])

    def _cancel_delayed(self, job_id: str) -> None:
        timer = self._delayed.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    # Matching.

    def _on_capacity(self, session: Session) -> None:
        for kind in session.kinds:
            if session.has_capacity:
                self._idle.setdefault(kind, OrderedDict())[session] = None
            else:
                self._remove_idle(session, kind)
        if session.has_capacity:
            self._match_soon(session.kinds)

    def _remove_idle(self, session: Session, kind: str) -> None:
        idle = self._idle.get(kind)
        if idle is not None:
            idle.pop(session, None)
            if not idle:
                del self._idle[kind]

    def _match_soon(self, kinds: Iterable[str]) -> None:
        """Match these kinds, in their order, once all listeners have handled the current entries.

        A transition concerns queues, limits and sessions, which hear of it one after the other.
        """
        idle = not self._kinds_to_match
        self._kinds_to_match.update(dict.fromkeys(kinds))
        if idle and self._kinds_to_match:
            asyncio.get_running_loop().call_soon(self._match)

    def _match(self) -> None:
        """Assign jobs of the kinds until their queues are empty, or no session has capacity.

        In one pass of the event loop only some, the rest in the next.
        """
        kinds, self._kinds_to_match = list(self._kinds_to_match), {}
        starts = 0
        for place, kind in enumerate(kinds):
            # Longest waiting first. Each session is looked at once, and again after it got a job.
            idle = deque(self._idle.get(kind, ()))
            # Owners without a job left in the queue.
            exhausted: set[frozenset[str] | None] = set()
            while idle and not self._closed:
                if starts == STARTS_PER_PASS:
                    self._match_soon(kinds[place:])
                    return
                session = idle.popleft()
                owners = session.principal.dispatched_owners
                if not session.has_capacity:
                    self._remove_idle(session, kind)
                    continue
                job = None if owners in exhausted else self._queues.pop(kind, owners)
                if job is None:
                    if owners is None:
                        break
                    exhausted.add(owners)
                    continue
                idle.append(session)
                self._idle[kind].move_to_end(session)
                self._limits.admit(job)
                start = JobStart(session, job.job_id)
                self._starts.hold(start)
                self._tasks.start(self._assign(start, job))
                starts += 1

    # Starting.

    async def _assign(self, start: JobStart, job: QueuedJob) -> None:
        try:
            await self._start(start, None)
        except StoreError as error:
            if start.undo is None:  # otherwise it is queued once the start is undone
                # After a conflict another node was first, or the job has changed: match it again.
                self._queue(job, 0 if isinstance(error, Conflict) else STORE_RETRY_DELAY)
            drop_tracebacks(error)  # as in `_claim`
        except Refusal as refusal:  # the job was cancelled meanwhile, or another node has reached its limit
            self._refusals.note(job.job_id, job_id=job.job_id, reason=str(refusal))
            drop_tracebacks(refusal)
        except Exception as error:  # noqa: BLE001  # such as of a damaged row: the job starts again, later each time
            start.failed()
            self._failures.note(repr(error), job_id=job.job_id, exc_info=error)
        finally:
            self._end_start(start, admitted=True)
        if start.is_unreadable and start.started is None:
            self._queue(job, self._starts.delay(job.job_id))
        await self._undone.undo_if_unsent(start)

    async def _claim(self, start: JobStart, instance: str, taken_over: AttemptKey | None) -> None:
        admitted = False
        answer: WorkResponse | None = None

        def admit(job: Job) -> None:
            nonlocal admitted
            if not admitted:
                self._limits.admit(QueuedJob.of(job))
            admitted = True

        try:
            if self._closed:
                raise draining()
            if taken_over is not None:
                undo = partial(decide.claimed_again, instance=instance)
                await self._attempts.undo_start(start.job_id, taken_over, undo)
                # The session that held it does not any more.
                self._starts.hold_if_free(start)
            await self._attempts.prepare_claim(start.job_id, caller=start.session.caller)
            try:
                await self._start(start, admit, instance)
            except Conflict:  # decide once more, after what another node has appended
                await self._start(start, admit, instance)
        except (Refusal, StoreError) as error:
            answer = _refused(start.job_id, error)
            drop_tracebacks(error)  # which have the start, and with that the future that has the error
        except Exception as error:  # noqa: BLE001  # the worker would wait for its answer for good
            start.failed()
            self._failures.note(repr(error), job_id=start.job_id, exc_info=error)
            answer = None if start.assigned else rejection(start.job_id, _NOT_STARTED)
        finally:
            self._end_start(start, admitted=admitted)
        try:
            await self._undone.undo_if_unsent(start)
        finally:
            if answer is not None:
                start.session.responses.put(answer)

    async def _start(self, start: JobStart, admit: Callable[[Job], None] | None, instance: str = "") -> None:
        """Start an attempt, and enqueue its assignment. ``admit`` is for a claimed job."""
        session, job_id = start.session, start.job_id

        def check_and_admit(job: Job) -> None:
            # Since the check of the session's message, or the match, the id may have become another owner's.
            check(session.principal, Action.WORK, job_id, Target.of(job))
            if admit is not None:
                admit(job)

        async def decision() -> StartedAttempt:
            # Since the match or the claim, while others were written.
            if self._closed:
                raise draining()
            if not session.open:
                raise Conflict(job_id)  # so that it is matched again
            return await self._attempts.start(
                job_id,
                session.worker_id,
                instance=instance or session.instance,
                claimed=admit is not None,
                admit=check_and_admit,
                caller=session.caller,
            )

        started = await self._starts.decide(start, decision, in_order=admit is None)
        for retries in range(_LOAD_RETRIES, -1, -1):
            async with session.assigning:
                await start.written()
                try:
                    await self._send_assignment(start, started.key)
                except StoreError:
                    if not retries:
                        start.unreadable()
                        raise
                else:
                    return
            # To undo the start would take the store as well. Other assignments of the session go on meanwhile.
            await asyncio.sleep(STORE_RETRY_DELAY)

    async def _send_assignment(self, start: JobStart, key: AttemptKey) -> None:
        """Enqueue the assignment of an attempt that has started."""
        session, job_id = start.session, start.job_id
        charge = Charge(session.memory)
        try:
            job, token = await self._load_assignment(session, job_id, key, charge)
            try:
                self._limits.confirm(QueuedJob.of(job))
            except Refusal:
                start.undo = decide.over_limit
                raise
            on_sent = partial(self._on_sent, session, job_id, charge)
            assigned = WorkResponse(assignment=Assignment(lease_token=token))
            response = JobResponse(assigned, job, ("assignment", "job"))
            start.assigned = session.open and session.responses.put(response, on_sent)
        finally:
            if not start.assigned:
                charge.release()
        if start.assigned:
            self.sessions.hold(session, job_id, token)
        else:
            # The worker has left, and has done nothing for the job.
            start.undo = decide.assignment_lost

    async def _load_assignment(
        self, session: Session, job_id: str, key: AttemptKey, charge: Charge
    ) -> tuple[Job, str]:
        """Load the assigned job and charge its bytes. While it waits for room, it is not kept in memory."""
        while True:
            job, token = await self._attempts.assignment(job_id, key, caller=session.caller)
            size = RESPONSE_COPIES * job.ByteSize()
            if charge.try_resize(size):
                return job, token
            del job
            charge.release()
            await charge.acquire(size)

    def _on_sent(self, session: Session, job_id: str, charge: Charge) -> None:
        charge.release()
        self.sessions.assignment_sent(session, job_id)

    def _end_start(self, start: JobStart, *, admitted: bool) -> None:
        """Note that a start has succeeded or failed."""
        startable = self._limits.finish_start(start.job_id) if admitted else set()
        self._starts.end(start)
        self._match_soon(sorted(startable))


def _refused(job_id: str, error: Exception) -> WorkResponse:
    """The answer to a claim. The claim keeps no error: its traceback has the claim's frame, and so the session."""
    refusal = refusal_of(error)
    assert refusal is not None
    return rejection(job_id, refusal)
