"""Leases during a stalled store: unread messages do not count as silence (rule 14)."""

from __future__ import annotations

import asyncio
import math
from typing import Any, cast

from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import ANONYMOUS
from milepost.server.rpc.worker_service import WorkerService
from milepost.v1 import Claim, Dispatch, Heartbeat, Release, Report, ReportJobRequest
from tests.support.rpc import eventually, log_line
from tests.unit.server.core import Core
from tests.unit.server.worker_sessions import LEASE, Talk, WorkerSessions, state


async def look(core: Core, sessions: WorkerSessions) -> None:
    """Fire the timers, which check the clock."""
    for _, job in (await core.log.active()).jobs:
        sessions.deadlines.on_transition(job)


async def waits(core: Core, sessions: WorkerSessions) -> tuple[Talk, str]:
    """A worker that the server does not listen to: it gives one job back, which waits for the store. The other's lease.

    One that is silent has a job, too.
    """
    talks = [await sessions.open(kinds=[]), await sessions.open(kinds=[], worker_id="silent")]
    tokens = {}
    for job_id, talk in zip(("j", "back", "silent"), (talks[0], *talks), strict=True):
        await core.submit(job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
        talk.say(claim=Claim(job_id=job_id))
        _, tokens[job_id] = await talk.takes()
    core.log.hold(2)
    talks[0].say(release=Release(job_id="back", lease_token=tokens["back"]))
    await core.log.holds(1)
    return talks[0], tokens["j"]


async def stall(core: Core, sessions: WorkerSessions) -> None:
    """Stall the store for longer than a lease; then only the silent worker's job is ended."""
    core.clock.advance(LEASE)
    await look(core, sessions)
    await core.log.holds(2)
    core.log.let_go()


async def test_a_worker_that_speaks_while_the_server_waits(core: Core, sessions: WorkerSessions) -> None:
    """It keeps its job; the silent worker has lost its own."""
    talk, token = await waits(core, sessions)
    talk.say(heartbeat=Heartbeat())
    await stall(core, sessions)
    await look(core, sessions)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("x")]))

    assert (await talk.hears("acknowledged")).acknowledged.report_sequence == 1
    assert await state(core) == ("RUNNING", 1, 0)
    await eventually(lambda: stands(core, "silent", "LOST"))


async def test_a_worker_that_is_silent_when_the_server_listens_again(
    core: Core, sessions: WorkerSessions
) -> None:
    """It has one lease duration to send a message."""
    await waits(core, sessions)
    await stall(core, sessions)
    await eventually(lambda: listens(sessions))
    core.clock.advance(LEASE - 1)
    await look(core, sessions)
    assert await state(core) == ("RUNNING", 1, 0)

    core.clock.advance(1)
    await look(core, sessions)
    await eventually(lambda: stands(core, "j", "LOST"))


async def test_a_worker_that_waits_for_an_answer(core: Core, sessions: WorkerSessions) -> None:
    """A worker without a session whose call is pending is not silent."""
    await core.submit()
    token = await core.start()
    await core.submit("silent")
    await core.start("silent")
    core.log.hold(2)
    request = ReportJobRequest(
        job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("x")]
    )
    reporting = asyncio.create_task(report_job(sessions.service, request))
    await core.log.holds(1)
    await stall(core, sessions)

    assert await reporting == 1
    await look(core, sessions)
    assert await state(core) == ("RUNNING", 1, 0)


async def listens(sessions: WorkerSessions) -> bool:
    """Whether the server is reading the worker's next message."""
    return sessions.dispatcher.sessions.listening_since("j") < math.inf


async def report_job(service: WorkerService, request: ReportJobRequest) -> int:
    """The number of the last accepted report."""
    set_principal(ANONYMOUS)
    return (await service.ReportJob(request, cast("Any", None))).report_sequence


async def stands(core: Core, job_id: str, name: str) -> bool:
    """Whether the job has this state."""
    return name == (await state(core, job_id))[0]
