"""Worker sessions without gRPC: the order of concurrent events."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.refusal import Refusal
from milepost.server.dispatch.reports import PendingReport
from milepost.v1 import (
    Capacity,
    Claim,
    Dispatch,
    Job,
    JobState,
    Release,
    Report,
    Resume,
    RetryPolicy,
)
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.states import ended
from tests.unit.server.worker_sessions import WorkerSessions, state, worker_sessions


async def test_a_resumption_does_not_outlive_its_job(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that ends while it is resumed takes no capacity of the worker."""
    await core.submit()
    first = await sessions.open()
    _, token = await first.takes()
    await first.leave()
    second = await sessions.open(worker_id="second")
    find = core.log.find

    async def ends_meanwhile(job_id: str, *, caller: str) -> Job | None:
        monkeypatch.undo()
        found = await find(job_id, caller=caller)
        await core.cancel(0)
        return found

    monkeypatch.setattr(core.log, "find", ends_meanwhile)
    second.say(resume=Resume(job_id="j", lease_token=token))
    assert await second.refused() == ("j", "JOB_ENDED")

    await core.submit("next")
    assert (await second.takes())[0].job_id == "next"


async def test_the_holder_of_a_job_is_notified_of_its_end(core: Core, sessions: WorkerSessions) -> None:
    """Also a worker that has reported the end of an earlier attempt."""
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=RetryPolicy(max_attempts=2))
    token = await core.start(claimed=True)
    talk = await sessions.open()
    failed = ended(JobState.JOB_STATE_FAILED, retryable=True)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[failed]))
    await talk.hears("acknowledged")
    talk.say(claim=Claim(job_id="j"))
    await talk.takes()

    await core.cancel(0)
    assert await talk.refused() == ("j", "JOB_ENDED")


async def test_the_end_that_a_worker_reports_is_only_acknowledged(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it is durable before the session goes on, as that of a report which is decided in slices may be."""
    await core.submit()
    worker = await sessions.open()
    _, token = await worker.takes()
    accept = core.reports.accept

    async def has_ended() -> bool:
        return (await state(core))[0] == "SUCCEEDED"

    async def goes_on_late(*arguments: Any, **options: Any) -> PendingReport:
        pending = await accept(*arguments, **options)
        await eventually(has_ended)
        return pending

    monkeypatch.setattr(core.reports, "accept", goes_on_late)
    succeeded = ended(JobState.JOB_STATE_SUCCEEDED)
    worker.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[succeeded]))
    assert (await worker.hears("acknowledged")).acknowledged.report_sequence == 1


async def test_the_end_of_an_attempt_is_not_that_of_the_next_one(
    core: Core, sessions: WorkerSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the worker has the next one before the session goes on, it is still notified of the end of that."""
    await core.submit(retry_policy=RetryPolicy(max_attempts=2, initial_backoff=Duration()))
    worker = await sessions.open()
    _, token = await worker.takes()
    accept = core.reports.accept

    async def has_next_attempt() -> bool:
        return worker.assignments == 2

    async def goes_on_late(*arguments: Any, **options: Any) -> PendingReport:
        pending = await accept(*arguments, **options)
        await eventually(has_next_attempt)
        return pending

    monkeypatch.setattr(core.reports, "accept", goes_on_late)
    failed = ended(JobState.JOB_STATE_FAILED, retryable=True)
    worker.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[failed]))
    await worker.takes()
    await worker.hears("acknowledged")

    await core.cancel(0)
    assert await worker.refused() == ("j", "JOB_ENDED")


async def test_who_loses_a_job_is_notified_before_another_gets_it(
    core: Core, sessions: WorkerSessions
) -> None:
    """Also if another worker takes it at the same moment."""
    await core.submit(retry_policy=RetryPolicy(max_attempts=2, initial_backoff=Duration()))
    loses = await sessions.open(worker_id="loses", max_concurrency=1)
    await loses.takes()
    takes = await sessions.open(worker_id="takes")

    await core.pass_time(0, lease_is_out=True)
    assert await loses.refused() == ("j", "LEASE_LOST")
    assert (await takes.takes())[0].attempt == 2


async def test_a_worker_that_reconnects_loses_assignments_that_it_never_received(
    core: Core, sessions: WorkerSessions
) -> None:
    """At once, and without a failed attempt; it keeps its own jobs, and those of another run are not its own."""
    for job_id in ("has", "lost", "others"):
        await core.submit(job_id)
    first = await sessions.open(instance="one", max_concurrency=2)
    (_, token), _ = await first.takes(), await first.takes()
    other = await sessions.open(instance="another")
    await other.takes()
    await first.leave()

    again = await sessions.open(instance="one", job_ids=["has"])
    job, _ = await again.takes()
    assert (job.job_id, job.attempt, job.failed_attempts) == ("lost", 2, 0)
    again.say(resume=Resume(job_id="has", lease_token=token))
    await again.hears("resumed")
    assert [await state(core, "has"), await state(core, "others")] == [("RUNNING", 1, 0)] * 2
    given_back = next(e for e in await core.events("lost") if e.HasField("attempt_ended"))
    assert given_back.attempt_ended.failure.code == "RELEASED"


async def test_a_session_that_is_still_open_is_ended_by_the_next_of_its_run(
    core: Core, sessions: WorkerSessions
) -> None:
    """The server may notice a broken connection long after the worker."""
    await core.submit()
    older = await sessions.open(instance="one")
    await older.takes()

    newer = await sessions.open(instance="one")
    await older.over()
    assert (await newer.takes())[0].attempt == 2


async def test_what_is_on_its_way_to_an_older_session_comes_back(
    core: Core, sessions: WorkerSessions
) -> None:
    """Its start is not durable yet when the worker reconnects."""
    await core.submit()
    core.log.hold(1)
    older = await sessions.open(instance="one")
    await core.log.holds(1)
    newer = await sessions.open(instance="one")
    core.log.let_go()

    assert (await newer.takes())[0].attempt == 2
    await older.over()


async def test_what_was_lost_before_a_restart_is_given_back_after_it(core: Core) -> None:
    """The store has the worker's instance."""
    await core.submit()
    async with worker_sessions(core) as before:
        await (await before.open(instance="one")).takes()

    async with worker_sessions(core) as after:
        other = await after.open(instance="another")
        again = await after.open(instance="one", kinds=[])
        assert (await other.takes())[0].attempt == 2
        await again.leave()


async def test_a_job_that_was_to_be_cancelled_is_when_nobody_has_it(
    core: Core, sessions: WorkerSessions
) -> None:
    """Its worker never got it, so nothing has to be stopped."""
    await core.submit()
    await (await sessions.open(instance="one")).takes()
    await core.cancel(30)
    await sessions.open(instance="one")

    await eventually(lambda: stands(core, "CANCELLED", 1))
    assert not (await core.journal.find("j")).cancellation.forced


async def test_a_worker_without_an_instance_has_its_lease(core: Core, sessions: WorkerSessions) -> None:
    """Which jobs it has got is unknown."""
    await core.submit()
    await (await sessions.open()).takes()
    await sessions.open()

    assert await state(core) == ("RUNNING", 1, 0)


async def test_two_workers_of_one_name_are_two(core: Core, sessions: WorkerSessions) -> None:
    """Each has its own jobs; a resumed job moves to the other worker, and its capacity counts there."""
    for number in range(3):
        await core.submit(f"j{number}")
    one, two = await sessions.open(), await sessions.open(max_concurrency=2)
    (first, token), (second, _) = await one.takes(), await two.takes()
    assert (first.job_id, second.job_id) == ("j0", "j1")
    assert (await two.takes())[0].job_id == "j2"

    await core.submit("j3")
    two.say(resume=Resume(job_id="j0", lease_token=token))
    await two.hears("resumed")
    assert (await one.takes())[0].job_id == "j3"
    await core.cancel(30, "j0")
    assert (await two.hears("cancel")).cancel.job_id == "j0"


async def test_a_worker_that_takes_less_than_it_has_is_given_no_more(
    core: Core, sessions: WorkerSessions
) -> None:
    """Until it has fewer jobs."""
    talk = await sessions.open(max_concurrency=2)
    for number in range(3):
        await core.submit(f"j{number}")
    tokens = [(await talk.takes())[1] for _ in range(2)]
    talk.say(capacity=Capacity(max_concurrency=1))
    talk.say(release=Release(job_id="j0", lease_token=tokens[0]))
    other = await sessions.open(worker_id="other", max_concurrency=2)
    assert sorted([(await other.takes())[0].job_id, (await other.takes())[0].job_id]) == ["j0", "j2"]

    await core.submit("j3")
    talk.say(release=Release(job_id="j1", lease_token=tokens[1]))
    assert (await talk.takes())[0].job_id == "j1"


async def test_a_claim_takes_up_room(core: Core, sessions: WorkerSessions) -> None:
    """From the request on; a refusal frees it."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk = await sessions.open()
    talk.say(claim=Claim(job_id="e"))
    _, token = await talk.takes()
    await core.submit()
    for job_id, reason in (("e", "LEASE_LOST"), ("nowhere", "JOB_NOT_FOUND"), ("j", "INVALID_FIELD")):
        talk.say(claim=Claim(job_id=job_id))
        assert await talk.refused() == (job_id, reason)
    assert await state(core) == ("QUEUED", 0, 0)

    talk.say(release=Release(job_id="e", lease_token=token))
    assert (await talk.takes())[0].job_id == "j"


async def test_a_claim_of_a_job_that_somebody_has_changes_nothing(
    core: Core, sessions: WorkerSessions
) -> None:
    """The holder continues, and gets its messages."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    has, asks = await sessions.open(kinds=[]), await sessions.open(kinds=[])
    has.say(claim=Claim(job_id="e"))
    await has.takes()
    asks.say(claim=Claim(job_id="e"))
    has.say(claim=Claim(job_id="e"))
    assert [await asks.refused(), await has.refused()] == [("e", "LEASE_LOST")] * 2

    await core.cancel(30, "e")
    assert (await has.hears("cancel")).cancel.job_id == "e"


async def test_a_stopping_server_gives_nothing_out(core: Core, sessions: WorkerSessions) -> None:
    """Released and claimed jobs wait for the next server."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk = await sessions.open(max_concurrency=2)
    await core.submit()
    _, token = await talk.takes()
    sessions.dispatcher.close()
    talk.say(release=Release(job_id="j", lease_token=token))
    talk.say(claim=Claim(job_id="e"))
    assert await talk.refused() == ("e", "DRAINING")

    assert await state(core) == ("QUEUED", 1, 0)
    assert await state(core, "e") == ("QUEUED", 0, 0)


async def test_what_a_stopping_server_cannot_tell_is_given_back(core: Core, sessions: WorkerSessions) -> None:
    """A job that was assigned at the last moment."""
    await core.submit()
    core.log.hold(1)
    talk = await sessions.open()
    await core.log.holds(1)
    sessions.dispatcher.close()
    await sessions.service.drain()
    core.log.let_go()
    await talk.hears("drain")
    with pytest.raises(Refusal, match="DRAINING"):
        await talk.over()

    await eventually(lambda: stands(core, "QUEUED", 1))


async def stands(core: Core, name: str, attempt: int) -> bool:
    """Whether the job has this state, after this many attempts without failures."""
    return await state(core) == (name, attempt, 0)
