"""Workers killed with SIGKILL between any two of their steps: no report is lost or doubled, and each job ends once."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

from milepost.v1 import Event, JobState, RetryPolicy
from tests.support.forking import Forkery
from tests.support.processes import worker_process
from tests.support.rpc import connect, eventually, kinds
from tests.support.server import ServerProcess

POINTS = {
    "before sending": [["1", "2", "3"]],
    "after sending": [["1", "2", "3"], ["1", "2", "3", "last"]],
    "before acknowledgement": [["1", "2", "3", "last"]],
    "after acknowledgement": [["1", "2", "3", "last"]],
}
"""Where the first attempt's worker dies with its report "last", and what may then be in the log of that attempt."""

MODULE = dedent(
    """
    import asyncio
    import os
    import signal
    import time

    from milepost.client import Worker

    worker = Worker()

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    @worker.job("steps", run="task")
    async def steps(job):
        for number in range(1, 4):
            job.log(str(number))
        if job.attempt == 1:
            await last_words(job, job._control.reporter, job.input["point"])
        for number in range(4, 7):
            job.log(str(number))
        return {}

    async def last_words(job, reporter, point):
        while not reporter.is_empty:  # the first are acknowledged
            await asyncio.sleep(0.001)
        job.log("last")
        if point == "before sending":
            die()
        while not reporter.is_sent:
            await asyncio.sleep(0)
        for _ in range(10):  # it goes from the reporter to the stream
            await asyncio.sleep(0)
        if point == "after sending":
            die()
        if point == "before acknowledgement":
            time.sleep(3600)  # responses are not read any more
        while not reporter.is_empty:
            await asyncio.sleep(0.001)
        die()
    """
)


def lines(log: list[Event], attempt: int) -> list[str]:
    """The reported lines of an attempt."""
    return [e.log_written.text for e in log if e.attempt == attempt and e.HasField("log_written")]


async def test_kill_workers(tmp_path: Path, forkery: Forkery) -> None:
    """Rule 14: reports stay, the lease expires, and another worker runs the job from the beginning."""
    module = tmp_path / "doing.py"
    module.write_text(MODULE)
    policy = RetryPolicy(max_attempts=2)
    policy.initial_backoff.FromMilliseconds(10)
    server = ServerProcess(tmp_path / "data", forkery=forkery)
    # No lease ends before all have died: a handler that lost its lease on a busy machine would not die at its point.
    server.environment["MILEPOST_LEASE_TTL"] = "10m"
    with server, ExitStack() as stack:
        async with connect(server.address) as rpc:
            doomed = [
                stack.enter_context(worker_process(forkery, module, server.address, f"doomed-{number}"))
                for number in range(len(POINTS))
            ]
            jobs = {
                point: (await rpc.submit(kind="steps", input={"point": point}, retry_policy=policy)).job_id
                for point in POINTS
            }

            async def read_no_more() -> bool:
                return "last" in lines(await rpc.log(jobs["before acknowledgement"]), 1)

            await eventually(read_no_more)
            started = (await rpc.log(jobs["before acknowledgement"]))[1]
            reader = started.job_started.worker_id
            doomed[int(reader.removeprefix("doomed-"))].process.kill()
            assert {worker.process.wait() for worker in doomed} == {-signal.SIGKILL}
        server.kill()
        server.environment["MILEPOST_LEASE_TTL"] = "3"
        server.restart()
        async with connect(server.address) as rpc:
            stack.enter_context(worker_process(forkery, module, server.address, "rescue", len(POINTS)))
            logs = {point: await rpc.ended(job_id) for point, job_id in jobs.items()}

    for point, log in logs.items():
        assert lines(log, 1) in POINTS[point], point
        assert lines(log, 2) == [str(number) for number in range(1, 7)]
        assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
        turns = [kind for kind in kinds(log) if kind != "log_written"]
        assert turns == ["job_submitted", "job_started", "attempt_ended", "job_started", "job_ended"]
        assert [e.attempt_ended.failure.code for e in log if e.HasField("attempt_ended")] == ["WORKER_LOST"]
        assert log[-1].job_ended.state == JobState.JOB_STATE_SUCCEEDED
