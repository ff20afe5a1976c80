"""Timers for the first deadline of each job, also of queued jobs, and after a restart."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.followers import deadlines as deadlines_module
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.transitions import follow_transitions
from milepost.server.journal import Decision
from milepost.server.log.log_errors import StoreFull
from milepost.server.open_job import OpenJob
from milepost.v1 import Dispatch, JobState, RetryPolicy
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.followers.core_deadlines import LEASE, core_deadlines
from tests.unit.server.states import ended


async def failed(core: Core, job_id: str) -> str:
    """The failure code of the job; empty unless it failed."""
    return (await core.journal.find(job_id)).failure.code


async def look(core: Core, deadlines: Deadlines) -> None:
    """Fire the timers, which check the clock."""
    for _, job in (await core.log.active()).jobs:
        deadlines.on_transition(job)


async def test_each_bound_is_kept(core: Core, deadlines: Deadlines) -> None:
    """For running and queued jobs, also external ones."""
    hours = Duration(seconds=3600)
    await core.submit("starts", start_deadline=hours)
    await core.submit("claimed", start_deadline=hours, dispatch=Dispatch.DISPATCH_EXTERNAL)
    await core.submit("runs", timeout=hours)
    await core.submit("tries", attempt_timeout=hours)
    again = RetryPolicy(max_attempts=2)
    await core.submit("waits", timeout=hours, retry_policy=again)
    for job_id in ("runs", "tries", "waits"):
        await core.start(job_id)
    await core.report(
        core.token("waits", 1), ended(JobState.JOB_STATE_FAILED, retryable=True), job_id="waits"
    )
    core.clock.advance(3600)
    deadlines.renew(["runs", "tries"])
    await look(core, deadlines)

    for job_id, code in (
        ("starts", "START_DEADLINE"),
        ("claimed", "START_DEADLINE"),
        ("runs", "TIMEOUT"),
        ("tries", "ATTEMPT_TIMEOUT"),
        ("waits", "TIMEOUT"),
    ):
        await eventually(lambda job_id=job_id, code=code: _is(core, job_id, code))


async def test_bounds_hold_after_a_restart(core: Core) -> None:
    """Deadlines that passed while no server ran are applied at the start."""
    await core.submit("starts", start_deadline=Duration(seconds=5))
    await core.submit("runs", timeout=Duration(seconds=5))
    await core.start("runs")
    core.clock.advance(5)
    deadlines = core_deadlines(core)
    await look(core, deadlines)

    await eventually(lambda: _is(core, "starts", "START_DEADLINE"))
    await eventually(lambda: _is(core, "runs", "TIMEOUT"))
    deadlines.close()


async def test_an_end_that_the_store_refused_is_retried(core: Core, deadlines: Deadlines) -> None:
    """A full disk delays an end, but does not prevent it."""
    await core.submit("j", start_deadline=Duration(seconds=5))
    core.log.errors.append(StoreFull("full"))
    core.clock.advance(5)
    await look(core, deadlines)

    await eventually(lambda: _is(core, "j", "START_DEADLINE"))


async def test_jobs_without_deadlines_have_no_timer(core: Core, deadlines: Deadlines) -> None:
    """A queued job without deadlines has no timer, nor has an ended job."""
    await core.submit("bounded", start_deadline=Duration(seconds=5))
    await core.submit("j")
    await core.start("j")
    assert deadlines.watched == {"bounded", "j"}
    for job_id in ("bounded", "j"):
        await core.cancel(0, job_id)
    await core.submit("free")

    assert deadlines.watched == set()


async def test_another_attempt_has_another_lease(core: Core) -> None:
    """An attempt that another node started has a full lease of its own (rule 14)."""
    deadlines = core_deadlines(core)
    results = [await core.submit("waits", start_deadline=Duration(seconds=1))]
    for job_id in ("tried", "lost"):
        await core.submit(job_id)
        token = await core.start(job_id)
        results.append(await core.journal.find(job_id))
        if job_id == "tried":
            await core.attempts.release(job_id, token)
    for job in results:
        deadlines.on_transition(job)
    for job_id in ("waits", "tried"):
        await core.start(job_id)
    core.clock.advance(LEASE)
    for job in results:
        deadlines.on_transition(job)

    await eventually(lambda: _is(core, "lost", "WORKER_LOST"))
    assert [
        (job.state, job.attempt) for job in [await core.journal.find(job_id) for job_id in ("waits", "tried")]
    ] == [(JobState.JOB_STATE_RUNNING, 1), (JobState.JOB_STATE_RUNNING, 2)]
    deadlines.close()


async def test_a_server_that_stood_still_listens_before_it_judges(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 14: a suspended server does not count that time as silence; a worker silent afterwards loses the lease."""
    lease = 0.01
    looks: list[JobState.ValueType] = []
    commit = core.journal.commit

    async def seen(job_id: str, decision: Decision, *, by_timeout: bool = False) -> OpenJob:
        opened = await commit(job_id, decision, by_timeout=by_timeout)
        looks.append(opened.job.state)
        return opened

    monkeypatch.setattr(core.journal, "commit", seen)
    deadlines = Deadlines(core.journal, core.sessions, core.clock, core.tasks, lease)
    follow_transitions(core.log, deadlines.on_transition)
    await core.submit()
    await core.start()
    core.clock.advance(3600)
    before = len(looks)

    async def has_looked() -> bool:
        return len(looks) > before

    await eventually(has_looked)
    assert {JobState.JOB_STATE_RUNNING} == {*looks}
    core.clock.advance(lease)
    await eventually(lambda: _is(core, "j", "WORKER_LOST"))
    deadlines.close()


async def _is(core: Core, job_id: str, code: str) -> bool:
    return await failed(core, job_id) == code


async def test_a_deadline_is_kept_after_an_error_of_any_kind(
    core: Core, deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a lease, or a limit, would end only when the job changes for another reason."""
    monkeypatch.setattr(deadlines_module, "_STORE_RETRY_DELAY", 0.0)
    await core.submit("j", start_deadline=Duration(seconds=5))
    commit, failures = core.journal.commit, [KeyError("a fault")]

    async def failing(job_id: str, decision: Decision, **options: Any) -> OpenJob:
        if failures:
            raise failures.pop()
        return await commit(job_id, decision, **options)

    monkeypatch.setattr(core.journal, "commit", failing)
    core.clock.advance(5)
    await look(core, deadlines)

    async def has_failed() -> bool:
        return await failed(core, "j") == "START_DEADLINE"

    await eventually(has_failed)


async def test_lost_leases_are_counted(core: Core, deadlines: Deadlines) -> None:
    """For metrics: those of silent workers, and no other deadlines."""
    await core.submit("lost")
    await core.submit("bounded", start_deadline=Duration(seconds=1))
    await core.start("lost")
    core.clock.advance(LEASE)
    await look(core, deadlines)

    async def is_counted() -> bool:
        return deadlines.leases_lost == 1

    await eventually(is_counted)
    await eventually(lambda: _is(core, "bounded", "START_DEADLINE"))
    assert deadlines.leases_lost == 1


async def test_a_worker_that_waits_does_not_renew_the_lease_of_the_next_one(
    core: Core, deadlines: Deadlines
) -> None:
    """Its attempt may end meanwhile: the next one is under the lease of its own worker (rule 14)."""
    await core.submit()
    token = await core.start()
    await look(core, deadlines)
    with deadlines.suspend_expiry("j"):
        await core.attempts.release("j", token)
        await core.start()
        await look(core, deadlines)
        core.clock.advance(LEASE - 1)
    core.clock.advance(1)
    await look(core, deadlines)

    await eventually(lambda: _is(core, "j", "WORKER_LOST"))
