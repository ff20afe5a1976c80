"""The time of day is set forward or back: what is measured in durations takes neither longer nor less."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server import decide
from milepost.server.base.clock import CautiousClock
from milepost.server.decide import time_limits
from milepost.server.followers.deadlines import Deadlines
from milepost.server.messages.job_ages import JobAges
from milepost.server.messages.timestamps import SECOND, instant
from milepost.v1 import Job, JobState, RetryPolicy
from tests.support.clock import FakeClock
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core
from tests.unit.server.followers.core_deadlines import LEASE
from tests.unit.server.states import ended

JUMPS = [-7200.0, 7200.0]


async def left(core: Core, job_id: str = "j") -> list[float]:
    """Seconds to each limit of the job's time."""
    job = await core.journal.find(job_id)
    return [time_limits.left(job_id, limit, core.journal.ages.age) / SECOND for limit in time_limits.of(job)]


async def look(core: Core, deadlines: Deadlines) -> None:
    """Have the timers look at the clock again, and do what is due."""
    for _, job in (await core.log.active()).jobs:
        deadlines.on_transition(job)
    for _ in range(10):
        await asyncio.sleep(0)


async def _fails_with(core: Core, code: str) -> bool:
    return (await core.journal.find("j")).failure.code == code


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize(
    ("name", "code"),
    [("timeout", "TIMEOUT"), ("attempt_timeout", "ATTEMPT_TIMEOUT"), ("start_deadline", "START_DEADLINE")],
)
async def test_a_limit_is_reached_after_its_duration(
    core: Core, deadlines: Deadlines, name: str, code: str, jump: float
) -> None:
    """Five seconds are five seconds, whatever the time of day is; and the server acts then."""
    limit: Any = {name: Duration(seconds=5)}
    await core.submit(**limit)
    if name != "start_deadline":
        await core.start()
    core.clock.advance(2)
    core.clock.jump(jump)
    assert await left(core) == [3.0]
    core.clock.advance(2)
    await look(core, deadlines)
    assert (await core.journal.find("j")).failure.code == ""

    core.clock.advance(1)
    await look(core, deadlines)
    await eventually(lambda: _fails_with(core, code))


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_limit_that_begins_after_a_jump(core: Core, deadlines: Deadlines, jump: float) -> None:
    """Also where the start of the job has, by its times, not come yet, since they never go back."""
    await core.submit(timeout=Duration(seconds=5))
    core.clock.jump(jump)
    core.clock.advance(1)
    await core.start()

    assert await left(core) == [5.0]
    core.clock.advance(5)
    await look(core, deadlines)
    await eventually(lambda: _fails_with(core, "TIMEOUT"))
    times = [instant(event.time) for event in await core.events()]
    assert times == sorted(times)


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_grace_period_is_what_was_asked_for(core: Core, deadlines: Deadlines, jump: float) -> None:
    """It is not cut short by a timeout that, by the new time of day, is over or far away; nor is it extended."""
    await core.submit(timeout=Duration(seconds=100))
    await core.start()
    core.clock.jump(jump)
    await core.cancel_as_users_do(10)
    cancellation = (await core.journal.find("j")).cancellation
    assert instant(cancellation.deadline) - instant(cancellation.request_time) == 10 * SECOND
    assert await left(core) == [10.0]

    core.clock.advance(4)
    core.clock.jump(-jump)
    await core.cancel_as_users_do(60)
    assert await left(core) == [6.0]
    await core.cancel_as_users_do(2)
    assert await left(core) == [2.0]
    core.clock.advance(2)
    await look(core, deadlines)
    await eventually(lambda: _is_forced(core))


async def _is_forced(core: Core) -> bool:
    return (await core.journal.find("j")).cancellation.forced


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_lease_lasts_as_long_as_ever(core: Core, deadlines: Deadlines, jump: float) -> None:
    """A worker that reports in time keeps its job; one that is silent loses it after the lease's time."""
    await core.submit()
    token = await core.start()
    core.clock.advance(LEASE - 1)
    core.clock.jump(jump)
    await core.report(token, log_line("alive"))
    deadlines.renew(["j"])
    core.clock.advance(LEASE - 1)
    await look(core, deadlines)
    assert (await core.journal.find("j")).state == JobState.JOB_STATE_RUNNING

    core.clock.advance(1)
    await look(core, deadlines)
    await eventually(lambda: _fails_with(core, "WORKER_LOST"))


@pytest.mark.parametrize("jump", [-7200.0, -3.0, 0.0])
async def test_a_backoff_is_no_longer_than_it_was_meant(core: Core, jump: float) -> None:
    """The next attempt may start when its backoff is over, where the time of day was set back as well."""
    policy = RetryPolicy(max_attempts=3, initial_backoff=Duration(seconds=5))
    await core.submit(retry_policy=policy)
    token = await core.start()
    core.clock.jump(jump)
    await core.report(token, ended(JobState.JOB_STATE_FAILED, retryable=True))

    assert decide.retry_delay(await core.journal.find("j"), core.clock.now()) == 5 * SECOND


async def test_a_job_that_was_given_back_waits_for_nothing(core: Core) -> None:
    """Its retry time is the moment when it was."""
    await core.submit()
    token = await core.start()
    await core.attempts.release("j", token)

    assert decide.retry_delay(await core.journal.find("j"), core.clock.now()) == 0


def test_ages_before_the_process_are_by_the_time_of_day() -> None:
    """A restarted server knows nothing else; what lies in the future is new."""
    clock = FakeClock()
    ages = JobAges(clock)

    assert ages.age("j", clock.now() - 5 * SECOND) == 5 * SECOND
    assert ages.age("k", clock.now() + 5 * SECOND) == 0


def test_ages_are_kept_of_what_counts_only() -> None:
    """Of each job the instants that a limit is counted from, and nothing once there is none."""
    clock = FakeClock()
    ages = JobAges(clock)
    first, second = clock.now(), clock.now() - SECOND
    ages.keep("j", [first, second])
    clock.advance(1)
    clock.jump(-100)
    ages.keep("j", [first])
    assert (ages.age("j", first), len(ages)) == (SECOND, 1)

    ages.keep("j", [])
    assert len(ages) == 0


def test_a_job_without_limits_has_none() -> None:
    """Nothing is kept of it."""
    assert time_limits.of(Job(job_id="j", state=JobState.JOB_STATE_RUNNING, attempt=1)) == []


def test_what_is_to_be_kept_outlasts_a_clock_that_is_set_forward() -> None:
    """Retention catches up with the time of day no faster than time passes; set back, it is the time of day."""
    clock = FakeClock()
    cautious = CautiousClock(clock)
    begun = clock.now()
    clock.advance(10)
    assert cautious.now() == begun + 10 * SECOND

    clock.jump(7200)
    assert cautious.now() == begun + 10 * SECOND
    clock.advance(100)
    assert cautious.now() == begun + 210 * SECOND
    clock.advance(7200)
    assert cautious.now() == clock.now() == begun + (10 + 7200 + 100 + 7200) * SECOND

    clock.jump(-3600)
    assert cautious.now() == clock.now()
