"""External jobs: code claims one, reports like a handler, and gets its cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from milepost.client import Cancelled, Client, JobFailure
from milepost.client._attach import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._worker.current_job import current_job
from milepost.client.errors import (
    JobEndedError,
    JobFailed,
)
from milepost.v1 import Dispatch, Event, RetryPolicy
from tests.support.rpc import eventually, state_name

EXTERNAL = Dispatch.DISPATCH_EXTERNAL


async def log(client: Client, job_id: str) -> list[Event]:
    """All events that the job has."""
    return [event async for event in client.watch(job_id, follow=False)]


async def is_stopped(attachment: Attachment) -> bool:
    """Whether the block must stop."""
    return attachment.stop is not None


async def test_a_block_tells_of_its_job_as_a_handler_does(client: Client) -> None:
    """Stages, logs and progress; without an exception the job succeeds with the result that was set."""
    job_id = (await client.submit("step", {"n": 3}, dispatch=EXTERNAL)).job_id

    async with client.attach(job_id, worker_id="celery-7") as job:
        assert (
            job.id,
            job.kind,
            job.input,
            job.attempt,
            job.cancelled,
        ) == (job_id, "step", {"n": 3}, 1, False)
        assert job is current_job()
        with job.stage("count") as stage:
            for number in stage.track(range(job.input["n"])):
                job.log(f"at {number}", stage=stage)
        job.result = {"counted": 3}

    assert current_job() is None
    ended = await client.get(job_id)
    assert (
        state_name(ended),
        ended.worker_id,
        await client.result(job_id),
    ) == ("SUCCEEDED", "celery-7", {"counted": 3})
    events = await log(client, job_id)
    assert [event.log_written.text for event in events if event.HasField("log_written")] == [
        "at 0",
        "at 1",
        "at 2",
    ]
    assert (ended.stages[0].current, ended.stages[0].total) == (3, 3)


async def test_a_job_is_started_in_one_go(client: Client) -> None:
    """Created and claimed, with a start deadline, so that a process that dies in between leaves no job behind."""
    async with client.start("nightly", {"host": "db1"}, owner="ops", labels={"team": "a"}) as job:
        running = await client.get(job.id)
    async with client.start("nightly", start_deadline=timedelta(minutes=5), job_id=f"{job.id}-b") as second:
        pass

    assert (
        state_name(running),
        running.dispatch,
        running.owner,
        dict(running.labels),
        running.start_deadline.seconds,
        job.input,
    ) == ("RUNNING", EXTERNAL, "ops", {"team": "a"}, 60, {"host": "db1"})
    assert (second.id, (await client.get(second.id)).start_deadline.seconds) == (f"{job.id}-b", 300)
    assert [state_name(await client.get(one)) for one in (job.id, second.id)] == ["SUCCEEDED"] * 2


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (JobFailure("NO_ROOM", "The disk is full."), "NO_ROOM", "The disk is full."),
        (KeyError("colour"), "KeyError", "'colour'"),
        (KeyboardInterrupt(), "KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
async def test_an_exception_fails_the_job(
    client: Client, error: BaseException, code: str, message: str
) -> None:
    """It propagates with its traceback."""
    with pytest.raises(type(error)) as caught:
        async with client.start("step") as job:
            raise error

    assert error is caught.value
    assert [entry.name for entry in caught.traceback] == ["test_an_exception_fails_the_job"]
    failure = (await client.get(job.id)).failure
    assert (code, message) == (failure.code, failure.message)


async def test_a_cancellation_interrupts_the_block(client: Client) -> None:
    """At its next await; `finally` blocks run. The block raises `Cancelled`, and the task itself is not cancelled."""
    steps: list[str] = []

    job_id = f"cancelled-{uuid.uuid4().hex}"

    async def work() -> None:
        async with client.start("step", job_id=job_id) as job, asyncio.TaskGroup() as group:
            group.create_task(client.cancel(job_id, reason="enough"))
            try:
                await asyncio.Event().wait()
            finally:
                steps.append(f"cleaned up, {job.cancelled}")

    with pytest.raises(Cancelled):
        await work()

    task = asyncio.current_task()
    assert task is not None
    assert (task.cancelling(), steps) == (0, ["cleaned up, True"])
    ended = await client.get(job_id)
    assert (
        state_name(ended),
        ended.cancellation.forced,
        ended.cancellation.reason,
    ) == ("CANCELLED", False, "enough")
    assert ended.cancellation.HasField("acknowledge_time")


async def test_a_block_that_is_done_all_the_same_has_won(client: Client) -> None:
    """Its result counts, and the cancellation does not affect later code (rule 17)."""
    async with client.start("step") as job:
        cancelling = asyncio.create_task(client.cancel(job.id))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.Event().wait()
        job.result = {"done": True}
    await cancelling

    task = asyncio.current_task()
    assert task is not None
    assert (task.cancelling(), state_name(await client.get(job.id))) == (0, "SUCCEEDED")


@pytest.mark.parametrize("awaits", [False, True])
async def test_a_cancellation_that_comes_with_the_assignment(
    client: Client, monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    """It is raised at the first await in the block; without one the block wins."""
    claim = Attachment.claim

    async def claim_a_cancelled_one(self: Attachment, on_stop: Callable[[], None]) -> AttachedJob:
        job = await claim(self, on_stop)
        await client.cancel(job.id)
        await eventually(lambda: is_stopped(self))
        return job

    monkeypatch.setattr(Attachment, "claim", claim_a_cancelled_one)
    job_id = f"early-{uuid.uuid4().hex}"
    with pytest.raises(Cancelled) if awaits else contextlib.nullcontext():
        async with client.start("step", job_id=job_id) as job:
            assert job.cancelled
            if awaits:
                await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert ("CANCELLED" if awaits else "SUCCEEDED") == state_name(await client.get(job_id))


async def test_an_error_while_it_is_being_cancelled(client: Client) -> None:
    """The block's exception propagates; the job is CANCELLED with it."""
    job_id = f"broken-{uuid.uuid4().hex}"

    async def work() -> None:
        async with client.start("step", job_id=job_id):
            cancelling = asyncio.create_task(client.cancel(job_id))
            try:
                await asyncio.Event().wait()
            finally:
                await cancelling
                raise ValueError("half a file")

    with pytest.raises(ValueError, match="half a file"):
        await work()

    ended = await client.get(job_id)
    assert state_name(ended) == "CANCELLED"
    assert "half a file" in ended.message


async def test_a_task_that_others_cancel(client: Client) -> None:
    """A cancelled task is no cancelled job: the attempt failed retryably."""
    entered: asyncio.Queue[str] = asyncio.Queue()
    policy = RetryPolicy(max_attempts=2)
    policy.initial_backoff.SetInParent()

    async def work(retry_policy: RetryPolicy | None = None) -> None:
        async with client.start("step", retry_policy=retry_policy) as job:
            await entered.put(job.id)
            await asyncio.Event().wait()

    once, retried = asyncio.create_task(work()), asyncio.create_task(work(retry_policy=policy))
    job_ids = [await entered.get(), await entered.get()]
    for task in (once, retried):
        task.cancel()
    outcomes = await asyncio.gather(once, retried, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    jobs = [await client.get(job_id) for job_id in job_ids]
    assert {(state_name(job), job.failure.code) for job in jobs} == {
        ("FAILED", "INTERRUPTED"),
        ("QUEUED", "INTERRUPTED"),
    }
    async with client.attach(next(job.job_id for job in jobs if state_name(job) == "QUEUED")) as again:
        assert again.attempt == 2


async def test_a_timeout_of_the_blocks_own(client: Client) -> None:
    """`asyncio.timeout` works within and around the block."""
    async with client.start("step"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
    job_id = f"bound-{uuid.uuid4().hex}"

    async def work() -> None:
        async with asyncio.timeout(None) as bound, client.start("step", job_id=job_id):
            bound.reschedule(asyncio.get_running_loop().time())
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await work()
    assert (await client.get(job_id)).failure.code == "INTERRUPTED"


async def test_a_cancelled_job_and_a_cancelled_task_at_once(client: Client) -> None:
    """The job is CANCELLED, and the task's own cancellation propagates."""
    jobs: asyncio.Queue[AttachedJob] = asyncio.Queue()
    cleaning_up = asyncio.Event()

    async def work() -> None:
        async with client.start("step") as job:
            await jobs.put(job)
            try:
                await asyncio.Event().wait()
            finally:
                cleaning_up.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(work())
    job = await jobs.get()
    await client.cancel(job.id)
    await cleaning_up.wait()
    task.cancel()
    await asyncio.wait((task,))

    assert task.cancelled()
    assert (task.cancelling(), state_name(await client.get(job.id))) == (1, "CANCELLED")


async def test_a_task_that_is_cancelled_as_an_ended_job_leaves_its_block(client: Client) -> None:
    """Its own cancellation propagates, in place of the error: the block revokes only the one that it has made."""
    job_ids: asyncio.Queue[str] = asyncio.Queue()

    async def work() -> None:
        async with client.start("step") as job:
            await job_ids.put(job.id)
            try:
                await asyncio.Event().wait()
            finally:
                asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(work())
    job_id = await job_ids.get()
    await client.cancel(job_id, grace_period=0)
    await asyncio.wait((task,))

    assert task.cancelled()
    assert (task.cancelling(), state_name(await client.get(job_id))) == (1, "CANCELLED")


async def test_a_job_that_others_end_interrupts_the_block(client: Client) -> None:
    """For example by a timeout: the block raises the SDK's error, which says how the job ended."""
    with pytest.raises(JobEndedError, match="FAILED"):
        async with client.start("step", timeout=1) as job:
            await asyncio.Event().wait()

    with pytest.raises(JobFailed, match="TIMEOUT"):
        await client.result(job.id)


async def test_what_is_to_be_called_at_a_cancellation(client: Client) -> None:
    """Like in a handler."""
    called: list[str] = []

    async def work() -> None:
        async with client.start("step") as job:
            job.on_cancel(lambda: called.append(job.id))
            await asyncio.gather(client.cancel(job.id), asyncio.Event().wait())

    with pytest.raises(Cancelled):
        await work()
    assert len(called) == 1


async def test_many_blocks_share_a_client(client: Client) -> None:
    """Each block has its own job."""

    async def work(number: int) -> str:
        async with client.start("step", {"number": number}) as job:
            assert job is current_job()
            job.result = {"number": job.input["number"]}
        return job.id

    job_ids = await asyncio.gather(*(work(number) for number in range(20)))

    assert [await client.result(one) for one in job_ids] == [{"number": number} for number in range(20)]


async def test_a_block_whose_task_is_cancelled_while_it_ends(client: Client) -> None:
    """Its end reaches the server all the same, so that nobody has to wait until the lease expires."""
    ids: list[str] = []

    async def block() -> None:
        task = asyncio.current_task()
        assert task is not None
        async with client.start("step") as job:
            ids.append(job.id)
            asyncio.get_running_loop().call_soon(task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(block())

    assert state_name(await client.get(ids[0])) == "SUCCEEDED"
