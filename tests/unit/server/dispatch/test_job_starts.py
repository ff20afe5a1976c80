"""Which transition of a job belongs to a start whose outcome the store did not tell."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server import decide
from milepost.server.dispatch.attempt_key import AttemptKey, StartedAttempt
from milepost.server.dispatch.job_starts import JobStart, JobStarts
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import Conflict, StoreLocked, StoreUnavailable
from milepost.server.messages.timestamps import timestamp
from milepost.v1 import Hello, Job, JobState
from tests.unit.server.core import Core


@pytest.fixture
def starts(core: Core) -> JobStarts:
    """The starts of a node."""
    return JobStarts(SessionTable(core.clock, core.registry))


def job(time: int, *, attempt: int = 1, state: JobState.ValueType = JobState.JOB_STATE_RUNNING) -> Job:
    """The job after a start at this time, at the worker w."""
    return Job(
        job_id="j",
        state=state,
        attempt=attempt,
        submit_time=timestamp(1),
        start_time=timestamp(time),
        worker_id="w",
        worker_instance="i",
    )


def begin(starts: JobStarts, time: int) -> JobStart:
    """Begin to start the first attempt at this time."""
    start = JobStart(Session(Hello(worker_id="w")), "j")
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    starts.decided(start, StartedAttempt(AttemptKey(1, 1), time, "w", "i", durable))
    return start


async def fail(starts: JobStarts, start: JobStart, error: Exception) -> None:
    """End the start with an error of its append."""
    assert start.started is not None
    start.started.durable.set_exception(error)
    with pytest.raises(type(error)):
        await start.written()
    starts.end(start)


async def test_an_earlier_start_gets_in_while_the_next_one_is_under_way(starts: JobStarts) -> None:
    """It is undone, and the next one, which has a conflict, is not."""
    await fail(starts, begin(starts, 2), StoreUnavailable("no answer"))
    following = begin(starts, 3)
    assert starts.on_transition(job(2)) == AttemptKey(1, 1)
    assert starts.on_transition(job(2)) is None
    await fail(starts, following, Conflict("j"))
    assert following.undo is None


async def test_a_start_that_has_got_in_before_the_error(starts: JobStarts) -> None:
    """Its end undoes it, and nothing else does."""
    start = begin(starts, 2)
    assert starts.on_transition(job(2)) is None
    await fail(starts, start, StoreUnavailable("no answer"))
    assert start.undo is decide.assignment_lost
    assert starts.on_transition(job(2)) is None


async def test_a_start_that_cannot_be_told_from_the_one_under_way(starts: JobStarts) -> None:
    """The verdict is that of the one under way."""
    await fail(starts, begin(starts, 2), StoreUnavailable("no answer"))
    begin(starts, 2)
    assert starts.on_transition(job(2)) is None


@pytest.mark.parametrize(
    "after",
    [
        job(3),
        job(2, attempt=2),
        job(2, state=JobState.JOB_STATE_CANCELLED, attempt=0),
    ],
)
async def test_another_transition_comes_first(starts: JobStarts, after: Job) -> None:
    """The start cannot get in any more, and is forgotten."""
    await fail(starts, begin(starts, 2), StoreUnavailable("no answer"))
    assert starts.on_transition(after) is None
    assert starts.on_transition(job(2)) is None


async def test_an_earlier_transition_comes_first(starts: JobStarts) -> None:
    """The start may still get in after it."""
    await fail(starts, begin(starts, 2), StoreUnavailable("no answer"))
    assert starts.on_transition(job(0, attempt=0, state=JobState.JOB_STATE_QUEUED)) is None
    assert starts.on_transition(job(2)) == AttemptKey(1, 1)


@pytest.mark.parametrize("error", [StoreLocked("locked"), Conflict("j")])
async def test_a_start_that_is_known_to_be_out(starts: JobStarts, error: Exception) -> None:
    """A start of the same time is not this one."""
    await fail(starts, begin(starts, 2), error)
    assert starts.on_transition(job(2)) is None


async def test_many_starts_while_the_store_does_not_answer(starts: JobStarts) -> None:
    """The first ones are remembered, which were sent before the connection was found to be broken."""
    for time in range(2, 10):
        await fail(starts, begin(starts, time), StoreUnavailable("no answer"))
    assert starts.on_transition(job(9)) is None

    for time in range(2, 10):
        await fail(starts, begin(starts, time), StoreUnavailable("no answer"))
    assert starts.on_transition(job(2)) == AttemptKey(1, 1)
