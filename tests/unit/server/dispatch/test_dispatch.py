"""Dispatch: assignments to workers, and messages about their jobs."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.server import decide
from milepost.server.access.principal import Principal, Scope
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.worker_session import Session
from milepost.server.scheduling.steps import finish
from milepost.v1 import Dispatch, Hello, Job, JobState, RetryPolicy
from tests.support.responses import decoded
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.dispatching import done, hears, takes, why, worker
from tests.unit.server.states import ended


async def test_who_waits_longest_is_given_the_next_job(core: Core, dispatcher: Dispatcher) -> None:
    """Jobs and workers are served in order of arrival, in turns."""
    first, second = worker(dispatcher, "first", room=2), worker(dispatcher, "second", room=2)
    for number in range(4):
        await core.submit(f"j{number}")

    assert [await takes(first), await takes(first)] == ["j0", "j2"]
    assert [await takes(second), await takes(second)] == ["j1", "j3"]


async def test_jobs_that_wait_are_given_in_the_order_in_which_they_came(
    core: Core, dispatcher: Dispatcher
) -> None:
    """To the next worker."""
    for number in range(5):
        await core.submit(f"j{number}")
    session = worker(dispatcher, "w", room=5)

    assert [f"j{number}" for number in range(5)] == [await takes(session) for _ in range(5)]


async def test_a_worker_takes_what_it_has_room_for(core: Core, dispatcher: Dispatcher) -> None:
    """The next job comes when one is done, and only jobs of its kinds."""
    session = worker(dispatcher, "w", room=1)
    await core.submit("other", kind="other")
    for number in range(2):
        await core.submit(f"j{number}")
    assert await takes(session) == "j0"
    assert len(session.jobs) == 1

    token = core.token("j0", 1)
    session.ending.add("j0")
    await core.report(token, ended(JobState.JOB_STATE_SUCCEEDED), job_id="j0")
    assert await takes(session) == "j1"
    assert (await core.journal.find("other")).state == JobState.JOB_STATE_QUEUED


async def test_jobs_cancelled_in_the_queue_are_not_assigned(core: Core, dispatcher: Dispatcher) -> None:
    """External jobs are not assigned either."""
    await core.submit("cancelled")
    await core.submit("external", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await core.submit("j")
    await core.cancel(0, "cancelled")

    assert await takes(worker(dispatcher, "w", room=3)) == "j"


async def test_a_retry_waits_for_its_time(core: Core, dispatcher: Dispatcher) -> None:
    """Other jobs go first, although they came later."""
    await core.submit("j", retry_policy=RetryPolicy(max_attempts=2))
    session = worker(dispatcher, "w", room=2)
    assert await takes(session) == "j"
    await core.pass_time(0, lease_is_out=True)
    await hears(session, "rejected")
    await core.submit("later")
    dispatcher.sessions.heard(session)

    assert await takes(session) == "later"
    assert (await core.journal.find("j")).state == JobState.JOB_STATE_QUEUED


async def test_a_worker_that_lost_a_job_by_its_silence_is_given_no_other(
    core: Core, dispatcher: Dispatcher
) -> None:
    """Until it sends a message again (rule 14)."""
    await core.submit("j", retry_policy=RetryPolicy(max_attempts=1))
    session = worker(dispatcher, "w", room=2)
    assert await takes(session) == "j"
    await core.pass_time(0, lease_is_out=True)
    await hears(session, "rejected")
    await core.submit("later")
    assert not session.has_capacity
    assert await takes(worker(dispatcher, "other")) == "later"

    dispatcher.sessions.heard(session)
    assert session.has_capacity
    await core.submit("latest")
    assert await takes(session) == "latest"


async def test_a_worker_that_has_left_does_not_keep_what_it_was_just_given(
    core: Core, dispatcher: Dispatcher
) -> None:
    """The job has not started; it goes to the next worker."""
    await core.submit()
    core.log.hold(1)
    leaving = worker(dispatcher, "leaving")
    await core.log.holds(1)
    dispatcher.sessions.remove(leaving)
    core.log.let_go()

    assert await takes(worker(dispatcher, "next")) == "j"
    job = await core.journal.find("j")
    assert (job.worker_id, job.attempt, job.failed_attempts) == ("next", 2, 0)


async def test_nobody_remembers_a_worker_that_has_left(dispatcher: Dispatcher) -> None:
    """Also if no job of its kinds ever comes."""
    session = worker(dispatcher, "w", kinds=("never", "seen"))
    gone = weakref.ref(session)
    dispatcher.sessions.remove(session)
    del session
    gc.collect()

    assert gone() is None


async def test_a_stopping_server_gives_out_no_jobs(core: Core, dispatcher: Dispatcher) -> None:
    """Not even released jobs."""
    session = worker(dispatcher, "w", room=2)
    await core.submit()
    await takes(session)
    dispatcher.close()
    await core.attempts.release("j", core.token("j", 1))

    assert reason_name((await hears(session, "rejected")).rejected.reason) == "LEASE_LOST"
    assert (await core.journal.find("j")).state == JobState.JOB_STATE_QUEUED
    finish(dispatcher.sessions.drain())
    await hears(session, "drain")


async def test_a_worker_is_notified_that_its_job_is_to_stop(core: Core, dispatcher: Dispatcher) -> None:
    """And again if the deadline moves forward."""
    session = worker(dispatcher, "w")
    await core.submit()
    await takes(session)
    await core.cancel(30)
    result = (await hears(session, "cancel")).cancel
    assert (result.job_id, result.cancellation.reason) == ("j", "r")
    await core.cancel(10)
    sooner = (await hears(session, "cancel")).cancel.cancellation.deadline
    assert sooner.ToNanoseconds() < result.cancellation.deadline.ToNanoseconds()

    await core.cancel(0)
    assert reason_name((await hears(session, "rejected")).rejected.reason) == "JOB_ENDED"
    assert session.jobs == {}


async def test_transitions_before_the_assignment_are_sent_after_it(
    core: Core, dispatcher: Dispatcher
) -> None:
    """The assignment is sent first, then the cancellation."""
    await core.submit()
    core.log.hold(2)
    session = worker(dispatcher, "w")
    await core.log.holds(1)
    cancelling = asyncio.ensure_future(core.cancel(30))
    await core.log.holds(2)
    core.log.let_go()
    await cancelling

    await hears(session, "assignment")
    await hears(session, "cancel")


async def test_a_claim_is_answered(core: Core, dispatcher: Dispatcher) -> None:
    """With the job, or with a refusal; the holder keeps the job."""
    first, second = worker(dispatcher, "first", room=0), worker(dispatcher, "second", room=0)
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(first, "e")
    assert await takes(first) == "e"

    for job_id, reason in (("e", "LEASE_LOST"), ("nowhere", "JOB_NOT_FOUND")):
        await dispatcher.claim(second, job_id)
        assert (job_id, reason) == why(await hears(second, "rejected"))
    assert ([*first.jobs], [*second.jobs]) == (["e"], [])
    await core.cancel(30, "e")
    await hears(first, "cancel")


async def test_a_claim_takes_the_job_over_from_its_own_instance(core: Core, dispatcher: Dispatcher) -> None:
    """As from a process that is gone, at once; another instance, or the same of somebody else, gets nothing."""
    first, second = worker(dispatcher, "first", room=0), worker(dispatcher, "second", room=0)
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(first, "e", "message-1")
    assert await takes(first) == "e"
    await dispatcher.claim(second, "e", "message-2")
    assert why(await hears(second, "rejected")) == ("e", "LEASE_LOST")

    await dispatcher.claim(second, "e", "message-1")
    assert await takes(second) == "e"
    assert why(await hears(first, "rejected")) == ("e", "LEASE_LOST")
    job = await core.journal.find("e")
    assert (job.attempt, job.failed_attempts, job.worker_instance) == (2, 0, "message-1")


async def test_a_job_that_is_taken_over_is_cancelled_as_it_starts(core: Core, dispatcher: Dispatcher) -> None:
    """Its earlier worker, which is connected, has lost it by then."""
    first, second = worker(dispatcher, "first", room=0), worker(dispatcher, "second", room=0)
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(first, "e", "message-1")
    assert await takes(first) == "e"
    core.log.hold(1)
    claiming = dispatcher.claim(second, "e", "message-1")
    await core.log.holds(1)
    core.log.let_go()
    core.log.hold(2)
    await core.log.holds(1)
    cancelling = asyncio.ensure_future(core.cancel(30, "e"))
    await core.log.holds(2)
    core.log.let_go()
    await cancelling
    await claiming

    assert await takes(second) == "e"
    await hears(second, "cancel")
    assert why(await hears(first, "rejected")) == ("e", "LEASE_LOST")


async def test_a_repeated_claim_takes_nothing_of_another_instance(core: Core, dispatcher: Dispatcher) -> None:
    """By the time at which that is decided, its id may be that of another job, in its first attempt as well."""
    session = worker(dispatcher, "w", room=0)
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(session, "e", "message-1")
    job = await core.journal.find("e")

    assert decide.claimed_again(job, core.clock.now(), "message-2") == []
    assert len(decide.claimed_again(job, core.clock.now(), "message-1")) == 1


async def test_of_many_who_claim_a_job_one_has_it(core: Core, dispatcher: Dispatcher) -> None:
    """Although they call at the same time."""
    workers = [worker(dispatcher, f"w{number}", room=0) for number in range(10)]
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await asyncio.gather(*(dispatcher.claim(session, "e") for session in workers))
    answers = [
        response and decoded(response) for response in [await session.responses.get() for session in workers]
    ]

    given = [answer for answer in answers if answer is not None and answer.HasField("assignment")]
    assert [JobState.Name(answer.assignment.job.state) for answer in given] == ["JOB_STATE_RUNNING"]
    assert sum("e" in session.jobs for session in workers) == 1
    assert [event.attempt for event in await core.events("e") if event.HasField("job_started")] == [1]


async def test_priority_goes_before_turns_and_turns_before_age(core: Core, dispatcher: Dispatcher) -> None:
    """The highest priority first; then owners in turn; then in order of submission."""
    for job_id, owner, priority in (
        ("a1", "a", 0),
        ("a2", "a", 0),
        ("a3", "a", 0),
        ("b1", "b", 0),
        ("low", "b", -1),
        ("high", "a", 1),
    ):
        await core.submit(job_id, owner=owner, priority=priority)
        core.clock.advance(1)
    session = worker(dispatcher, "w", room=10)

    expected = ["high", "a1", "b1", "a2", "a3", "low"]
    assert [await takes(session) for _ in expected] == expected


async def test_a_job_that_comes_back_has_its_old_place(core: Core, dispatcher: Dispatcher) -> None:
    """It was submitted before the other queued jobs."""
    session = worker(dispatcher, "w")
    for number in range(3):
        await core.submit(f"j{number}")
        core.clock.advance(1)
    assert await takes(session) == "j0"
    session.ending.add("j0")
    await core.attempts.release("j0", core.token("j0", 1))

    assert await takes(session) == "j0"
    await done(core, session, "j0", 2)
    assert await takes(session) == "j1"


async def test_a_job_that_cannot_start_any_more_is_not_started(core: Core, dispatcher: Dispatcher) -> None:
    """Its deadline has passed, although no timer has fired."""
    await core.submit("late", start_deadline=Duration(seconds=5))
    await core.submit("e", start_deadline=Duration(seconds=5), dispatch=Dispatch.DISPATCH_EXTERNAL)
    core.clock.advance(5)
    await core.submit("next")
    session = worker(dispatcher, "w", room=5)
    assert await takes(session) == "next"
    await dispatcher.claim(session, "e")
    assert why(await hears(session, "rejected")) == ("e", "JOB_ENDED")

    for job_id in ("late", "e"):
        assert (await core.journal.find(job_id)).failure.code == "START_DEADLINE"


async def test_the_end_of_an_attempt_that_is_over_notifies_nobody(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker never gets the lease of another worker's attempt."""
    await core.submit()
    find = core.log.find

    async def ends_meanwhile(job_id: str, *, caller: str) -> Job | None:
        monkeypatch.undo()
        workers["fast"] = worker(dispatcher, "fast")
        await core.undo_start(job_id, 1)
        assert await takes(workers["fast"]) == "j"
        return await find(job_id, caller=caller)

    workers: dict[str, Session] = {}
    monkeypatch.setattr(core.log, "find", ends_meanwhile)
    slow = worker(dispatcher, "slow")
    await eventually(lambda: has(workers, "fast"))
    await core.submit("next")

    assert await takes(slow) == "next"
    assert ([*workers["fast"].jobs], [*slow.jobs]) == (["j"], ["next"])


async def test_a_worker_that_cannot_be_notified_does_not_keep_its_job(
    core: Core, dispatcher: Dispatcher
) -> None:
    """Its stream has ended, although the server has not noticed yet."""
    await core.submit()
    core.log.hold(1)
    deaf = worker(dispatcher, "deaf")
    await core.log.holds(1)
    deaf.responses.close()
    deaf.max_concurrency = 0
    core.log.let_go()

    assert await takes(worker(dispatcher, "next")) == "j"
    assert deaf.jobs == {}


async def has(workers: dict[str, Session], name: str) -> bool:
    """Whether this worker holds a job."""
    return name in workers and bool(workers[name].jobs)


async def test_each_worker_is_looked_at_once(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a thousand take jobs of an owner each: to begin again after each would be half a million looks."""
    looks: list[str] = []

    def has_capacity(session: Session) -> bool:
        looks.append(session.worker_id)
        return len(session.jobs) < session.max_concurrency

    workers = 100
    for number in range(workers):
        principal = Principal(f"p{number}", frozenset({f"o{number}"}), frozenset({Scope.WORK}))
        hello = Hello(worker_id=f"w{number}", kinds=["k"], max_concurrency=1)
        dispatcher.sessions.add(Session(hello, principal=principal))
    await asyncio.sleep(0)
    monkeypatch.setattr(Session, "has_capacity", property(has_capacity))
    dispatcher._match_soon(["k"])
    await asyncio.sleep(0)
    assert len(looks) == workers
