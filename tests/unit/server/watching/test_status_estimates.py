"""Which estimate is worth another status."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.clock import SystemClock
from milepost.server.dispatch.job_queues import QueuePlace
from milepost.server.dispatch.worker_registry import WorkerRegistry
from milepost.server.estimation.estimators import Estimators
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.estimation.queue_estimates import QueueEstimates
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.log.event_log import StoredJob
from milepost.server.log.log_errors import StoreFailed
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.messages.timestamps import SECOND, instant, timestamp
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.pacer import Pacer
from milepost.server.watching.signals import Waiter
from milepost.server.watching.status_estimates import StatusEstimates, differs, interval
from milepost.server.watching.tails import Tail
from milepost.v1 import Estimate, Job, JobState, Waiting
from tests.support.commits import Author


def estimate(left: float, made: int = 0, most: float | None = None) -> Estimate:
    """So much is left, as of so many seconds."""
    p50, p90 = Duration(), Duration()
    p50.FromNanoseconds(round(left * SECOND))
    p90.FromNanoseconds(round((left if most is None else most) * SECOND))
    return Estimate(remaining_p50=p50, remaining_p90=p90, as_of=timestamp(made * SECOND))


@pytest.mark.parametrize(
    ("expected", "said", "now"),
    [
        (False, None, None),
        (True, None, estimate(9)),
        (True, estimate(9), None),
        (False, estimate(100), estimate(90, 10)),  # counted down, it is the same
        (False, estimate(110), estimate(104, 10)),
        (True, estimate(110), estimate(106, 10)),  # 6 of 100 seconds more
        (False, estimate(12), estimate(2.9, 10)),  # 0.9 of 2 seconds: nobody would see it
        (True, estimate(12), estimate(3.1, 10)),
        (True, estimate(100, most=120), estimate(90, 10, most=200)),
        (True, estimate(100), Estimate(overdue=True, as_of=timestamp(0))),
        (False, Estimate(overdue=True), Estimate(overdue=True)),
    ],
)
def test_a_change_that_clients_would_see(expected: bool, said: Estimate | None, now: Estimate | None) -> None:
    """By a twentieth, and by a second, of what they count down to."""
    assert differs(said, now, 10 * SECOND) == expected


def test_long_jobs_are_looked_at_less_often() -> None:
    """Each second within the last minute, and each ten seconds at least."""
    said = [None, estimate(0), estimate(50), estimate(200), estimate(86_400)]
    assert [interval(each) for each in said] == [1, 1, 1, 4, 10]


class Loads(MemoryEventLog):
    """A log with one running job, which counts how often that is read, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(MemoryDisk.new())
        self.loads = 0
        self._failures = failures

    async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
        """See ``EventLog``."""
        self.loads += 1
        await asyncio.sleep(0)
        if self.loads <= self._failures:
            raise StoreFailed("no")
        job = Job(job_id=job_id, state=JobState.JOB_STATE_RUNNING, fraction=0.5, fraction_known=True)
        job.start_time.FromNanoseconds(1)
        return StoredJob(job, 0, 0)


def estimates_of(log: Loads) -> JobEstimates:
    """Estimates of the job in this log, without a history."""
    clock = SystemClock()
    return JobEstimates(log, RunningJobs(clock), Histories(log, Slices()), clock)


async def test_watches_that_look_at_once_share_one_look() -> None:
    """Also while it is under way, and when the one that came first has left."""
    log = Loads()
    estimates = estimates_of(log)
    first = asyncio.create_task(estimates.of_watched("j", 0, "a"))
    others = [asyncio.create_task(estimates.of_watched("j", 0, "b")) for _ in range(50)]
    await asyncio.sleep(0)
    first.cancel()
    found = await asyncio.gather(*others)

    assert log.loads == 1
    assert [each == found[0] for each in found] == [True] * 50
    assert await estimates.of_watched("j", 0, "c") == found[0]
    assert log.loads == 1


async def test_a_look_that_fails_is_not_kept() -> None:
    """All that share it learn of it, and the next one looks again."""
    log = Loads(failures=1)
    estimates = estimates_of(log)
    outcomes = await asyncio.gather(
        *(estimates.of_watched("j", 0, "a") for _ in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [StoreFailed] * 3
    await estimates.of_watched("j", 0, "a")
    assert log.loads == 2


def watched(log: Loads) -> tuple[StatusEstimates, Tail]:
    """What a watch of the job in this log says, and its tail."""
    clock, histories, registry = SystemClock(), Histories(log, Slices()), WorkerRegistry(SystemClock())
    running, place = RunningJobs(clock), QueuePlace(own_ahead=0, own_waiting=0, is_limited=False)
    jobs = JobEstimates(log, running, histories, clock)
    queue = QueueEstimates(log, jobs, histories, running, registry, lambda _: place, lambda _: 0, clock)
    tail = Tail(MemoryBudget(1 << 20))
    return StatusEstimates(Estimators(jobs, queue, histories), clock, tail, "j", "a"), tail


async def test_a_look_waits_for_nothing() -> None:
    """What is not at hand is refreshed once, whoever looks meanwhile, and the signal tells when that is done."""
    log = Loads()
    estimates, tail = watched(log)
    looks = [estimates.may_be_worth_status(is_due=False) for _ in range(3)]
    notified = Waiter(tail.signal, 60.0, Pacer(), "a")
    assert await notified.wait(tail.signal.version)
    notified.close()

    # Nothing is known of the job, and nothing was said: so it is time for another look in a second only.
    assert (looks, estimates.may_be_worth_status(is_due=False), estimates.is_look_due, log.loads) == (
        [False] * 3,
        False,
        False,
        1,
    )


async def test_a_look_at_an_estimate_that_cannot_be_made() -> None:
    """The task of the watch meets the error; the refresh is not repeated until then, however many events come."""
    log = Loads(failures=2)
    estimates, tail = watched(log)
    assert not estimates.may_be_worth_status(is_due=False)
    notified = Waiter(tail.signal, 60.0, Pacer(), "a")
    assert await notified.wait(tail.signal.version)
    notified.close()

    assert (estimates.may_be_worth_status(is_due=False), log.loads) == (True, 1)
    with pytest.raises(StoreFailed):
        await estimates.has_changed()


def running_job(submitted: int) -> Job:
    """A job with the same id as the others."""
    job = Job(job_id="j", state=JobState.JOB_STATE_RUNNING)
    job.submit_time.FromNanoseconds(submitted)
    return job


async def test_a_later_job_with_the_id_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the moment for which watches share an estimate: that of the deleted job may be another owner's."""

    async def of_job(_: JobEstimates, job: Job, caller: str) -> Estimate:
        return Estimate(sample_size=job.submit_time.nanos)

    monkeypatch.setattr(JobEstimates, "of_job", of_job)
    estimates = estimates_of(Loads())
    shared = [await estimates.add_to_watched(running_job(submitted), SERVER) for submitted in (1, 2, 1, 2)]

    assert shared == [Estimate(sample_size=submitted) for submitted in (1, 2, 1, 2)]
    assert await estimates.of_watched("j", 2, SERVER) == Estimate(sample_size=2)
    # The log has one that was submitted at another time.
    assert await estimates.of_watched("j", 3, SERVER) is None


async def test_the_next_attempt_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the moment for which watches share an estimate."""

    async def of_job(_: JobEstimates, job: Job, caller: str) -> Estimate:
        return Estimate(sample_size=job.attempt)

    monkeypatch.setattr(JobEstimates, "of_job", of_job)
    log = MemoryEventLog(MemoryDisk.new())
    clock = SystemClock()
    estimates = JobEstimates(log, RunningJobs(clock), Histories(log, Slices()), clock)
    log.add_listener(estimates.on_entries)
    author = Author("j")
    shared = []
    for attempt, commit in enumerate((author.submit(), author.start(), author.lines("a")), 1):
        await log.append(commit)
        job = running_job(0)
        job.attempt, job.last_sequence = attempt, author.job.last_sequence
        shared.append(await estimates.add_to_watched(job, SERVER))

    # The last commit is no transition, and the attempt is still the one before.
    assert shared == [Estimate(sample_size=attempt) for attempt in (1, 2, 2)]


@pytest.mark.parametrize("reads", [True, False])
async def test_an_attempt_that_begins_during_a_look(monkeypatch: pytest.MonkeyPatch, reads: bool) -> None:
    """What was found of the job before is shared with nobody, whoever read the job; who reads it looks again."""
    log = MemoryEventLog(MemoryDisk.new())
    clock, author, looks = SystemClock(), Author("j"), list[int]()

    async def of_job(_: JobEstimates, job: Job, caller: str) -> Estimate:
        looks.append(job.attempt)
        if len(looks) == 1:
            await log.append(author.start())
        return Estimate(sample_size=job.attempt)

    monkeypatch.setattr(JobEstimates, "of_job", of_job)
    estimates = JobEstimates(log, RunningJobs(clock), Histories(log, Slices()), clock)
    log.add_listener(estimates.on_entries)
    await log.append(author.submit())
    watched = "j", instant(author.job.submit_time)
    if reads:
        assert await estimates.of_watched(*watched, SERVER) == Estimate(sample_size=1)
    else:
        job = running_job(watched[1])
        job.last_sequence = author.job.last_sequence
        await estimates.add_to_watched(job, SERVER)
        assert estimates.shared(*watched) is None

    assert await estimates.of_watched(*watched, SERVER) == Estimate(sample_size=1)
    assert looks == [0, 1]


async def test_a_later_job_with_the_id_has_its_own_place() -> None:
    """What a watch of a deleted job says of its place in the queue is none of the later one's."""

    class Queued(Loads):
        async def load(self, job_id: str, *, caller: str = SERVER) -> StoredJob | None:
            job = Job(job_id=job_id, state=JobState.JOB_STATE_QUEUED)
            job.submit_time.FromNanoseconds(7)
            return StoredJob(job, 0, 0)

    log, clock = Queued(), SystemClock()
    histories = Histories(log, Slices())
    place = QueuePlace(own_ahead=3, own_waiting=4, is_limited=False)
    registry = WorkerRegistry(clock)
    queue = QueueEstimates(
        log,
        JobEstimates(log, RunningJobs(clock), histories, clock),
        histories,
        RunningJobs(clock),
        registry,
        lambda _: place,
        lambda _: 3,
        clock,
    )
    waiting = {submitted: Waiting() for submitted in (7, 5)}
    for submitted, each in waiting.items():
        await queue.add_watched("j", submitted, each, SERVER)
    registry.close()

    assert {submitted: each.jobs_ahead for submitted, each in waiting.items()} == {7: 3, 5: 0}
