"""The invariants of every run, whatever faults it had: pure functions of its evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from milepost.fold import RELEASED, Fold, fold
from milepost.server.messages.timestamps import nanoseconds
from milepost.v1 import Event, Job, JobState
from tests.simulation.evidence import Evidence, at, is_the_servers, meaning
from tests.simulation.server import LEASE_TTL

__all__ = ["CHECKS", "OF_LOGS", "violations"]

Check = Callable[[Evidence], Iterator[str]]

_QUEUED, _RUNNING, _CANCELLING = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_CANCELLING,
)
_CANCELLED, _LOST = JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_LOST

# Rounding error of stored instants, in seconds.
_ROUNDING = 1e-6
# Maximum delay of deadlines without faults, in seconds.
_LATE = 3.0


def violations(evidence: Evidence, checks: Sequence[Check] | None = None) -> list[str]:
    """The violations of these checks, or of all."""
    return [f"{check.__name__}: {found}" for check in checks or CHECKS for found in check(evidence)]


# --- Logs -----------------------------------------------------------------------------------------------------------


def undisturbed(evidence: Evidence) -> Iterator[str]:
    """No exception was lost, nothing hangs, and every submitted job has ended."""
    yield from evidence.run.complaints


def numbered(evidence: Evidence) -> Iterator[str]:
    """The events of a log are numbered from 1 without gaps."""
    for job_id, log in evidence.logs.items():
        if [event.sequence for event in log] != [*range(1, len(log) + 1)]:
            yield f"{job_id} is numbered {[event.sequence for event in log]}"


def ended_once(evidence: Evidence) -> Iterator[str]:
    """`job_ended` is the last event, and comes once (rule 6)."""
    for job_id, log in evidence.logs.items():
        ends = [event.sequence for event in log if event.HasField("job_ended")]
        if ends != [len(log)]:
            yield f"{job_id} of {len(log)} events ended at {ends}"


def folded(evidence: Evidence) -> Iterator[str]:
    """A job is the fold of its log."""
    for job_id, log in evidence.logs.items():
        stored = evidence.record.disk.job(evidence.record.disk.records[job_id])
        folded_found = fold(log)
        folded_found.ClearField("input")
        folded_found.epoch, folded_found.first_sequence = stored.epoch, stored.first_sequence
        if folded_found != stored:
            yield f"{job_id} is stored as {stored} and folds to {folded_found}"


def in_turn(evidence: Evidence) -> Iterator[str]:
    """Attempts do not overlap: each starts from the queue, and each event has the number of the current one."""
    for job_id, log in evidence.logs.items():
        state = Fold()
        for event in log:
            before, attempt = state.job.state, state.job.attempt
            started = event.HasField("job_started")
            if started and before != _QUEUED:
                yield f"{job_id} was started by {event.sequence} when it was not queued"
            if event.HasField("attempt_ended") and before != _RUNNING:
                yield f"{job_id} was requeued by {event.sequence} when it was not running"
            if before == _QUEUED and not (started or is_the_servers(event) or event.HasField("job_ended")):
                yield f"{job_id} was reported on by {event.sequence} when it was queued"
            if event.attempt != attempt + started:
                yield f"{job_id} has event {event.sequence} of attempt {event.attempt} in attempt {attempt}"
            state.apply(event)


def onward(evidence: Evidence) -> Iterator[str]:
    """The fraction never falls within an attempt (rule 13), and times never within a log."""
    for job_id, log in evidence.logs.items():
        state = Fold()
        time = fraction = 0.0
        for event in log:
            state.apply(event)
            if event.HasField("job_started"):
                fraction = 0.0
            if state.job.fraction < fraction:
                yield f"{job_id} fell to {state.job.fraction} at {event.sequence}"
            if at(event.time) < time:
                yield f"{job_id} went back in time at {event.sequence}"
            fraction, time = state.job.fraction, at(event.time)


# --- Reports --------------------------------------------------------------------------------------------------------


def exactly_once(evidence: Evidence) -> Iterator[str]:
    """Acknowledged reports are in the log of their attempt once and in order, and nothing else is (rule 11)."""
    record = evidence.record
    acknowledged: dict[object, int] = defaultdict(int)
    for said in record.acknowledgements:
        acknowledged[said.lease] = max(acknowledged[said.lease], said.report_sequence)
    for held in evidence.attempts:
        reports = record.reports.get(held.lease, {})
        refused = record.refused.get(held.lease, set())
        due = {number for number in reports if number <= acknowledged[held.lease]} - refused
        numbers = iter(sorted(reports))
        for event in held.events:
            if is_the_servers(event):
                continue
            result = meaning(event)
            found = next((number for number in numbers if meaning(reports[number]) == result), None)
            if found is not None:
                due.discard(found)
            # A job that is released while it is being cancelled ends by that.
            elif event.job_ended.state != _CANCELLED or not (held.lease in record.releases or not reports):
                yield f"{held.lease.job_id} has event {event.sequence}, which was not reported then: {event}"
        if due:
            yield f"{held.lease.job_id} lacks reports {sorted(due)} that were acknowledged"


def durable(evidence: Evidence) -> Iterator[str]:
    """An acknowledgement means durable (rule 12)."""
    for result in evidence.record.acknowledgements:
        if not result.is_durable:
            yield f"{result.lease.job_id} had report {result.report_sequence} acknowledged before it was durable"


def refused_rightly(evidence: Evidence) -> Iterator[str]:
    """The state that a refusal rests on is durable too, since the worker may give up its job for it."""
    for job_id in evidence.record.refused_early:
        yield f"{job_id} was said to have ended before that was durable"


def unchanged(evidence: Evidence) -> Iterator[str]:
    """A worker uses each report number for one update only."""
    for lease in evidence.record.changed:
        yield f"{lease.job_id} had a number used twice"


# --- Leases and attempts --------------------------------------------------------------------------------------------


def alive(evidence: Evidence) -> Iterator[str]:
    """No worker loses a job while the server receives its messages (rule 14)."""
    for held in evidence.attempts:
        for event in held.events:
            ended = event.attempt_ended.failure.code or event.job_ended.failure.code
            if ended != "WORKER_LOST":
                continue
            heard = [
                time for time in evidence.record.heartbeats.get(held.lease, ()) if time <= at(event.time)
            ]
            if heard and heard[-1] + LEASE_TTL > at(event.time) + _ROUNDING:
                yield f"{event.job_id} was lost at {at(event.time)}, its worker heard at {heard[-1]}"


def retried(evidence: Evidence) -> Iterator[str]:
    """A job has at most as many failed attempts as its policy allows; released ones do not count."""
    for job_id, log in evidence.logs.items():
        most = max(log[0].job_submitted.job.retry_policy.max_attempts, 1)
        failed = sum(
            event.HasField("attempt_ended") and event.attempt_ended.failure.code != RELEASED for event in log
        )
        if failed >= most:
            yield f"{job_id} failed {failed} times and was tried again, with {most} attempts at the most"
        last = log[-1].job_ended
        before = fold(log[:-1])
        if last.failure.retryable and before.state == _RUNNING and failed + 1 != most:
            yield f"{job_id} was given up after {failed + 1} of {most} attempts"


def given_back(evidence: Evidence) -> Iterator[str]:
    """The failure that ended an attempt was reported by the worker, or is one of the server's own."""
    for held in evidence.attempts:
        document = {
            update.job_ended.failure.code
            for update in evidence.record.reports.get(held.lease, {}).values()
            if update.HasField("job_ended")
        }
        for event in held.events:
            if event.HasField("attempt_ended") and not is_the_servers(event):
                code = event.attempt_ended.failure.code
                if code not in document:
                    yield f"{event.job_id} had an attempt ended by {code!r}, which was not reported"


def within_limits(evidence: Evidence) -> Iterator[str]:
    """No more jobs of a concurrency key run than each of them allows, and no worker exceeds its capacity."""
    jobs: dict[str, Job] = {}
    at_work: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in evidence.order:
        if event.HasField("job_submitted"):
            jobs[event.job_id] = event.job_submitted.job
        job = jobs[event.job_id]
        if not job.concurrency_key:
            continue
        working = at_work[job.owner, job.concurrency_key]
        if event.HasField("job_started"):
            working.add(job.job_id)
            if len(working) > job.concurrency_limit:
                yield f"{sorted(working)} are at work, {job.job_id} allows {job.concurrency_limit}"
        elif event.HasField("attempt_ended") or event.HasField("job_ended"):
            working.discard(job.job_id)
    for load in evidence.record.loads:
        if load.jobs > load.most:
            yield f"{load.worker} had {load.jobs} jobs, and takes {load.most}"


# --- Clients --------------------------------------------------------------------------------------------------------


def shown(evidence: Evidence) -> Iterator[str]:
    """A subscriber receives the whole log, once and in order, and only durable events (rule 2)."""
    for job_id in evidence.record.shown_early:
        yield f"{job_id} was shown ahead of what was durable"
    for job_id, seen in evidence.record.seen:
        if seen != evidence.logs[job_id]:
            yield f"{job_id} was seen as {[event.sequence for event in seen]} of {len(evidence.logs[job_id])}"


def submitted_once(evidence: Evidence) -> Iterator[str]:
    """Every accepted job exists, and a request creates one job, however often it is sent."""
    made = Counter(log[0].job_submitted.job.labels["name"] for log in evidence.logs.values())
    for name, count in made.items():
        if count > 1:
            yield f"the request for {name} made {count} jobs"
    for request_id in evidence.record.refused_requests & {
        answer.request.request_id for answer in evidence.record.submits
    }:
        yield f"{request_id} was both accepted and refused"
    answers: dict[str, set[str]] = defaultdict(set)
    for answer in evidence.record.submits:
        answers[answer.request.request_id].add(answer.job_id)
        if not answer.durable or answer.job_id not in evidence.logs:
            yield f"{answer.job_id} was accepted, and is not there"
    for request_id, ids in answers.items():
        if len(ids) > 1:
            yield f"{request_id} was answered with {sorted(ids)}"


def cancelled(evidence: Evidence) -> Iterator[str]:
    """A cancelled job ends as CANCELLED unless it completed first (rules 16 and 17)."""
    for answer in evidence.record.cancels:
        if answer.state in (0, _QUEUED, _RUNNING):
            yield f"{answer.job_id} was said to be cancelled, and was {answer.state}"
    for job_id, log in evidence.logs.items():
        state = Fold()
        for event in log:
            before = state.job.state
            asked = state.job.HasField("cancellation")
            state.apply(event)
            if event.HasField("cancel_requested") and before == _QUEUED:
                following = log[event.sequence] if event.sequence < len(log) else Event()
                if following.job_ended.state != _CANCELLED or following.job_ended.forced:
                    yield f"{job_id} was cancelled in the queue by {event.sequence}, and did not end by that"
            if asked and (event.HasField("job_started") or event.HasField("attempt_ended")):
                yield f"{job_id} went on at {event.sequence} although it was to be cancelled"
            if asked and event.HasField("job_ended") and event.job_ended.state == _LOST:
                yield f"{job_id} was to be cancelled, and ended as LOST"


def prompt(evidence: Evidence) -> Iterator[str]:
    """Grace periods and timeouts end jobs: never early, and soon after the deadline without faults."""
    calm = evidence.record.calm
    for job_id, log in evidence.logs.items():
        before, end = fold(log[:-1]), log[-1]
        ended = at(end.time)
        if before.state == _CANCELLING and ended > max(at(before.cancellation.deadline), calm) + _LATE:
            yield f"{job_id} had time until {at(before.cancellation.deadline)}, and ended at {ended}"
        if end.job_ended.forced:
            yield from _forced(evidence, before, ended)
        if before.HasField("timeout") and before.HasField("first_start_time"):
            until = at(before.first_start_time) + nanoseconds(before.timeout) / 1e9
            if ended > max(until, calm) + _LATE:
                yield f"{job_id} was to take until {until}, and took until {ended}"
            if end.job_ended.failure.code == "TIMEOUT" and ended < until - _ROUNDING:
                yield f"{job_id} timed out at {ended}, before {until}"


def _forced(evidence: Evidence, job: Job, ended: float) -> Iterator[str]:
    """No job is ended by force before its grace period or its lease is over."""
    held = [held.lease for held in evidence.attempts if held.lease.job_id == job.job_id]
    heard = [time for time in evidence.record.heartbeats.get(held[-1], ()) if time <= ended] if held else []
    silent = not heard or heard[-1] + LEASE_TTL <= ended + _ROUNDING
    if ended < at(job.cancellation.deadline) - _ROUNDING and not silent:
        yield f"{job.job_id} was forced at {ended}, before {at(job.cancellation.deadline)}"


OF_LOGS: tuple[Check, ...] = (undisturbed, numbered, ended_once, folded, in_turn, onward)
"""The checks that hold even if durable data is lost: each log is consistent, and ends."""

CHECKS: tuple[Check, ...] = (
    *OF_LOGS,
    exactly_once,
    durable,
    refused_rightly,
    unchanged,
    alive,
    retried,
    given_back,
    within_limits,
    shown,
    submitted_once,
    cancelled,
    prompt,
)
