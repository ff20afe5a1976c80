"""Which estimate is worth another status."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.callers import SERVER
from milepost.server.base.clock import SystemClock
from milepost.server.base.slices import Slices
from milepost.server.base.timestamps import SECOND, timestamp
from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.estimation.running_jobs import RunningJobs
from milepost.server.log.event_log import StoredJob
from milepost.server.log.log_errors import StoreFailed
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.watching.status_estimates import differs, interval
from milepost.v1 import Estimate, Job, JobState


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
    first = asyncio.create_task(estimates.of_watched("j", "a"))
    others = [asyncio.create_task(estimates.of_watched("j", "b")) for _ in range(50)]
    await asyncio.sleep(0)
    first.cancel()
    found = await asyncio.gather(*others)

    assert log.loads == 1
    assert [each == found[0] for each in found] == [True] * 50
    assert await estimates.of_watched("j", "c") == found[0]
    assert log.loads == 1


async def test_a_look_that_fails_is_not_kept() -> None:
    """All that share it learn of it, and the next one looks again."""
    log = Loads(failures=1)
    estimates = estimates_of(log)
    outcomes = await asyncio.gather(
        *(estimates.of_watched("j", "a") for _ in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [StoreFailed] * 3
    await estimates.of_watched("j", "a")
    assert log.loads == 2
