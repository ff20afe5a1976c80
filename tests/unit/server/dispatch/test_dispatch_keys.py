"""Concurrency keys: limits of running jobs, and the queues behind them."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.followers.retention import RetentionPolicy
from milepost.server.followers.transitions import follow_transitions
from milepost.server.log.event_log import JobPage
from milepost.server.log.log_errors import StoreFull
from milepost.server.runtime.core import Core as Server
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import Dispatch, JobState, RetryPolicy
from tests.support.responses import decoded
from tests.unit.server.core import Core
from tests.unit.server.dispatching import done, hears, node, takes, why, worker
from tests.unit.server.states import ended


async def test_running_jobs_of_a_key_are_limited(core: Core, dispatcher: Dispatcher) -> None:
    """Other jobs are not held up; a free place goes to the oldest waiting job of the key."""
    for number in range(3):
        await core.submit(f"u{number}", concurrency_key="user", concurrency_limit=2)
        core.clock.advance(1)
    await core.submit("free")
    session = worker(dispatcher, "w", room=3)
    assert [await takes(session) for _ in range(3)] == ["u0", "u1", "free"]
    await core.submit("later")

    await done(core, session, "u1")
    assert await takes(session) == "u2"


async def test_a_key_is_one_over_all_kinds_and_each_owners_own(core: Core, dispatcher: Dispatcher) -> None:
    """A freed place may start a job of another kind."""
    await core.submit("a", owner="a", concurrency_key="user")
    await core.submit("a-other-kind", owner="a", kind="other", concurrency_key="user")
    await core.submit("b", owner="b", concurrency_key="user")
    first, second = worker(dispatcher, "first", room=3), worker(dispatcher, "second", kinds=("other",))
    assert [await takes(first), await takes(first)] == ["a", "b"]

    await done(core, first, "a")
    assert await takes(second) == "a-other-kind"


async def test_starting_jobs_count_under_their_key(core: Core, dispatcher: Dispatcher) -> None:
    """It counts before its start is durable, and no more if the start fails."""
    await core.submit("u0", concurrency_key="user")
    core.clock.advance(1)
    await core.submit("u1", concurrency_key="user")
    core.log.hold(1)
    session = worker(dispatcher, "w", room=2)
    await core.log.holds(1)
    assert [*session.jobs] == ["u0"]
    core.log.let_go()
    assert await takes(session) == "u0"

    await core.cancel(0, "u0")
    await hears(session, "rejected")
    assert await takes(session) == "u1"


async def test_two_nodes_that_start_jobs_of_a_key_at_once_keep_its_limit(
    core: Core, dispatcher: Dispatcher
) -> None:
    """The later start in the log is requeued before its worker gets it; a claim is refused."""
    other = node(core)
    for kind in ("a", "b"):
        await core.submit(kind, kind=kind, concurrency_key="user")
    await core.submit("c", concurrency_key="user", dispatch=Dispatch.DISPATCH_EXTERNAL)
    engine = worker(other, "engine", room=0)
    core.log.hold(3)
    first = worker(dispatcher, "first", kinds=("a",))
    await core.log.holds(1)
    second = worker(other, "second", kinds=("b",))
    await core.log.holds(2)
    third = node(core)
    claiming = third.claim(engine, "c")
    await core.log.holds(3)
    core.log.let_go()
    await claiming

    assert await takes(first) == "a"
    assert why(await hears(engine, "rejected")) == ("c", "LIMIT_REACHED")
    await done(core, first, "a")
    assert await takes(second) == "b"
    assert [(await core.journal.find(job_id)).attempt for job_id in ("a", "b", "c")] == [1, 2, 1]
    assert (await core.journal.find("b")).failed_attempts == 0
    other.close()
    third.close()


async def test_a_start_that_fails_leaves_its_key(core: Core, dispatcher: Dispatcher) -> None:
    """The store was full; the next start may succeed."""
    await core.submit("u0", concurrency_key="user", priority=1)
    await core.submit("u1", concurrency_key="user")
    core.log.errors.append(StoreFull("full"))
    session = worker(dispatcher, "w", room=1)

    assert await takes(session) == "u1"


async def test_keys_hold_after_a_restart(core: Core) -> None:
    """They are counted from the log, in any order of its jobs."""
    await core.submit("waits", concurrency_key="user", priority=1)
    await core.submit("works", concurrency_key="user", dispatch=Dispatch.DISPATCH_EXTERNAL)
    token = await core.start("works", claimed=True)
    dispatcher = Dispatcher(core.attempts, core.sessions, core.clock, core.tasks)
    for _, job in (await core.log.active()).jobs:
        dispatcher.on_transition(job)
    follow_transitions(core.log, core.sessions.on_transition, dispatcher.on_transition)
    session = worker(dispatcher, "w", room=5)
    await core.submit("free")
    assert await takes(session) == "free"

    await core.report(token, ended(JobState.JOB_STATE_SUCCEEDED), job_id="works")
    assert await takes(session) == "waits"
    dispatcher.close()


async def test_a_claim_counts_under_its_key_and_is_refused_beyond_it(
    core: Core, dispatcher: Dispatcher
) -> None:
    """Like a queued job, and within the same limit."""
    engine, session = worker(dispatcher, "engine", room=0), worker(dispatcher, "w", room=5)
    for job_id in ("e0", "e1"):
        await core.submit(job_id, concurrency_key="user", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await dispatcher.claim(engine, "e0")
    assert await takes(engine) == "e0"
    await dispatcher.claim(engine, "e1")
    assert why(await hears(engine, "rejected")) == ("e1", "LIMIT_REACHED")
    assert (await core.journal.find("e1")).state == JobState.JOB_STATE_QUEUED
    await core.submit("queued", concurrency_key="user")

    await done(core, engine, "e0")
    assert await takes(session) == "queued"
    await dispatcher.claim(engine, "e1")
    assert why(await hears(engine, "rejected")) == ("e1", "LIMIT_REACHED")
    await done(core, session, "queued")
    await dispatcher.claim(engine, "e1")
    assert await takes(engine) == "e1"


async def test_of_many_who_claim_under_one_key_as_many_have_one(core: Core, dispatcher: Dispatcher) -> None:
    """Although they call at the same time."""
    workers = [worker(dispatcher, f"w{number}", room=0) for number in range(6)]
    for number in range(6):
        await core.submit(
            f"e{number}", concurrency_key="user", concurrency_limit=2, dispatch=Dispatch.DISPATCH_EXTERNAL
        )
    await asyncio.gather(*(dispatcher.claim(session, f"e{number}") for number, session in enumerate(workers)))
    answers = [
        response and decoded(response) for response in [await session.responses.get() for session in workers]
    ]

    assert sum(answer is not None and answer.HasField("assignment") for answer in answers) == 2


async def test_a_job_that_is_claimed_again_at_once_stays_at_work(core: Core, dispatcher: Dispatcher) -> None:
    """The next attempt is decided before the end of the previous one is durable: its place is kept."""
    key = {"concurrency_key": "user"}
    again = RetryPolicy(max_attempts=2)
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=again, **key)
    token = await core.start("e", claimed=True)
    await core.submit("queued", **key)
    engine, session = worker(dispatcher, "engine", room=0), worker(dispatcher, "w")
    core.log.hold(2)
    failed = ended(JobState.JOB_STATE_FAILED, retryable=True)
    reporting = asyncio.ensure_future(core.report(token, failed, job_id="e"))
    await core.log.holds(1)
    claiming = dispatcher.claim(engine, "e")
    await core.log.holds(2)
    core.log.let_go()
    await asyncio.gather(reporting, claiming)

    assert await takes(engine) == "e"
    assert session.jobs == {}


async def test_changes_during_a_start_are_kept(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a log that other nodes write to, a job may have ended before its start is counted."""
    await core.submit("works", concurrency_key="user", dispatch=Dispatch.DISPATCH_EXTERNAL)
    token = await core.start("works", claimed=True)
    active = core.log.active

    async def ends_meanwhile(after: int) -> JobPage:
        monkeypatch.undo()
        found = await active(after)
        await core.report(token, ended(JobState.JOB_STATE_SUCCEEDED), job_id="works")
        return found

    server = Server(
        core.log,
        lease_ttl=30.0,
        keep=RetentionPolicy(),
        sweep_interval=60.0,
        tail_memory=1 << 20,
        admission=WatchAdmission(10, 10),
    )
    monkeypatch.setattr(core.log, "active", ends_meanwhile)
    await server.start()
    assert server.deadlines.watched == set()
    await server.close()
