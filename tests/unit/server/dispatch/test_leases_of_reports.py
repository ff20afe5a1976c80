"""Which reports renew a lease, and whose (rules 11 and 14)."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import ANONYMOUS
from milepost.server.base.refusal import Refusal
from milepost.v1 import Claim, Dispatch, Report, ReportJobRequest, RetryPolicy
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core
from tests.unit.server.worker_sessions import LEASE, WorkerSessions, state

TWICE = RetryPolicy(max_attempts=2, initial_backoff=Duration())


async def has_state(core: Core, *expected: Any) -> bool:
    """Whether the job has this state, attempt and number of failed attempts."""
    return await state(core) == expected


async def pass_time(core: Core, sessions: WorkerSessions, seconds: float) -> None:
    """Advance the clock, and have the timers look at it."""
    core.clock.advance(seconds)
    for _, job in (await core.log.active()).jobs:
        sessions.deadlines.on_transition(job)


async def report_job(sessions: WorkerSessions, token: str, first: int, *lines: str) -> int:
    """Call ReportJob; the last report number that is durable."""
    set_principal(ANONYMOUS)
    request = ReportJobRequest(
        job_id="j", lease_token=token, first_report_sequence=first, updates=map(log_line, lines)
    )
    return (await sessions.service.ReportJob(request, cast("Any", None))).report_sequence


async def test_refused_reports_of_a_lost_attempt(core: Core, sessions: WorkerSessions) -> None:
    """Reports of a worker without a lease do not renew that of the next attempt."""
    await core.submit(retry_policy=TWICE)
    first = await sessions.open(worker_id="first")
    _, stale = await first.takes()
    await pass_time(core, sessions, LEASE)
    assert await first.refused() == ("j", "LEASE_LOST")
    second = await sessions.open(worker_id="second")
    await second.takes()

    await pass_time(core, sessions, LEASE - 1)
    first.say(
        report=Report(job_id="j", lease_token=stale, first_report_sequence=1, updates=[log_line("late")])
    )
    assert await first.refused() == ("j", "LEASE_LOST")
    for lines in (["late"], []):
        with pytest.raises(Refusal) as refused:
            await report_job(sessions, stale, 1, *lines)
        assert reason_name(refused.value.reason) == "LEASE_LOST"
    assert await state(core) == ("RUNNING", 2, 1)

    await pass_time(core, sessions, 1)
    await eventually(lambda: has_state(core, "LOST", 2, 2))


async def test_a_report_of_another_job_renews_only_that_job(core: Core, sessions: WorkerSessions) -> None:
    """A report through a session proves its own lease; the other jobs of the session have theirs by heartbeats."""
    for job_id in ("j", "other"):
        await core.submit(job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk = await sessions.open(kinds=[])
    tokens = {}
    for job_id in ("j", "other"):
        talk.say(claim=Claim(job_id=job_id))
        _, tokens[job_id] = await talk.takes()
    await pass_time(core, sessions, LEASE - 1)
    assert await report_job(sessions, tokens["j"], 1, "alive") == 1

    await pass_time(core, sessions, 1)
    await eventually(lambda: has_state(core, "RUNNING", 1, 0))
    assert await talk.refused() == ("other", "JOB_ENDED")


async def test_report_job_without_updates_renews_the_lease(core: Core, sessions: WorkerSessions) -> None:
    """This is the heartbeat of a worker without a session."""
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    token = await core.start(claimed=True)
    for _ in range(3):
        await pass_time(core, sessions, LEASE - 1)
        assert await report_job(sessions, token, 1) == 0
    assert await state(core) == ("RUNNING", 1, 0)

    await pass_time(core, sessions, LEASE)
    await eventually(lambda: has_state(core, "LOST", 1, 1))


async def test_report_job_answers_once_its_updates_are_durable(core: Core, sessions: WorkerSessions) -> None:
    """While the store holds the append there is no answer; it comes with the commit (rule 12)."""
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    token = await core.start(claimed=True)
    core.log.hold(1)
    reporting = asyncio.create_task(report_job(sessions, token, 1, "one"))
    await core.log.holds(1)
    for _ in range(100):
        await eventually(lambda: has_state(core, "RUNNING", 1, 0))
        assert not reporting.done()

    core.log.let_go()
    assert await reporting == 1
