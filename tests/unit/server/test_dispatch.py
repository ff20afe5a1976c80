"""Giving queued jobs to workers, and telling workers what becomes of their jobs."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from milepost.contract.reasons import reason_name
from milepost.server.turns import follow_turns
from milepost.server.working.dispatcher import Dispatcher
from milepost.server.working.sessions import Session
from milepost.v1 import Dispatch, Hello, JobState, RetryPolicy, WorkResponse
from tests.unit.server.house import House
from tests.unit.server.states import ended


@pytest.fixture
async def dispatcher(house: House) -> AsyncIterator[Dispatcher]:
    """One that follows the house's log."""
    made = Dispatcher(house.attempts, house.clock, house.tasks)
    follow_turns(house.log, made.on_turn)
    yield made
    made.close()


def worker(dispatcher: Dispatcher, name: str, *, room: int = 1, kinds: tuple[str, ...] = ("k",)) -> Session:
    """A worker that has connected."""
    session = Session(Hello(worker_id=name, kinds=kinds, max_concurrency=room))
    dispatcher.sessions.add(session)
    return session


async def hears(session: Session, kind: str) -> WorkResponse:
    """The next thing that the worker is told, which is to be of this sort."""
    async with asyncio.timeout(30):
        response = await session.outbox.get()
    assert response is not None
    assert kind == response.WhichOneof("message")
    return response


async def takes(session: Session) -> str:
    """The next job that the worker is given."""
    return (await hears(session, "assignment")).assignment.job.job_id


async def test_who_waits_longest_is_given_the_next_job(house: House, dispatcher: Dispatcher) -> None:
    """First come, first served, on both sides; and in turns."""
    first, second = worker(dispatcher, "first", room=2), worker(dispatcher, "second", room=2)
    for number in range(4):
        await house.submit(f"j{number}")

    assert ["j0", "j2"] == [await takes(first), await takes(first)]
    assert ["j1", "j3"] == [await takes(second), await takes(second)]


async def test_jobs_that_wait_are_given_in_the_order_in_which_they_came(
    house: House, dispatcher: Dispatcher
) -> None:
    """To whoever comes."""
    for number in range(5):
        await house.submit(f"j{number}")
    session = worker(dispatcher, "w", room=5)

    assert [f"j{number}" for number in range(5)] == [await takes(session) for _ in range(5)]


async def test_a_worker_takes_what_it_has_room_for(house: House, dispatcher: Dispatcher) -> None:
    """The next job comes when one is done; and only jobs of its kinds."""
    session = worker(dispatcher, "w", room=1)
    await house.submit("other", kind="other")
    for number in range(2):
        await house.submit(f"j{number}")
    assert "j0" == await takes(session)
    assert 1 == len(session.jobs)

    token = house.tokens.token("j0", 1)
    session.leaving.add("j0")
    await house.report(token, ended(JobState.JOB_STATE_SUCCEEDED), job_id="j0")
    assert "j1" == await takes(session)
    assert JobState.JOB_STATE_QUEUED == (await house.journal.find("other")).state


async def test_what_is_cancelled_in_the_queue_is_given_to_nobody(
    house: House, dispatcher: Dispatcher
) -> None:
    """Nor what another engine runs."""
    await house.submit("cancelled")
    await house.submit("external", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await house.submit("j")
    await house.cancel(0, "cancelled")

    assert "j" == await takes(worker(dispatcher, "w", room=3))


async def test_a_retry_waits_for_its_time(house: House, dispatcher: Dispatcher) -> None:
    """Others go first, though they came later."""
    await house.submit("j", retry_policy=RetryPolicy(max_attempts=2))
    session = worker(dispatcher, "w", room=2)
    assert "j" == await takes(session)
    await house.pass_time(0, lease_is_out=True)
    await hears(session, "rejected")
    await house.submit("later")

    assert "later" == await takes(session)
    assert JobState.JOB_STATE_QUEUED == (await house.journal.find("j")).state


async def test_a_worker_that_has_left_does_not_keep_what_it_was_just_given(
    house: House, dispatcher: Dispatcher
) -> None:
    """Nothing was done yet; the job goes to the next one."""
    await house.submit()
    house.log.hold(1)
    leaving = worker(dispatcher, "leaving")
    await house.log.holds(1)
    dispatcher.sessions.remove(leaving)
    house.log.let_go()

    assert "j" == await takes(worker(dispatcher, "next"))
    job = await house.journal.find("j")
    assert ("next", 2, 0) == (job.worker_id, job.attempt, job.failed_attempts)


async def test_nobody_remembers_a_worker_that_has_left(dispatcher: Dispatcher) -> None:
    """Also where no job of its kinds ever comes."""
    session = worker(dispatcher, "w", kinds=("never", "seen"))
    gone = weakref.ref(session)
    dispatcher.sessions.remove(session)
    del session
    gc.collect()

    assert gone() is None


async def test_a_stopping_server_gives_out_no_jobs(house: House, dispatcher: Dispatcher) -> None:
    """Not even those that its workers give back."""
    session = worker(dispatcher, "w", room=2)
    await house.submit()
    await takes(session)
    dispatcher.close()
    await house.attempts.release("j", house.tokens.token("j", 1))

    assert "LEASE_LOST" == reason_name((await hears(session, "rejected")).rejected.reason)
    assert JobState.JOB_STATE_QUEUED == (await house.journal.find("j")).state
    dispatcher.sessions.drain()
    await hears(session, "drain")


async def test_a_worker_is_told_that_its_job_is_to_stop(house: House, dispatcher: Dispatcher) -> None:
    """And again where it has less time than it had."""
    session = worker(dispatcher, "w")
    await house.submit()
    await takes(session)
    await house.cancel(30)
    told = (await hears(session, "cancel")).cancel
    assert ("j", "r") == (told.job_id, told.cancellation.reason)
    await house.cancel(10)
    sooner = (await hears(session, "cancel")).cancel.cancellation.deadline
    assert sooner.ToNanoseconds() < told.cancellation.deadline.ToNanoseconds()

    await house.cancel(0)
    assert "JOB_ENDED" == reason_name((await hears(session, "rejected")).rejected.reason)
    assert {} == session.jobs


async def test_what_happens_before_a_worker_knows_of_its_job_is_told_after(
    house: House, dispatcher: Dispatcher
) -> None:
    """First the assignment, then the cancellation."""
    await house.submit()
    house.log.hold(2)
    session = worker(dispatcher, "w")
    await house.log.holds(1)
    cancelling = asyncio.ensure_future(house.cancel(30))
    await house.log.holds(2)
    house.log.let_go()
    await cancelling

    await hears(session, "assignment")
    await hears(session, "cancel")


async def test_a_claim_is_answered(house: House, dispatcher: Dispatcher) -> None:
    """With the job, or with the reason why not; and whoever has the job keeps it."""
    first, second = worker(dispatcher, "first", room=0), worker(dispatcher, "second", room=0)
    await house.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(first, "e")
    assert "e" == await takes(first)

    for job_id, reason in (("e", "LEASE_LOST"), ("nowhere", "JOB_NOT_FOUND")):
        await dispatcher.claim(second, job_id)
        assert (job_id, reason) == _why(await hears(second, "rejected"))
    assert (["e"], []) == ([*first.jobs], [*second.jobs])
    await house.cancel(30, "e")
    await hears(first, "cancel")


async def test_of_many_who_claim_a_job_one_has_it(house: House, dispatcher: Dispatcher) -> None:
    """Though they ask at once."""
    workers = [worker(dispatcher, f"w{number}", room=0) for number in range(10)]
    await house.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await asyncio.gather(*(dispatcher.claim(session, "e") for session in workers))
    answers = [await session.outbox.get() for session in workers]

    given = [answer for answer in answers if answer is not None and answer.HasField("assignment")]
    assert ["JOB_STATE_RUNNING"] == [JobState.Name(answer.assignment.job.state) for answer in given]
    assert 1 == sum("e" in session.jobs for session in workers)
    assert [1] == [event.attempt for event in await house.events("e") if event.HasField("job_started")]


def _why(response: WorkResponse) -> tuple[str, str]:
    return response.rejected.job_id, reason_name(response.rejected.reason)
