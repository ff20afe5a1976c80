"""A worker whose process is suspended for longer than its lease and then resumes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from milepost.v1 import Event, Heartbeat, JobState, RetryPolicy
from tests.support.forking import Forkery
from tests.support.processes import worker_process
from tests.support.proxy import CuttableProxy
from tests.support.rpc import connect, eventually, kinds, succeeded
from tests.support.server import ServerProcess

MODULE = dedent(
    """
    import asyncio
    import pathlib

    from milepost.client import Worker

    worker = Worker()

    @worker.job("steps", run="task")
    async def steps(job):
        number = 0
        while not pathlib.Path(f"finish-{job.attempt}").exists():
            number += 1
            job.log(f"{job.attempt}/{number}")
            pathlib.Path(f"said-{job.attempt}").write_text(str(number))
            await asyncio.sleep(0.005)
        return {"lines": number}
    """
)


def lines(log: list[Event], attempt: int) -> list[str]:
    """The log lines of an attempt."""
    return [e.log_written.text for e in log if e.attempt == attempt and e.HasField("log_written")]


def counted(attempt: int, number: int) -> list[str]:
    """The first `count` lines of an attempt, numbered like the worker does."""
    return [f"{attempt}/{each}" for each in range(1, number + 1)]


async def test_a_worker_that_was_stopped_past_its_lease(tmp_path: Path, forkery: Forkery) -> None:
    """It loses its lease, its late reports are refused, and the next attempt's log is clean (rules 11 and 14)."""
    module = tmp_path / "doing.py"
    module.write_text(MODULE)
    policy = RetryPolicy(max_attempts=2)
    policy.initial_backoff.FromMilliseconds(10)
    with (
        ServerProcess(tmp_path / "data", "--lease-ttl", "3", forkery=forkery) as server,
        CuttableProxy(server.address) as proxy,
        worker_process(forkery, module, proxy.address, "stopped") as stopped,
    ):
        async with connect(server.address) as rpc:
            job = await rpc.submit(kind="steps", retry_policy=policy)

            async def first_reports() -> bool:
                return len(lines(await rpc.log(job.job_id), 1)) >= 20

            async def more_was_said() -> bool:
                said = int((tmp_path / "said-1").read_text() or 0)
                return said >= len(lines(await rpc.log(job.job_id), 1)) + 50

            async def lease_is_out() -> bool:
                return "attempt_ended" in kinds(await rpc.log(job.job_id))

            async def second_reports() -> bool:
                return len(lines(await rpc.log(job.job_id), 2)) >= 20

            await eventually(first_reports)
            proxy.stall()
            await eventually(more_was_said)
            stopped.stop()
            await eventually(lease_is_out)
            reported = lines(await rpc.log(job.job_id), 1)
            with worker_process(forkery, module, server.address, "second"):
                await eventually(second_reports)
                carried = proxy.carried
                proxy.allow()

                async def late_reports_arrived() -> bool:
                    return proxy.carried > carried + 1000

                await eventually(late_reports_arrived)
                stopped.go_on()

                async def knows_of_it() -> bool:
                    return stopped.said(f"job {job.job_id}: lease lost")

                await eventually(knows_of_it)
                late = len(lines(await rpc.log(job.job_id), 2))

                async def went_on() -> bool:
                    return len(lines(await rpc.log(job.job_id), 2)) > late

                await eventually(went_on)
                (tmp_path / "finish-2").touch()
                log = await rpc.ended(job.job_id)

            # It still works: it gets the next job.
            again = await rpc.submit(kind="steps")

            async def taken() -> str:
                return (await rpc.get(again.job_id)).worker_id

            assert await eventually(taken) == "stopped"

    assert counted(1, len(reported)) == reported
    assert reported == lines(log, 1)
    assert counted(2, len(lines(log, 2))) == lines(log, 2)
    assert len(lines(log, 2)) == log[-1].job_ended.result["lines"]
    assert [event.attempt for event in log[1 : len(reported) + 3]] == [1] * (len(reported) + 2)
    assert {event.attempt for event in log[len(reported) + 3 :]} == {2}
    assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
    turns = [kind for kind in kinds(log) if kind != "log_written"]
    assert turns == ["job_submitted", "job_started", "attempt_ended", "job_started", "job_ended"]
    assert log[-1].job_ended.state == JobState.JOB_STATE_SUCCEEDED


async def test_a_silent_worker_gets_no_more_jobs(tmp_path: Path, forkery: Forkery) -> None:
    """A worker that lost its job by silence is offered neither the next attempt nor another job before it sends."""
    policy = RetryPolicy(max_attempts=2)
    policy.initial_backoff.FromMilliseconds(10)
    with ServerProcess(tmp_path / "data", "--lease-ttl", "3", forkery=forkery) as server:
        async with connect(server.address) as rpc, rpc.session(worker_id="silent") as silent:
            job = await rpc.submit(retry_policy=policy)
            assert job.job_id == (await silent.take())[0].job_id
            assert job.job_id == (await silent.receive("rejected")).rejected.job_id
            async with rpc.session(worker_id="awake", max_concurrency=1) as awake:
                retried, token = await awake.take()
                assert (job.job_id, 2) == (retried.job_id, retried.attempt)
                await awake.report(job.job_id, token, 1, succeeded())
                await awake.acknowledged(1)
                await silent.send(heartbeat=Heartbeat())
                later = [await rpc.submit(), await rpc.submit()]
                given = {(await session.take())[0].job_id for session in (silent, awake)}
                assert {each.job_id for each in later} == given
