"""Sessions of a stopping server: it answers every request that it reads, and reads no more (rule 12)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from milepost.contract.reasons import reason_name
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.event_log import StoredJob
from milepost.server.rpc.worker_service import DRAINED_PER_PASS
from milepost.v1 import Claim, Dispatch, Hello, Release, Report, Resume
from tests.support.rpc import log_line
from tests.unit.server.core import Core
from tests.unit.server.worker_sessions import Talk, WorkerSessions, state


class SlowLoad:
    """Delays the loading of jobs, and so the decisions about them."""

    def __init__(self, core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
        self._core = core
        self._load = core.log.load
        self._begun = asyncio.Event()
        self._may_go_on = asyncio.Event()
        monkeypatch.setattr(core.log, "load", self._wait)

    async def begins(self) -> None:
        """Wait until a job is being loaded."""
        await self._begun.wait()

    def go_on(self) -> None:
        """Resume the loading of jobs."""
        self._may_go_on.set()

    async def _wait(self, job_id: str, *, caller: str) -> StoredJob | None:
        self._begun.set()
        await self._may_go_on.wait()
        return await self._load(job_id, caller=caller)


async def claimed(core: Core, sessions: WorkerSessions) -> tuple[Talk, str]:
    """A worker with a claimed job, and the lease token."""
    talk = await sessions.open(kinds=[])
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk.say(claim=Claim(job_id="j"))
    _, token = await talk.takes()
    core.journal._idle.pop("j")  # the next decision loads the job
    return talk, token


async def ends_draining(talk: Talk) -> None:
    """Check that the session ends with DRAINING."""
    with pytest.raises(Refusal) as refusal:
        await talk.over()
    assert reason_name(refusal.value.reason) == "DRAINING"


async def lines(core: Core) -> list[str]:
    """The log lines of the job."""
    return [event.log_written.text for event in await core.events() if event.HasField("log_written")]


async def test_a_report_that_is_being_taken_is_acknowledged(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop waits for the decision and for the disk, and the answer comes before the end."""
    talk, token = await claimed(core, sessions)
    loading = SlowLoad(core, monkeypatch)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("1")]))
    await loading.begins()
    draining = asyncio.create_task(sessions.service.drain())
    await talk.hears("drain")
    loading.go_on()

    assert (await talk.hears("acknowledged")).acknowledged.report_sequence == 1
    await ends_draining(talk)
    await draining
    assert await lines(core) == ["1"]


async def test_a_report_that_comes_after_the_stop_began_is_not_taken(
    core: Core, sessions: WorkerSessions
) -> None:
    """It is neither in the log nor acknowledged, even while earlier reports still become durable."""
    talk, token = await claimed(core, sessions)
    core.log.hold(2)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("1")]))
    await core.log.holds(1)
    draining = asyncio.create_task(sessions.service.drain())
    await talk.hears("drain")
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=2, updates=[log_line("2")]))
    await talk.is_heard()
    core.log.let_go()

    assert (await talk.hears("acknowledged")).acknowledged.report_sequence == 1
    await ends_draining(talk)
    await draining
    assert await lines(core) == ["1"]


async def test_a_resumption_that_is_being_taken_is_answered(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a report."""
    talk, token = await claimed(core, sessions)
    loading = SlowLoad(core, monkeypatch)
    talk.say(resume=Resume(job_id="j", lease_token=token))
    await loading.begins()
    draining = asyncio.create_task(sessions.service.drain())
    await talk.hears("drain")
    loading.go_on()

    assert (await talk.hears("resumed")).resumed.job_id == "j"
    await ends_draining(talk)
    await draining


async def test_a_job_that_is_being_given_back_is_given_back(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop does not interrupt it."""
    talk, token = await claimed(core, sessions)
    loading = SlowLoad(core, monkeypatch)
    talk.say(release=Release(job_id="j", lease_token=token))
    await loading.begins()
    draining = asyncio.create_task(sessions.service.drain())
    await talk.hears("drain")
    loading.go_on()

    await ends_draining(talk)
    await draining
    assert await state(core) == ("QUEUED", 1, 0)


async def test_sessions_learn_of_the_end_some_at_a_time(core: Core, sessions: WorkerSessions) -> None:
    """Of thousands, those in one pass of the event loop would keep the reports under way waiting."""
    registered = [
        Session(Hello(worker_id=f"w{number}", kinds=["k"], max_concurrency=1))
        for number in range(2 * DRAINED_PER_PASS + 1)
    ]
    for session in registered:
        core.sessions.add(session)
    draining = asyncio.create_task(sessions.service.drain())
    notified = [0]
    while not draining.done():
        await asyncio.sleep(0)
        notified.append(sum(len(session.responses._responses) for session in registered))
    assert notified[-1] == len(registered)
    assert max(after - before for before, after in pairwise(notified)) == DRAINED_PER_PASS
