"""Work for thousands of jobs that is due at the same moment starts a few at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from milepost.server import background_tasks
from milepost.server.background_tasks import STARTS_PER_PASS, UNWRITTEN_LIMIT, Tasks
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreDisplaced, StoreFailed, StoreFull
from milepost.server.messages.job_encoding import JobResponse
from milepost.v1 import Dispatch, Hello, WorkResponse
from tests.support.responses import decoded
from tests.unit.server.core import Core
from tests.unit.server.dispatching import hears, takes, worker

JOBS = 3 * STARTS_PER_PASS


_PASSES = 20
"""Passes of the event loop in which all would begin that may."""


@pytest.fixture
def slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write counts for as long as the store takes, however long a test does."""
    monkeypatch.setattr(background_tasks, "WRITE_TIME", 3600.0)


@pytest.mark.usefixtures("slow_store")
async def test_a_few_tasks_are_under_way_at_a_time() -> None:
    """In their order, and all of them in the end."""
    tasks = Tasks()
    begun: list[int] = []
    ended = asyncio.Semaphore(0)

    async def work(number: int) -> None:
        begun.append(number)
        await ended.acquire()

    for number in range(JOBS):
        tasks.start_in_turn(work(number))
    for over in range(JOBS):
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        assert begun == list(range(min(UNWRITTEN_LIMIT + over, JOBS)))
        ended.release()
    await tasks.close()


async def test_a_task_that_fails_lets_the_next_ones_begin() -> None:
    """However many do."""
    tasks = Tasks()
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def work(number: int) -> None:
        begun.append(number)
        if len(begun) == JOBS:
            all_begun.set()
        raise StoreFailed("The store does not answer.")

    for number in range(JOBS):
        tasks.start_in_turn(work(number))
    await asyncio.wait_for(all_begun.wait(), 120)

    assert begun == list(range(JOBS))


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


@pytest.mark.usefixtures("slow_store")
@pytest.mark.parametrize(
    "dispatch", [Dispatch.DISPATCH_QUEUE, Dispatch.DISPATCH_EXTERNAL], ids=["matched", "claimed"]
)
async def test_a_few_starts_wait_for_the_store_at_a_time(
    core: Core, dispatcher: Dispatcher, dispatch: Dispatch.ValueType
) -> None:
    """A report that comes next has to wait for the transaction that writes them. All start in the end."""
    jobs = [f"j{number}" for number in range(JOBS)]
    for job_id in jobs:
        await core.submit(job_id, dispatch=dispatch)
    core.log.hold(JOBS)
    session = worker(dispatcher, "w", room=JOBS)
    if dispatch == Dispatch.DISPATCH_EXTERNAL:
        claims = [dispatcher.claim(session, job_id) for job_id in jobs]
        assert len(claims) == JOBS
    await core.log.holds(UNWRITTEN_LIMIT)
    for _ in range(_PASSES):
        await asyncio.sleep(0)
    assert core.log.held == UNWRITTEN_LIMIT

    core.log.let_go()
    assert sorted([await takes(session) for _ in jobs]) == sorted(jobs)


async def queued(core: Core, count: int) -> list[str]:
    """Submit jobs for workers; return their ids."""
    jobs = [f"j{number}" for number in range(count)]
    for job_id in jobs:
        await core.submit(job_id)
    return jobs


async def test_a_store_that_does_not_answer_gets_all_starts(core: Core, dispatcher: Dispatcher) -> None:
    """Each may fail after seconds only: they are not to wait for that one after the other."""
    jobs = await queued(core, JOBS)
    core.log.hold(JOBS)
    worker(dispatcher, "w", room=JOBS)
    await asyncio.wait_for(core.log.holds(len(jobs)), 120)
    core.log.let_go()


async def test_a_claim_does_not_wait_for_all_matched_jobs(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes before those that wait for their turn. Here nothing is written before it has come."""
    await core.submit("claimed", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await queued(core, JOBS)
    core.log.hold(JOBS + 1)
    monkeypatch.setattr(background_tasks, "WRITE_TIME", 3600.0)
    worker(dispatcher, "w", room=JOBS)
    await core.log.holds(UNWRITTEN_LIMIT)
    claiming = worker(dispatcher, "claiming", room=0)
    dispatcher.claim(claiming, "claimed").add_done_callback(lambda _: None)
    for _ in range(_PASSES):
        await asyncio.sleep(0)
    assert "claimed" not in core.log.held_jobs
    for _ in range(2):  # the start that was next, and the claim
        core.log.let_one_go()
    await core.log.holds(UNWRITTEN_LIMIT)
    assert "claimed" in core.log.held_jobs
    core.log.let_go()
    assert await takes(claiming) == "claimed"


@pytest.mark.usefixtures("slow_store")
async def test_a_worker_leaves_while_its_starts_wait(core: Core, dispatcher: Dispatcher) -> None:
    """They are not written for it, to be undone: those jobs start at another worker, for the first time."""
    jobs = await queued(core, JOBS)
    core.log.hold(UNWRITTEN_LIMIT)
    leaving = worker(dispatcher, "leaving", room=JOBS)
    await core.log.holds(UNWRITTEN_LIMIT)
    dispatcher.sessions.remove(leaving)
    core.log.let_go()
    session = worker(dispatcher, "w", room=JOBS)
    assert sorted([await takes(session) for _ in jobs]) == sorted(jobs)
    attempts = Counter([(await core.journal.find(job_id)).attempt for job_id in jobs])
    assert attempts == {2: UNWRITTEN_LIMIT, 1: JOBS - UNWRITTEN_LIMIT}


@pytest.mark.usefixtures("slow_store")
async def test_the_dispatcher_closes_while_starts_wait(core: Core, dispatcher: Dispatcher) -> None:
    """Nothing more is written then, and claims are told so."""
    jobs = [f"j{number}" for number in range(JOBS)]
    for job_id in jobs:
        await core.submit(job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
    core.log.hold(UNWRITTEN_LIMIT)
    session = worker(dispatcher, "w", room=0)
    claims = [dispatcher.claim(session, job_id) for job_id in jobs]
    await core.log.holds(UNWRITTEN_LIMIT)
    dispatcher.close()
    core.log.let_go()
    await asyncio.wait(claims)
    started = Counter([(await core.journal.find(job_id)).attempt for job_id in jobs])
    assert started == {1: UNWRITTEN_LIMIT, 0: JOBS - UNWRITTEN_LIMIT}
    answers = Counter([decoded(await answer(session)).WhichOneof("message") for _ in jobs])
    assert answers == {"assignment": UNWRITTEN_LIMIT, "rejected": JOBS - UNWRITTEN_LIMIT}


async def answer(session: Session) -> WorkResponse | JobResponse:
    """The next response to the worker."""
    async with asyncio.timeout(120):
        response = await session.responses.get()
    assert response is not None
    return response


async def test_starts_that_the_store_refuses_leave_room_for_others(
    core: Core, dispatcher: Dispatcher
) -> None:
    """As those do whose job has ended."""
    jobs = [f"j{number}" for number in range(JOBS)]
    for job_id in jobs:
        await core.submit(job_id, dispatch=Dispatch.DISPATCH_EXTERNAL)
    core.log.errors.extend(StoreFull("no space left on device") for _ in range(UNWRITTEN_LIMIT))
    session = worker(dispatcher, "w", room=JOBS)
    refused = [dispatcher.claim(session, job_id) for job_id in jobs[:UNWRITTEN_LIMIT]]
    await asyncio.wait(refused)
    unknown = [dispatcher.claim(session, f"unknown{number}") for number in range(UNWRITTEN_LIMIT)]
    await asyncio.wait(unknown)
    for _ in (*refused, *unknown):
        await hears(session, "rejected")

    await asyncio.wait([dispatcher.claim(session, job_id) for job_id in jobs])
    assert sorted([await takes(session) for _ in jobs]) == sorted(jobs)
