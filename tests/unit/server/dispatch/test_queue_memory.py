"""What jobs that wait take in memory, and that submissions stop before it is too much."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from milepost.contract.reasons import reason_name
from milepost.server.base.refusal import Refusal
from milepost.server.dispatch import job_queues
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.dispatch.job_queues import JobQueues, QueuedJob
from milepost.server.dispatch.queue_memory import QueueMemory
from milepost.server.dispatch.worker_session import Session
from milepost.server.submissions import Submissions
from milepost.v1 import Hello, Job, JobState, Stage
from tests.unit.server.core import Core
from tests.unit.server.dispatching import hears, takes, worker
from tests.unit.server.states import ended

_JOBS = 2000


@pytest.mark.parametrize("own", [(), ("owner",), ("key",), ("owner", "key")], ids=str)
def test_queues_take_no_more_memory_than_they_say(own: tuple[str, ...]) -> None:
    """Whether jobs share their owner and concurrency key, or each has its own; and not less than a third of it."""
    serialised = [
        Job(
            job_id=f"{number:0128d}",
            kind="k" * 64,
            owner=f"{number if 'owner' in own else 0:0128d}",
            concurrency_key=f"{number:0128d}" if "key" in own else "",
            concurrency_limit=1 if "key" in own else 0,
        ).SerializeToString()
        for number in range(_JOBS)
    ]
    queues = JobQueues()
    gc.collect()
    tracemalloc.start()
    try:
        for job in serialised:
            queues.add(QueuedJob.of(Job.FromString(job)))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert queues.memory / 3 <= taken <= queues.memory


async def test_submissions_are_refused_while_jobs_that_wait_take_too_much(
    core: Core, dispatcher: Dispatcher
) -> None:
    """A request that was accepted before is still answered; once jobs are taken, others are accepted again."""
    await core.submit("first", request_id="r")
    queues = QueueMemory(dispatcher.memory + 1, lambda: dispatcher.memory)
    core.submissions = Submissions(core.log, core.journal, core.clock, lambda _: queues.admit())
    await core.submit("second")
    with pytest.raises(Refusal, match="--queue-memory") as refused:
        await core.submit("third")
    assert reason_name(refused.value.reason) == "LIMIT_REACHED"
    assert refused.value.retry_delay
    assert (await core.submit("first", request_id="r")).job_id == "first"

    session = worker(dispatcher, "w", room=2)
    assert [await takes(session) for _ in range(2)] == ["first", "second"]
    assert (await core.submit("third")).job_id == "third"


async def test_a_concurrency_key_has_a_bound_of_kinds(
    core: Core, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As all of them stop and begin to be next together. Other keys, limits and owners count for themselves."""
    monkeypatch.setattr(job_queues, "KEY_GROUPS_LIMIT", 3)
    core.submissions = Submissions(core.log, core.journal, core.clock, dispatcher.admit)
    key = {"concurrency_key": "c", "concurrency_limit": 1}
    for number in range(3):
        await core.submit(f"j{number}", kind=f"k{number}", **key)
    with pytest.raises(Refusal, match="'c'") as refused:
        await core.submit("refused", kind="k3", **key)
    for name, other in (("key", {"concurrency_key": "d"}), ("limit", {"concurrency_limit": 2})):
        await core.submit(name, kind="k3", **{**key, **other})
    await core.submit("owner", kind="k3", owner="o", **key)
    session = worker(dispatcher, "w", kinds=("k0",))
    assert await takes(session) == "j0"
    await core.submit("accepted", kind="k3", **key)

    assert reason_name(refused.value.reason) == "LIMIT_REACHED"
    assert refused.value.retry_delay


async def test_jobs_that_wait_for_their_retry_count(core: Core, dispatcher: Dispatcher) -> None:
    """Each has a timer until it is back in the queue."""
    policy = {"max_attempts": 3, "initial_backoff": {"seconds": 60}}
    await core.submit(retry_policy=policy)
    token = await core.start()
    assert dispatcher.memory == 0
    await core.report(token, ended(JobState.JOB_STATE_FAILED, retryable=True))

    assert dispatcher.memory > 0


async def test_of_jobs_on_their_way_to_a_worker_little_is_kept(core: Core) -> None:
    """What the worker is told of them once it has them: a job may be large, and a worker may get 10,000 at once."""
    session = Session(Hello(kinds=["k"], max_concurrency=1))
    core.sessions.add(session)
    core.sessions.hold(session, "j", None)
    job = Job(job_id="j", state=JobState.JOB_STATE_CANCELLING, stages=[Stage(title="t" * 250)] * 1000)
    job.cancellation.reason = "enough"
    job.failure.detail = "d" * 60_000
    core.sessions.on_transition(job)
    assert core.sessions._early_transitions["j"].ByteSize() < 1000

    core.sessions.hold(session, "j", "token")
    assert (await hears(session, "cancel")).cancel.cancellation.reason == "enough"
