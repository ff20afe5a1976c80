"""Attempts that have started and whose worker is not sent the job, since the store fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from milepost.server import store_errors
from milepost.server.dispatch import dispatcher as dispatcher_module
from milepost.server.dispatch import job_starts, undone_starts
from milepost.server.dispatch.attempt_key import AttemptKey, StartedAttempt
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreFull, StoreUnavailable
from milepost.v1 import Dispatch, Hello, Job, JobState
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.dispatching import hears, node, takes, why, worker


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once."""
    for module in (store_errors, dispatcher_module, job_starts, undone_starts):
        monkeypatch.setattr(module, "STORE_RETRY_DELAY", 0.0)


def fail_reads(core: Core, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Make the next reads of whole jobs fail."""
    find, failures = core.log.find, [StoreUnavailable("disk I/O error")] * count

    async def failing(job_id: str, *, caller: str) -> Job | None:
        if failures:
            raise failures.pop()
        return await find(job_id, caller=caller)

    monkeypatch.setattr(core.log, "find", failing)


async def end_of_tasks(core: Core, *, but: int = 0) -> None:
    """Wait for the background tasks, but for so many."""

    async def ended() -> bool:
        return len(core.tasks) == but

    await eventually(ended)


@pytest.mark.parametrize(("failures", "attempt"), [(1, 1), (dispatcher_module._LOAD_RETRIES + 1, 2)])
async def test_a_job_that_cannot_be_read_for_now(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch, failures: int, attempt: int
) -> None:
    """Its worker gets it a little later; after some failures it goes back to the queue. None waits for a lease."""
    await core.submit()
    fail_reads(core, monkeypatch, failures)
    session = worker(dispatcher, "w")

    assert await takes(session) == "j"
    job = await core.journal.find("j")
    assert (job.attempt, job.failed_attempts, [*session.jobs]) == (attempt, 0, ["j"])


async def test_a_claim_of_a_job_that_cannot_be_read(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and may be repeated at once."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    fail_reads(core, monkeypatch, dispatcher_module._LOAD_RETRIES + 1)
    session = worker(dispatcher, "w", room=0)
    await dispatcher.claim(session, "e")
    assert why(await hears(session, "rejected")) == ("e", "STORE_UNAVAILABLE")

    await dispatcher.claim(session, "e")
    assert await takes(session) == "e"


@pytest.fixture
def defects(core: Core, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the next reads for assignments raise."""
    assignment, errors = core.attempts.assignment, list[Exception]()

    async def failing(job_id: str, key: AttemptKey, *, caller: str) -> tuple[Job, str]:
        if errors:
            raise errors.pop()
        return await assignment(job_id, key, caller=caller)

    monkeypatch.setattr(core.attempts, "assignment", failing)
    return errors


@pytest.fixture
def bad_starts(core: Core, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the next decisions on starts raise."""
    start, errors = core.attempts.start, list[Exception]()

    async def failing(*arguments: Any, **options: Any) -> StartedAttempt:
        if errors:
            raise errors.pop()
        return await start(*arguments, **options)

    monkeypatch.setattr(core.attempts, "start", failing)
    return errors


@pytest.mark.parametrize("when", ["defects", "bad_starts"])
async def test_a_job_whose_start_meets_a_defect(
    core: Core, dispatcher: Dispatcher, request: pytest.FixtureRequest, when: str
) -> None:
    """Its worker gets it a little later, and does not hold it until a lease ends. The log says once what happened."""
    await core.submit()
    request.getfixturevalue(when).extend(KeyError("a defect") for _ in range(3))
    with capture_logs() as lines:
        session = worker(dispatcher, "w")
        assert await takes(session) == "j"

    job = await core.journal.find("j")
    assert (job.attempt, job.failed_attempts, [*session.jobs]) == (4 if when == "defects" else 1, 0, ["j"])
    assert [(line["event"], line["job_id"]) for line in lines if line["log_level"] == "error"] == [
        ("start failed", "j")
    ]


@pytest.mark.parametrize("when", ["defects", "bad_starts"])
async def test_a_claim_that_meets_a_defect(
    core: Core, dispatcher: Dispatcher, request: pytest.FixtureRequest, when: str
) -> None:
    """It is refused, and may be repeated at once."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    request.getfixturevalue(when).append(KeyError("a defect"))
    session = worker(dispatcher, "w", room=0)
    await dispatcher.claim(session, "e")
    assert why(await hears(session, "rejected")) == ("e", "STORE_UNAVAILABLE")

    await dispatcher.claim(session, "e")
    assert await takes(session) == "e"


@pytest.fixture
def bad_undoing(core: Core, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the next attempts to undo a start raise."""
    undo_start, errors = core.attempts.undo_start, list[Exception]()

    async def failing(*arguments: Any) -> None:
        if errors:
            raise errors.pop()
        await undo_start(*arguments)

    monkeypatch.setattr(core.attempts, "undo_start", failing)
    return errors


async def test_a_claim_whose_undoing_meets_a_defect(
    core: Core, dispatcher: Dispatcher, defects: list[Exception], bad_undoing: list[Exception]
) -> None:
    """It is answered all the same, and may be repeated once the start is undone, which does not wait for a lease."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    defects.append(KeyError("a defect"))
    bad_undoing.extend(KeyError("another defect") for _ in range(3))
    session = worker(dispatcher, "w", room=0)
    with capture_logs() as lines:
        await dispatcher.claim(session, "e")
        assert why(await hears(session, "rejected")) == ("e", "STORE_UNAVAILABLE")
        await end_of_tasks(core)

    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "start failed",
        "start not undone",
    ]
    await dispatcher.claim(session, "e")
    assert await takes(session) == "e"


async def test_a_start_that_cannot_be_undone(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried ever less often, and in the end left to the lease."""
    monkeypatch.setattr(undone_starts, "STORE_RETRY_DELAY", 1.0)
    sleep, delays = asyncio.sleep, list[float]()

    async def at_once(delay: float) -> None:
        if delay >= 1:
            delays.append(delay)
        await sleep(0)

    async def failing(*_: object, **_options: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(asyncio, "sleep", at_once)
    monkeypatch.setattr(core.attempts, "assignment", failing)
    monkeypatch.setattr(core.attempts, "undo_start", failing)
    await core.submit()
    worker(dispatcher, "w")

    async def gives_up() -> bool:
        return len(core.tasks) == 0 and bool(delays)

    await eventually(gives_up)
    assert delays == [1, 2, 4, 8, 16, 32, 64]


async def test_a_worker_that_left_while_the_store_takes_nothing(core: Core, dispatcher: Dispatcher) -> None:
    """Its job goes to the next one as soon as the store takes that."""
    await core.submit()
    core.log.hold(1)
    leaving = worker(dispatcher, "leaving")
    await core.log.holds(1)
    dispatcher.sessions.remove(leaving)
    core.log.errors.extend([StoreFull("no room")] * 2)
    core.log.let_go()

    assert await takes(worker(dispatcher, "next")) == "j"
    assert list(core.log.errors) == []


async def test_a_lost_assignment_while_the_store_takes_nothing(core: Core, dispatcher: Dispatcher) -> None:
    """The worker has come back without the job, which is requeued as soon as the store takes that."""
    hello = Hello(worker_id="w", kinds=["k"], max_concurrency=1, instance="i")
    await core.submit()
    before = Session(hello)
    dispatcher.connect(before, ())
    assert await takes(before) == "j"
    dispatcher.sessions.remove(before)
    core.log.errors.append(StoreFull("no room"))
    again = Session(hello)
    dispatcher.connect(again, ())

    assert await takes(again) == "j"
    assert (await core.journal.find("j")).attempt == 2


@pytest.mark.parametrize("listeners_first", [False, True])
async def test_a_start_whose_outcome_was_not_known(
    core: Core, dispatcher: Dispatcher, listeners_first: bool
) -> None:
    """It is durable all the same, and its transition comes before or after the error: the job is requeued."""
    await core.submit()
    core.clock.advance(1)
    core.log.hold(1)
    session = worker(dispatcher, "w")
    await core.log.holds(1)
    session.max_concurrency = 0
    core.log.lose_answers(listeners_first=listeners_first)

    async def requeued() -> bool:
        job = await core.journal.find("j")
        return (job.state, job.attempt) == (JobState.JOB_STATE_QUEUED, 1)

    await eventually(requeued)
    dispatcher.sessions.resize(session, 1)
    assert await takes(session) == "j"
    assert (await core.journal.find("j")).attempt == 2


@pytest.mark.parametrize("seconds", [0, 1])
async def test_a_start_at_the_time_of_one_that_is_not_durable(
    core: Core, dispatcher: Dispatcher, seconds: int
) -> None:
    """Where the clock is behind, or on another node: what its worker has been sent is not taken back."""
    another = node(core)
    await core.submit()
    core.clock.advance(seconds)
    core.log.hold(1)
    session = worker(dispatcher, "w" if not seconds else "gone")
    await core.log.holds(1)
    if seconds:
        dispatcher.sessions.remove(session)
        session = worker(another, "w")
    core.log.lose_commits()

    assert await takes(session) == "j"
    await end_of_tasks(core)
    job = await core.journal.find("j")
    assert (job.state, job.attempt, job.worker_id) == (JobState.JOB_STATE_RUNNING, 1, "w")


async def test_a_job_that_comes_back_to_the_same_worker(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of its undone start drops nothing that the next one holds, so the worker hears of a cancellation."""
    await core.submit()
    failures = [StoreUnavailable("disk I/O error")] * (dispatcher_module._LOAD_RETRIES + 1)
    find, reads, readable = core.log.find, asyncio.Event(), asyncio.Event()

    async def failing_then_slow(job_id: str, *, caller: str) -> Job | None:
        if failures:
            raise failures.pop()
        reads.set()
        await readable.wait()
        return await find(job_id, caller=caller)

    monkeypatch.setattr(core.log, "find", failing_then_slow)
    session = worker(dispatcher, "w", room=2)
    await reads.wait()
    await end_of_tasks(core, but=1)
    assert (session.jobs, session.unsent) == ({"j": None}, {"j"})

    await core.cancel(grace=60)
    readable.set()
    assert await takes(session) == "j"
    assert (await hears(session, "cancel")).cancel.job_id == "j"


async def test_others_while_a_job_cannot_be_read(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is assigned them meanwhile."""
    monkeypatch.setattr(dispatcher_module, "STORE_RETRY_DELAY", 3600.0)
    await core.submit()
    await core.submit("other")
    fail_reads(core, monkeypatch, 1)
    assert await takes(worker(dispatcher, "w", room=2)) == "other"


async def test_a_job_that_cannot_be_read_at_all(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started ever less often: each start, and its undoing, is in the log."""
    monkeypatch.setattr(job_starts, "STORE_RETRY_DELAY", 1.0)
    loop = asyncio.get_running_loop()
    later, delays = loop.call_later, list[float]()

    def at_once(delay: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        if callback == dispatcher._end_delay:
            delays.append(delay)
            delay = 0
        return later(delay, callback, *args)

    monkeypatch.setattr(loop, "call_later", at_once)
    await core.submit()
    fail_reads(core, monkeypatch, 9 * (dispatcher_module._LOAD_RETRIES + 1))
    session = worker(dispatcher, "w")
    assert await takes(session) == "j"
    assert delays == [1, 2, 4, 8, 16, 32, 64, 64, 64]

    await core.attempts.release("j", core.token("j", 10))
    assert await takes_again(session) == "j"
    assert len(delays) == 9


async def takes_again(session: Session) -> str:
    """The next job that is assigned to the worker, after the rejection of the one before."""
    await hears(session, "rejected")
    return await takes(session)
