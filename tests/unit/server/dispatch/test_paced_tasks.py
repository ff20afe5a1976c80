"""Work for thousands of jobs that is due at the same moment starts a few at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server.background_tasks import STARTS_PER_PASS, Tasks
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreDisplaced, StoreFailed
from milepost.v1 import Hello
from tests.unit.server.core import Core

JOBS = 3 * STARTS_PER_PASS


async def test_a_few_tasks_begin_in_each_pass() -> None:
    """In their order, and all of them in the end."""
    tasks = Tasks()
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)

    for number in range(JOBS):
        tasks.start_in_turn(work(number))
    largest = before = 0
    while tasks:
        await asyncio.sleep(0)
        largest, before = max(largest, len(begun) - before), len(begun)

    assert begun == list(range(JOBS))
    assert largest <= STARTS_PER_PASS


async def test_tasks_that_have_not_begun_end_with_the_others() -> None:
    """A server that stops begins nothing more."""
    tasks = Tasks()
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)

    for _ in range(JOBS):
        tasks.start_in_turn(work())
    await tasks.close()

    assert (begun, len(tasks)) == ([], 0)


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (StoreDisplaced(Path("milepost.db"), "The store's file is gone."), []),
        (StoreFailed("The store does not answer."), ["background task failed"]),
        (KeyError("a fault"), ["task failed"]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_task_that_fails_is_logged(error: Exception, logged: list[str]) -> None:
    """But not one that met displaced files: the server logs the reason once, and ends."""
    tasks = Tasks()

    async def work() -> None:
        raise error

    with capture_logs() as lines:
        await asyncio.wait([tasks.run(work())])

    assert [line["event"] for line in lines] == logged


async def test_a_worker_with_much_room_gets_its_jobs_in_several_passes(
    core: Core, dispatcher: Dispatcher
) -> None:
    """However many wait for it; and it gets all."""
    for number in range(JOBS):
        await core.submit(f"j{number}")
    session = Session(Hello(kinds=["k"], max_concurrency=JOBS))
    dispatcher.connect(session, frozenset())
    largest = before = 0
    while len(session.jobs) < JOBS:
        await asyncio.sleep(0)
        largest, before = max(largest, len(session.jobs) - before), len(session.jobs)
    assert largest == STARTS_PER_PASS
