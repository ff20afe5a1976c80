"""Attempts that have started and whose worker is not sent the job, since the store fails in between."""

from __future__ import annotations

import pytest

from milepost.server import store_errors
from milepost.server.dispatch import dispatcher as dispatcher_module
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreFull, StoreUnavailable
from milepost.v1 import Dispatch, Hello, Job, JobState
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.dispatching import hears, takes, why, worker


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once."""
    for module in (store_errors, dispatcher_module):
        monkeypatch.setattr(module, "STORE_RETRY_DELAY", 0.0)


def fail_reads(core: Core, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Make the next reads of whole jobs fail."""
    find, failures = core.log.find, [StoreUnavailable("disk I/O error")] * count

    async def failing(job_id: str, *, caller: str) -> Job | None:
        if failures:
            raise failures.pop()
        return await find(job_id, caller=caller)

    monkeypatch.setattr(core.log, "find", failing)


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


async def test_a_start_whose_outcome_was_not_known(core: Core, dispatcher: Dispatcher) -> None:
    """It is durable all the same, and comes when nobody waits for it any more: the job goes back to the queue."""
    await core.submit()
    core.log.hold(1)
    session = worker(dispatcher, "w")
    await core.log.holds(1)
    session.max_concurrency = 0
    core.log.lose_answers()

    async def requeued() -> bool:
        job = await core.journal.find("j")
        return (job.state, job.attempt) == (JobState.JOB_STATE_QUEUED, 1)

    await eventually(requeued)
    dispatcher.sessions.resize(session, 1)
    assert await takes(session) == "j"
    assert (await core.journal.find("j")).attempt == 2
