"""Timers: for whatever comes first, also of jobs that wait, and again after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.log.event_log import StoreFull
from milepost.server.turns import follow_turns
from milepost.server.working.deadlines import Deadlines
from milepost.v1 import Dispatch, JobState, RetryPolicy
from tests.support.rpc import eventually
from tests.unit.server.house import House
from tests.unit.server.states import ended

LEASE = 30.0


@pytest.fixture
async def deadlines(house: House) -> AsyncIterator[Deadlines]:
    """Those of the house."""
    made = Deadlines(house.journal, house.clock, house.tasks, LEASE)
    follow_turns(house.log, made.on_turn)
    yield made
    made.close()


async def failed(house: House, job_id: str) -> str:
    """What the job failed of, if it has."""
    return (await house.journal.find(job_id)).failure.code


async def look(house: House, deadlines: Deadlines) -> None:
    """Has the timers look at the clock again, which they would do in their time."""
    for job in await house.log.active():
        deadlines.on_turn(job)


async def test_each_bound_is_kept(house: House, deadlines: Deadlines) -> None:
    """Of jobs that run, and of those that wait, also for another engine."""
    hours = Duration(seconds=3600)
    await house.submit("starts", start_deadline=hours)
    await house.submit("claimed", start_deadline=hours, dispatch=Dispatch.DISPATCH_EXTERNAL)
    await house.submit("runs", timeout=hours)
    await house.submit("tries", attempt_timeout=hours)
    again = RetryPolicy(max_attempts=2)
    await house.submit("waits", timeout=hours, retry_policy=again)
    for job_id in ("runs", "tries", "waits"):
        await house.start(job_id)
    await house.report(
        house.tokens.token("waits", 1), ended(JobState.JOB_STATE_FAILED, retryable=True), job_id="waits"
    )
    house.clock.advance(3600)
    deadlines.renew(["runs", "tries"])
    await look(house, deadlines)

    for job_id, code in (
        ("starts", "START_DEADLINE"),
        ("claimed", "START_DEADLINE"),
        ("runs", "TIMEOUT"),
        ("tries", "ATTEMPT_TIMEOUT"),
        ("waits", "TIMEOUT"),
    ):
        await eventually(lambda job_id=job_id, code=code: _is(house, job_id, code))


async def test_bounds_hold_after_a_restart(house: House) -> None:
    """What came to be due while no server was there is done when one is."""
    await house.submit("starts", start_deadline=Duration(seconds=5))
    await house.submit("runs", timeout=Duration(seconds=5))
    await house.start("runs")
    house.clock.advance(5)
    deadlines = Deadlines(house.journal, house.clock, house.tasks, LEASE)
    await look(house, deadlines)

    await eventually(lambda: _is(house, "starts", "START_DEADLINE"))
    await eventually(lambda: _is(house, "runs", "TIMEOUT"))
    deadlines.close()


async def test_what_the_store_does_not_take_is_tried_again(house: House, deadlines: Deadlines) -> None:
    """A full disk delays an end; it does not prevent it."""
    await house.submit("j", start_deadline=Duration(seconds=5))
    house.log.errors.append(StoreFull("full"))
    house.clock.advance(5)
    await look(house, deadlines)

    await eventually(lambda: _is(house, "j", "START_DEADLINE"))


async def test_nothing_is_kept_of_what_time_does_nothing_to(house: House, deadlines: Deadlines) -> None:
    """A job that waits without a bound has no timer, and one that has ended has none any more."""
    await house.submit("bounded", start_deadline=Duration(seconds=5))
    await house.submit("j")
    await house.start("j")
    assert {"bounded", "j"} == deadlines.watched
    for job_id in ("bounded", "j"):
        await house.cancel(0, job_id)
    await house.submit("free")

    assert set() == deadlines.watched


async def _is(house: House, job_id: str, code: str) -> bool:
    return await failed(house, job_id) == code
