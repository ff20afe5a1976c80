"""Bugs that the simulation must find: each changes the server or the SDK so that it breaks a rule."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from milepost.client._worker.attempt import Attempt
from milepost.client._worker.reporter import Reporter
from milepost.fold import progress
from milepost.server import decide, journal
from milepost.server.base.refusal import lease_lost
from milepost.server.decide import ending, report_batching
from milepost.server.dispatch.attempt_key import StartedAttempt
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.job_queues import JobQueues, QueuedJob
from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.server.dispatch.reports import Acceptance, PendingReport, Reports
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.journal import Journal
from milepost.server.log.event_log import Commit
from milepost.server.open_job import OpenJob
from milepost.server.rpc.work_stream import WorkStream
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.prompt_future import PromptFuture
from milepost.v1 import Event, Failure, Job, JobState, WorkRequest
from tests.simulation.entropy import Change

__all__ = ["BUGS", "leases_outlive_the_epoch"]


def acknowledged_before_durable() -> list[Change]:
    """Reports are acknowledged before they are durable."""
    accept = Reports.accept

    async def hasty(*args: Any, **options: Any) -> PendingReport:
        done: PromptFuture[Acceptance] = PromptFuture()
        pending = await accept(*args, **options)
        done.set_result(pending.accepted)
        return pending._replace(durable=done)

    return [Change(Reports, "accept", hasty)]


def stale_lease_holds() -> list[Change]:
    """The token of an earlier attempt is valid for the current one."""

    def holds(_: LeaseTokens, job: Job, token: str) -> bool:
        return job.attempt > 0

    return [Change(LeaseTokens, "holds", holds)]


def failed_append_is_remembered() -> list[Change]:
    """A decision stays in memory after its append failed."""

    def appended(_: Journal, opened: OpenJob, has_events: bool, durable: asyncio.Future[None]) -> None:
        opened.pending -= 1
        if not durable.cancelled():  # as at the end of a world
            durable.exception()

    return [Change(Journal, "_appended", appended)]


def numbers_outlive_a_failed_append() -> list[Change]:
    """After a failed append the job is opened again, but its last report counts as accepted."""
    appended, opening = Journal._appended, Journal.open
    numbers: dict[tuple[str, int], int] = {}

    def remembers(self: Journal, opened: OpenJob, has_events: bool, durable: asyncio.Future[None]) -> None:
        if not durable.cancelled() and durable.exception() is not None:
            numbers[opened.job.job_id, opened.job.attempt] = opened.report_sequence
        appended(self, opened, has_events, durable)

    async def reopens(self: Journal, job_id: str, *, caller: str = SERVER) -> OpenJob:
        opened = await opening(self, job_id, caller=caller)
        number = numbers.pop((job_id, opened.job.attempt), 0)
        opened.report_sequence = max(opened.report_sequence, number)
        return opened

    return [Change(Journal, "_appended", remembers), Change(Journal, "open", reopens)]


def heartbeats_do_not_count() -> list[Change]:
    """Heartbeats do not renew leases."""
    take = WorkStream._handle

    def unheard(self: SessionTable, job_id: str) -> float:
        return -math.inf

    async def deaf(self: WorkStream, request: WorkRequest, size: int) -> None:
        if not request.HasField("heartbeat"):
            await take(self, request, size)

    return [Change(WorkStream, "_handle", deaf), Change(SessionTable, "listening_since", unheard)]


def cancelled_job_stays_in_the_queue() -> list[Change]:
    """A cancelled job in the queue waits for a worker to stop it."""
    cancel = ending.cancel

    def lenient(job: Job, now: int, **asked: Any) -> list[Event]:
        events = cancel(job, now, **asked)
        return events[:1] if job.state == JobState.JOB_STATE_QUEUED else events

    return [Change(ending, "cancel", lenient)]


def attempts_are_not_counted() -> list[Change]:
    """Failures are retried beyond max_attempts."""

    def may_retry(job: Job, failure: Failure) -> bool:
        return failure.retryable and job.state == JobState.JOB_STATE_RUNNING

    return [Change(ending, "_may_retry", may_retry)]


def ended_jobs_are_reported_on() -> list[Change]:
    """Reports are accepted after the end of the attempt."""

    def check(self: LeaseTokens, job: Job, token: str) -> None:
        if not self.holds(job, token):
            raise lease_lost(job)

    return [
        Change(LeaseTokens, "check", check),
        Change(report_batching, "LEASED", frozenset(JobState.values())),
    ]


def given_to_two_workers() -> list[Change]:
    """A job stays in its queue when it is first assigned, and starts again while it runs."""
    take, start = JobQueues.pop, decide.start
    given: set[tuple[JobQueues, str]] = set()

    def leave(self: JobQueues, kind: str) -> QueuedJob | None:
        job = take(self, kind)
        if job is not None and (self, job.job_id) not in given:
            given.add((self, job.job_id))
            self.add(job)
        return job

    def starts(job: Job, *args: Any, **options: Any) -> Event:
        queued = Job(job_id=job.job_id, attempt=job.attempt, last_sequence=job.last_sequence)
        queued.dispatch, queued.state = job.dispatch, JobState.JOB_STATE_QUEUED
        return start(queued, *args, **options)

    return [Change(JobQueues, "pop", leave), Change(decide, "start", starts)]


def giving_back_is_failing() -> list[Change]:
    """A released job loses an attempt."""
    release = decide.release

    def harmful(job: Job, now: int) -> list[Event]:
        events = release(job, now)
        if events[0].HasField("attempt_ended"):
            events[0].attempt_ended.failure.code = "GIVEN_BACK"
        return events

    return [Change(decide, "release", harmful)]


def gaps_are_passed_over() -> list[Change]:
    """A report is accepted although earlier ones are missing."""
    append = Reports._append

    def credulous(self: Reports, opened: OpenJob, request: Any) -> Any:
        if self._tokens.holds(opened.job, request.token):
            opened.report_sequence = max(opened.report_sequence, request.first - 1)
        return append(self, opened, request)

    return [Change(Reports, "_append", credulous)]


def keys_are_ignored() -> list[Change]:
    """Jobs of one concurrency key do not wait for each other."""
    of = QueuedJob.of

    def free(job: Job) -> QueuedJob:
        return of(job)._replace(key=None, limit=0)

    return [Change(QueuedJob, "of", staticmethod(free))]


def requests_are_forgotten() -> list[Change]:
    """The request id of a job is not stored."""
    submit = decide.submit

    def forgetful(*arguments: Any) -> Event:
        event = submit(*arguments)
        event.job_submitted.request_id = ""
        return event

    return [Change(decide, "submit", forgetful)]


def attempts_go_on_counting() -> list[Change]:
    """Report numbers continue from the previous attempt."""
    start = Attempts.start

    async def goes_on(self: Attempts, job_id: str, *args: Any, **options: Any) -> StartedAttempt:
        opened = await self._journal.open(job_id)
        number = opened.report_sequence
        started = await start(self, job_id, *args, **options)
        opened.report_sequence = number
        return started

    return [Change(Attempts, "start", goes_on)]


def resumed_before_durable() -> list[Change]:
    """A resumed worker continues after the last accepted report, durable or not."""

    async def resume(self: Attempts, job_id: str, token: str) -> tuple[int, Job]:
        opened = await self._journal.open(job_id)
        self._tokens.check(opened.job, token)
        return opened.report_sequence, await self._journal.find(job_id)

    return [Change(Attempts, "resume", resume)]


def fraction_is_the_stages() -> list[Change]:
    """The fraction of the job is that of the last stage that moved."""
    return [Change(progress, "job_fraction_after", lambda state, stage, fraction: fraction)]


def worker_does_not_go_back() -> list[Change]:
    """The SDK counts sent reports as received, although the connection broke."""

    def stays(self: Reporter, acknowledged: int) -> bool:
        with self.lock:
            if not self.acknowledged <= acknowledged <= self.last:
                return False
            self._discard(acknowledged)
            return True

    return [Change(Reporter, "rewind", stays)]


def number_is_not_kept() -> list[Change]:
    """The last report number is not stored with its events."""

    def commit(**fields: Any) -> Commit:
        return Commit(**{**fields, "report_sequence": 0})

    return [Change(journal, "Commit", commit)]


def leases_outlive_the_epoch() -> list[Change]:
    """Tokens stay valid although the store lost reports, and a worker that cannot continue stays silent.

    It shows only if an older copy of the store is restored.
    """
    make = LeaseTokens._make

    def timeless(self: LeaseTokens, job_id: str, seconds: int, nanos: int, attempt: int) -> str:
        self._epoch = ""
        return make(self, job_id, seconds, nanos, attempt)

    def silently(self: Attempt, acknowledged: int) -> None:
        if not self._reporter.rewind(acknowledged):
            self._lose("it cannot be continued")

    return [Change(LeaseTokens, "_make", timeless), Change(Attempt, "_rewind", silently)]


BUGS: tuple[Callable[[], list[Change]], ...] = (
    acknowledged_before_durable,
    stale_lease_holds,
    failed_append_is_remembered,
    numbers_outlive_a_failed_append,
    heartbeats_do_not_count,
    cancelled_job_stays_in_the_queue,
    attempts_are_not_counted,
    ended_jobs_are_reported_on,
    given_to_two_workers,
    giving_back_is_failing,
    gaps_are_passed_over,
    keys_are_ignored,
    requests_are_forgotten,
    attempts_go_on_counting,
    resumed_before_durable,
    fraction_is_the_stages,
    worker_does_not_go_back,
    number_is_not_kept,
)
