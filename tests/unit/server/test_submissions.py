"""Accepting jobs: each submission once; and children with their parents."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from milepost.contract.reasons import reason_name
from milepost.server.refusal import Refusal
from milepost.v1 import Job, JobState
from tests.support.rpc import eventually
from tests.unit.server.house import House


async def test_the_same_request_at_the_same_time_gives_one_job(house: House) -> None:
    """A client that tries again does not wait for the first try to end."""
    jobs = await asyncio.gather(*(house.submit("", request_id="r") for _ in range(5)))

    assert 1 == len({job.job_id for job in jobs})
    assert 1 == len(await house.log.active())


async def test_a_request_that_is_repeated_is_told_what_came_of_it(house: House) -> None:
    """It was accepted while its parent was at work, and so it is although the parent has ended since."""
    await house.submit("parent")
    house.log.hold(1)
    first = asyncio.ensure_future(house.submit("", request_id="r", parent_job_id="parent"))
    await house.log.holds(1)
    await house.cancel(0, "parent")
    again = asyncio.ensure_future(house.submit("", request_id="r", parent_job_id="parent"))
    with pytest.raises(Refusal):
        await house.submit("", request_id="s", parent_job_id="parent")
    assert not again.done()

    house.log.let_go()
    assert (await first).job_id == (await again).job_id


async def test_other_content_at_the_same_time_is_refused(house: House) -> None:
    """One of them is first."""
    outcomes = await asyncio.gather(
        *(house.submit("", request_id="r", owner="o", workload=float(number)) for number in range(3)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    (accepted,) = [outcome for outcome in outcomes if isinstance(outcome, Job)]
    assert ["JOB_ALREADY_EXISTS"] * 2 == [reason_name(refusal.reason) for refusal in refused]
    assert [{"job_id": accepted.job_id}] * 2 == [refusal.metadata for refusal in refused]


async def test_the_same_id_at_the_same_time_is_refused(house: House) -> None:
    """Without a request_id nobody can tell whether it is the same."""
    outcomes = await asyncio.gather(house.submit(), house.submit(), return_exceptions=True)

    assert {Job, Refusal} == {type(outcome) for outcome in outcomes}


async def test_an_id_of_the_servers_making_is_ordered_by_time(house: House) -> None:
    """A UUID of version 7."""
    ids = []
    for _ in range(3):
        ids.append((await house.submit("")).job_id)
        house.clock.advance(1)

    assert [7, 7, 7] == [uuid.UUID(job_id).version for job_id in ids]
    assert sorted(ids) == ids


@pytest.mark.parametrize("grace", [0, 30])
async def test_a_child_does_not_slip_past_its_parents_cancellation(house: House, grace: float) -> None:
    """Rule 18: its parent ran when it was submitted, and was cancelled before it was there."""
    await house.submit("parent")
    await house.start("parent")
    house.log.hold(1)
    submitting = asyncio.ensure_future(house.submit("child", parent_job_id="parent"))
    await house.log.holds(1)
    await house.cancel(grace, "parent")
    house.log.let_go()
    await submitting

    async def cancelled() -> bool:
        return (await house.journal.find("child")).state == JobState.JOB_STATE_CANCELLED

    await eventually(cancelled)
    assert "parent job parent" == (await house.journal.find("child")).cancellation.requested_by
