"""The journal: each decision is made upon the one before it, and nothing is shown before it is durable."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server import decide, journal
from milepost.server.journal import Journal, OpenJob
from milepost.server.log.event_log import Conflict, StoreFull
from milepost.server.refusal import Refusal
from milepost.server.working.attempts import Accepted
from milepost.v1 import Event, JobState, SubmitJobRequest
from tests.support.clock import START, FakeClock
from tests.unit.server.house import House
from tests.unit.server.states import log_line


def line(opened: OpenJob, now: int) -> list[Event]:
    """A decision that is always the same: one more log line."""
    return [decide.report(opened.fold, log_line(), now)]


async def running(house: House, job_id: str = "j") -> None:
    """A job of which two events are in the log."""
    await house.submit(job_id)
    await house.start(job_id)


async def test_a_decision_sees_those_before_it(house: House) -> None:
    """Durable or not; and each waits until its own, and all before it, are."""
    await running(house)
    house.log.hold(3)
    acting = [asyncio.ensure_future(house.journal.act("j", line)) for _ in range(3)]
    await house.log.holds(3)
    opened = await house.journal.open("j")
    assert (5, 3) == (opened.job.last_sequence, opened.pending)
    assert not any(task.done() for task in acting)

    house.log.let_go()
    await asyncio.gather(*acting)
    assert [1, 2, 3, 4, 5] == [event.sequence for event in await house.events()]
    assert 0 == opened.pending


async def test_nothing_is_shown_before_it_is_durable(house: House) -> None:
    """Readers read the log, and not what was decided."""
    await running(house)
    house.log.hold(1)
    cancelling = asyncio.ensure_future(house.cancel(10))
    await house.log.holds(1)
    before = await house.journal.find("j")
    house.log.let_go()
    await cancelling
    after = await house.journal.find("j")

    assert [JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_CANCELLING] == [before.state, after.state]


async def test_a_decision_that_changes_nothing_waits_for_what_it_saw(house: House) -> None:
    """It was told something that no crash may take back."""
    await running(house)
    house.log.hold(2)
    first = asyncio.ensure_future(house.cancel(10))
    await house.log.holds(1)
    again = asyncio.ensure_future(house.cancel(10))
    await house.log.holds(2)
    assert not again.done()

    house.log.let_go()
    await asyncio.gather(first, again)
    assert ["cancel_requested"] == [event.WhichOneof("payload") for event in await house.events(after=2)]


async def test_nobody_is_refused_before_that_is_durable(house: House) -> None:
    """A worker that is told that its job has ended gives it up, which no crash may make wrong."""
    await running(house)
    house.log.hold(3)
    ending = asyncio.ensure_future(house.cancel(0))
    await house.log.holds(1)
    token = house.tokens.token("j", 1)
    asking = [
        asyncio.ensure_future(house.attempts.report("j", token, 1, [log_line()])),
        asyncio.ensure_future(house.attempts.release("j", token)),
    ]
    await house.log.holds(3)
    assert not any(task.done() for task in asking)

    house.log.let_go()
    await ending
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [Refusal, Refusal] == [type(outcome) for outcome in outcomes]


async def test_nobody_is_refused_for_what_did_not_come_to_be(house: House) -> None:
    """The end could not be appended, so the job goes on."""
    await running(house)
    house.log.errors.append(StoreFull("full"))
    token = house.tokens.token("j", 1)
    ending, reported = await asyncio.gather(
        house.cancel(0), house.attempts.report("j", token, 1, [log_line()]), return_exceptions=True
    )

    assert (StoreFull, Accepted) == (type(ending), type(reported))
    assert isinstance(reported, Accepted)
    await reported.durable
    assert [1, 2, 3] == [event.sequence for event in await house.events()]


async def test_what_could_not_be_appended_is_forgotten(house: House) -> None:
    """The next decision is made upon the log."""
    await running(house)
    house.log.errors.append(StoreFull("full"))
    with pytest.raises(StoreFull):
        await house.journal.act("j", line)
    await house.journal.act("j", line)

    assert [1, 2, 3] == [event.sequence for event in await house.events()]


async def test_what_was_decided_upon_a_failure_is_decided_again(house: House) -> None:
    """It did not happen as it was decided; it does not go missing either."""
    await running(house)
    house.log.errors.extend([StoreFull("full"), None])
    failing, following = await asyncio.gather(
        house.journal.act("j", line), house.journal.act("j", line), return_exceptions=True
    )

    assert (StoreFull, OpenJob) == (type(failing), type(following))
    assert [1, 2, 3] == [event.sequence for event in await house.events()]


async def test_what_others_appended_is_decided_upon(house: House) -> None:
    """Another node has the same log: whoever comes second loads the job again, and decides again."""
    await running(house)
    other = Journal(house.log, house.clock)
    await other.act("j", line)
    await house.journal.act("j", line)
    await other.act("j", line)
    assert [1, 2, 3, 4, 5] == [event.sequence for event in await house.events()]

    await other.act(
        "j",
        lambda opened, now: decide.cancel(opened.job, reason="", requested_by="", grace_period=0, now=now),
    )
    with pytest.raises(Refusal):
        await house.attempts.release("j", house.tokens.token("j", 1))
    assert JobState.JOB_STATE_CANCELLED == (await house.journal.find("j")).state


async def test_a_log_in_which_others_are_always_first_is_given_up(house: House) -> None:
    """It is said, and not tried for ever."""
    await running(house)
    house.log.errors.extend(Conflict("j") for _ in range(1000))

    with pytest.raises(Conflict):
        await house.journal.act("j", line)
    house.log.errors.clear()
    await house.journal.act("j", line)


async def test_a_caller_who_goes_away_takes_nothing_back(house: House) -> None:
    """What was decided becomes durable all the same."""
    await running(house)
    house.log.hold(1)
    acting = asyncio.ensure_future(house.journal.act("j", line))
    await house.log.holds(1)
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    house.log.let_go()
    await house.journal.act("j", line)

    assert [1, 2, 3, 4] == [event.sequence for event in await house.events()]


async def test_time_never_runs_backwards_in_a_log(house: House) -> None:
    """Though the machine's clock may."""
    await running(house)
    slow = FakeClock()
    house.clock.advance(60)
    await house.journal.act("j", line)
    assert START == slow.monotonic()
    await Journal(house.log, slow).act("j", line)

    times = [event.time.ToNanoseconds() for event in await house.events()]
    assert sorted(times) == times


async def test_memory_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs are submitted, or decided upon; those with something under way stay."""
    monkeypatch.setattr(journal, "_JOBS_IN_MEMORY", 3)
    await running(house)
    house.log.hold(1)
    acting = asyncio.ensure_future(house.journal.act("j", line))
    await house.log.holds(1)
    opened = await house.journal.open("j")
    for number in range(20):
        await house.submit(f"j{number}")
    assert opened is await house.journal.open("j")
    house.log.let_go()
    await acting
    kept = 0
    for number in range(20):
        before = house.log.loads
        await house.journal.open(f"j{number}")
        kept += house.log.loads == before

    assert 3 >= kept
    assert [1, 2, 3] == [event.sequence for event in await house.events()]


async def test_a_deleted_job_is_forgotten(house: House) -> None:
    """Its id may be another job's next."""
    await house.submit()
    await house.cancel(0)
    await house.log.delete("j")

    with pytest.raises(Refusal, match="JOB_NOT_FOUND"):
        await house.journal.act("j", line)
    await house.submit(kind="other")
    assert "other" == (await house.journal.open("j")).job.kind


async def test_an_id_is_created_once(house: House) -> None:
    """By whoever is first."""
    event = decide.submit(SubmitJobRequest(kind="k"), "j", 0)
    outcomes = await asyncio.gather(
        *(house.journal.create(Event.FromString(event.SerializeToString())) for _ in range(3)),
        return_exceptions=True,
    )

    assert [type(None), Conflict, Conflict] == [type(outcome) for outcome in outcomes]
