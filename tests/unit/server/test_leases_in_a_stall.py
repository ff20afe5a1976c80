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
from tests.unit.server.test_dispatch_sessions import LEASE, JobTable, Talk, desk, state

__all__ = ["desk"]


async def look(core: Core, desk: JobTable) -> None:
    """Fire the timers, which check the clock."""
    for _, job in (await core.log.active()).jobs:
        desk.deadlines.on_transition(job)


async def waits(core: Core, desk: JobTable) -> tuple[Talk, str]:
    """A worker that the server does not listen to: it gives one job back, which waits for the store. The other's lease.

    One that is silent has a job, too.
    """
    talks = [await desk.session(kinds=[]), await desk.session(kinds=[], worker_id="silent")]
    tokens = {}
    for job_id, talk in zip(("j", "back", "silent"), (talks[0], *talks), strict=True):
        await core.submit(job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
        talk.say(claim=Claim(job_id=job_id))
        _, tokens[job_id] = await talk.takes()
    core.log.hold(2)
    talks[0].say(release=Release(job_id="back", lease_token=tokens["back"]))
    await core.log.holds(1)
    return talks[0], tokens["j"]


async def stall(core: Core, desk: JobTable) -> None:
    """Stall the store for longer than a lease; then only the silent worker's job is ended."""
    core.clock.advance(LEASE)
    await look(core, desk)
    await core.log.holds(2)
    core.log.let_go()


async def test_a_worker_that_speaks_while_the_server_waits(core: Core, desk: JobTable) -> None:
    """It keeps its job; the silent worker has lost its own."""
    talk, token = await waits(core, desk)
    talk.say(heartbeat=Heartbeat())
    await stall(core, desk)
    await look(core, desk)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("x")]))

    assert (await talk.hears("acknowledged")).acknowledged.report_sequence == 1
    assert await state(core) == ("RUNNING", 1, 0)
    await eventually(lambda: stands(core, "silent", "LOST"))


async def test_a_worker_that_is_silent_when_the_server_listens_again(core: Core, desk: JobTable) -> None:
    """It has one lease duration to send a message."""
    await waits(core, desk)
    await stall(core, desk)
    await eventually(lambda: listens(desk))
    core.clock.advance(LEASE - 1)
    await look(core, desk)
    assert await state(core) == ("RUNNING", 1, 0)

    core.clock.advance(1)
    await look(core, desk)
    await eventually(lambda: stands(core, "j", "LOST"))


async def test_a_worker_that_waits_for_an_answer(core: Core, desk: JobTable) -> None:
    """A worker without a session whose call is pending is not silent."""
    await core.submit()
    token = await core.start()
    await core.submit("silent")
    await core.start("silent")
    core.log.hold(2)
    request = ReportJobRequest(
        job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("x")]
    )
    reporting = asyncio.create_task(report_job(desk.service, request))
    await core.log.holds(1)
    await stall(core, desk)

    assert await reporting == 1
    await look(core, desk)
    assert await state(core) == ("RUNNING", 1, 0)


async def listens(desk: JobTable) -> bool:
    """Whether the server is reading the worker's next message."""
    return desk.dispatcher.sessions.listening_since("j") < math.inf


async def report_job(service: WorkerService, request: ReportJobRequest) -> int:
    """The number of the last accepted report."""
    set_principal(ANONYMOUS)
    return (await service.ReportJob(request, cast("Any", None))).report_sequence


async def stands(core: Core, job_id: str, name: str) -> bool:
    """Whether the job has this state."""
    return name == (await state(core, job_id))[0]
