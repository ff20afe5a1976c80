"""Repeated claims, and outages: a retry, a redelivered message, an unreachable server."""

from __future__ import annotations

import asyncio
import logging
import uuid
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import Cancelled, Client, SyncClient
from milepost.client.errors import JobEndedError, LeaseLost, LimitReached, Unreachable
from milepost.v1 import Dispatch, RetryPolicy
from tests.support.forking import Forkery
from tests.support.proxy import CuttableProxy
from tests.support.rpc import eventually, state_name
from tests.support.server import Server, ServerProcess

EXTERNAL = Dispatch.DISPATCH_EXTERNAL
RETRIED = RetryPolicy(max_attempts=3, initial_backoff=Duration())


async def external(client: Client, values: dict[str, Any] | None = None) -> str:
    """Submit an external job; return its id."""
    return (await client.submit("step", values, dispatch=EXTERNAL, retry_policy=RETRIED)).job_id


async def is_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    """Whether a record has this text."""
    return any(text in record.getMessage() for record in caplog.records)


async def test_a_claim_says_who_has_the_job_and_how_it_ended(client: Client) -> None:
    """The error names the holder, or the outcome."""
    job_id = await external(client)
    async with client.attach(job_id, worker_id="celery-7"):
        with pytest.raises(LeaseLost, match=r"Worker 'celery-7' has job .* as its attempt 1") as held:
            async with client.attach(job_id):
                pass
    with pytest.raises(JobEndedError, match="has ended: it is SUCCEEDED"):
        async with client.attach(job_id):
            pass
    with pytest.raises(ValueError, match="boo"):
        async with client.start("step") as failed:
            raise ValueError("boo")
    with pytest.raises(JobEndedError, match="it is FAILED with ValueError"):
        async with client.attach(failed.id):
            pass

    assert "once that attempt has ended, or its lease is out" in str(held.value)


async def test_a_claim_may_wait_for_the_attempt_to_end(client: Client) -> None:
    """A redelivered message waits until the first attempt fails, and takes over then, or gets the outcome."""
    job_id = await external(client)

    async def again() -> int:
        async with client.attach(job_id, wait=60) as job:
            return job.attempt

    async def fail() -> None:
        async with client.attach(job_id):
            second = asyncio.create_task(again())
            with pytest.raises(LeaseLost):
                async with client.attach(job_id, wait=0.1):
                    pass
            assert not second.done()
            waiting.append(second)
            raise ValueError("boo")

    waiting: list[asyncio.Task[int]] = []
    with pytest.raises(ValueError, match="boo"):
        await fail()
    assert await waiting[0] == 2
    with pytest.raises(JobEndedError):
        await again()


async def test_a_claim_may_wait_for_the_lease_to_be_out(hasty: Server) -> None:
    """For example of a killed process."""
    with CuttableProxy(hasty.address) as proxy:
        async with Client(proxy.address) as far, Client(hasty.address) as near:
            job_id = await external(near)

            async def die() -> None:
                async with far.attach(job_id):
                    proxy.refuse()
                    proxy.cut()
                    async with near.attach(job_id, wait=60) as job:
                        assert job.attempt == 2
                    proxy.allow()
                    await asyncio.Event().wait()

            with pytest.raises((LeaseLost, JobEndedError)):
                await die()
            assert state_name(await near.get(job_id)) == "SUCCEEDED"


async def test_a_claim_may_wait_for_its_key(client: Client) -> None:
    """And for no longer than the given time."""
    key = uuid.uuid4().hex
    entered: list[str] = []

    async def next_one() -> None:
        async with client.start("step", concurrency_key=key, wait=60):
            entered.append("second")

    async with client.start("step", concurrency_key=key):
        waiting = asyncio.create_task(next_one())
        with pytest.raises(LimitReached):
            async with client.start("step", concurrency_key=key, wait=0.1):
                pass
        entered.append("first")
    await waiting

    assert entered == ["first", "second"]


async def test_the_same_work_takes_its_job_over(client: Client) -> None:
    """At once, although the earlier block still runs; that block learns that another attempt has started."""
    job_id, task_id = await external(client), str(uuid.uuid4())
    taken = asyncio.Event()

    async def first() -> None:
        async with client.attach(job_id, instance=task_id):
            await taken.wait()
            await asyncio.Event().wait()

    earlier = asyncio.create_task(first())

    async def runs() -> bool:
        return state_name(await client.get(job_id)) == "RUNNING"

    await eventually(runs)
    with pytest.raises(LeaseLost):
        async with client.attach(job_id):
            pass
    async with client.attach(job_id, instance=task_id) as job:
        taken.set()
        # One more if the earlier block's session reconnected at the moment of this assignment.
        assert job.attempt >= 2
        with pytest.raises(LeaseLost):
            await earlier
        job.result = {"by": "the second"}

    ended = await client.get(job_id)
    assert (state_name(ended), ended.failed_attempts) == ("SUCCEEDED", 0)


async def test_work_that_matters_more_than_its_report_goes_on(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """With `on_lost="go on"` nothing interrupts a block whose job was taken over, and it leaves the job alone."""
    job_id, task_id = await external(client), str(uuid.uuid4())
    over = asyncio.Event()
    seen: list[bool] = []

    async def first() -> str:
        async with client.attach(job_id, instance=task_id, on_lost="go on", worker_id=task_id) as job:
            await over.wait()
            with job.stage("late", total=2) as stage:
                seen.extend(job.cancelled for _ in stage.track(range(2)))
            job.result = {"by": "the first"}
        return "done"

    earlier = asyncio.create_task(first())

    async def runs() -> bool:
        return state_name(await client.get(job_id)) == "RUNNING"

    async def has_left() -> bool:
        return task_id not in [worker.worker_id async for worker in client.workers()]

    await eventually(runs)
    with caplog.at_level(logging.WARNING, logger="milepost"):
        async with client.attach(job_id, instance=task_id, on_lost="go on") as job:
            await eventually(lambda: is_logged(caplog, "goes on without being reported"))
            await eventually(has_left)
            job.result = {"by": "the second"}
        assert await client.result(job_id) == {"by": "the second"}
        over.set()
        assert (await earlier, seen) == ("done", [False, False])

    assert (await client.get(job_id)).stages == []
    assert [record.levelname for record in caplog.records if "goes on" in record.getMessage()] == ["WARNING"]


@pytest.mark.parametrize(("grace", "error"), [(None, Cancelled), (0, JobEndedError)])
async def test_work_that_goes_on_can_still_be_cancelled(
    client: Client, grace: float | None, error: type[BaseException]
) -> None:
    """A cancellation of its job interrupts it, also one that leaves it no time."""
    job_id = await external(client)

    async def work() -> None:
        async with client.attach(job_id, on_lost="go on"):
            await client.cancel(job_id, grace_period=grace)
            await asyncio.Event().wait()

    with pytest.raises(error):
        await work()

    assert state_name(await client.get(job_id)) == "CANCELLED"


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_block_goes_on_without_a_server(caplog: pytest.LogCaptureFixture, asynchronous: bool) -> None:
    """With `attach` and `start`; it is logged once, nothing is raised, and the block's own exception propagates."""
    caplog.set_level(logging.WARNING, "milepost.client")

    async def work(client: Client) -> list[object]:
        async with client.attach("j", on_unreachable="go on", flush_timeout=0.1) as job:
            with job.stage("s", total=3) as stage:
                stage.advance(3)
            job.result = {"n": 1}
        with pytest.raises(ValueError, match="boo"):
            async with client.start(
                "step", {"n": 3}, labels={"a": "b"}, on_unreachable="go on", flush_timeout=0.1
            ) as started:
                raise ValueError("boo")
        return [job.id, job.input, started.kind, started.input, started.labels, started.cancelled]

    def work_plainly() -> list[object]:
        with SyncClient("127.0.0.1:1", timeout=0.5) as client:
            with client.attach("j", on_unreachable="go on", flush_timeout=0.1) as job:
                job.log("done")
            with (
                pytest.raises(ValueError, match="boo"),
                client.start(
                    "step", {"n": 3}, labels={"a": "b"}, on_unreachable="go on", flush_timeout=0.1
                ) as started,
            ):
                raise ValueError("boo")
        return [job.id, job.input, started.kind, started.input, started.labels, started.cancelled]

    if asynchronous:
        async with Client("127.0.0.1:1", timeout=0.5) as client:
            known = await work(client)
            with pytest.raises(Unreachable):
                async with client.attach("j"):
                    pass
            with pytest.raises(ValueError, match="on_unreachable"):
                client.attach("j", on_unreachable=cast("Any", "maybe"))
    else:
        known = await asyncio.to_thread(work_plainly)

    assert known == ["j", {}, "step", {"n": 3}, {"a": "b"}, False]
    messages = [record.getMessage() for record in caplog.records]
    assert sum("job j goes on without its server" in message for message in messages) == 1
    assert sum("job j" in message for message in messages) == 2  # and that the server was not back in time


@pytest.mark.parametrize("verb", ["attach", "start"])
async def test_it_is_reported_once_the_server_is_back(
    tmp_path: Path, forkery: Forkery, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All earlier reports in order, and later ones; the job is as without an outage."""
    caplog.set_level(logging.INFO, "milepost.client")
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Client(server.address) as client:
            job_id = await external(client, {"n": 3})
            server.kill()
            block = (
                client.attach(job_id, on_unreachable="go on")
                if verb == "attach"
                else client.start("step", {"n": 3}, job_id="made-later", on_unreachable="go on")
            )
            async with block as job:
                assert job.attempt == 0
                with job.stage("before", total=2) as stage:
                    stage.advance(2)
                    for number in range(1000):
                        job.log(f"line {number}")
                server.restart()

                async def is_claimed() -> bool:
                    return job.attempt == 1

                await eventually(is_claimed)
                assert job.input == {"n": 3}
                with job.stage("after") as stage:
                    for _ in range(10_000):
                        stage.advance()
                    job.log("the last line")
                job.result = {"n": 3}
            ended = await client.get(job.id)
            events = [event async for event in client.watch(job.id)]
    lines = [event.log_written.text for event in events if event.HasField("log_written")]

    assert (state_name(ended), dict(ended.result)) == ("SUCCEEDED", {"n": 3.0})
    assert lines == [*(f"line {number}" for number in range(1000)), "the last line"]
    assert [(stage.stage_id, stage.current) for stage in ended.stages] == [("before", 2), ("after", 10_000)]
    assert caplog.text.count("its server is back") == 1


async def test_a_server_that_comes_back_at_the_end(tmp_path: Path, forkery: Forkery) -> None:
    """Within the flush timeout it delivers all reports."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Client(server.address) as client:
            job_id = await external(client)
            server.kill()

            async def fail() -> None:
                async with client.attach(job_id, on_unreachable="go on", flush_timeout=120) as job:
                    job.log("a line")
                    restarting.append(asyncio.create_task(asyncio.to_thread(server.restart)))
                    raise ValueError("boo")

            restarting: list[asyncio.Task[None]] = []
            with pytest.raises(ValueError, match="boo"):
                await fail()
            await restarting[0]
            waiting = await client.get(job_id)

    assert (state_name(waiting), waiting.failure.code) == ("QUEUED", "ValueError")


async def test_a_job_that_was_taken_meanwhile(
    tmp_path: Path, forkery: Forkery, caplog: pytest.LogCaptureFixture
) -> None:
    """It is only logged; the block runs to its end."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Client(server.address) as client:
            job_id = await external(client)
            await client.cancel(job_id)
            server.kill()
            async with client.attach(job_id, on_unreachable="go on") as job:
                server.restart()

                async def is_refused() -> bool:
                    return "goes on without being reported" in caplog.text

                await eventually(is_refused)
                job.result = {"n": 1}
            assert state_name(await client.get(job_id)) == "CANCELLED"
