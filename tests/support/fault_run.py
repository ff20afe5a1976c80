"""Workers and subscribers at the nodes of a cluster, which continue through faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence

from milepost.v1 import JobFilter, WatchJobsRequest
from tests.support.following import follow, follow_all
from tests.support.nodes import Nodes
from tests.support.reporting import Reporter, Task
from tests.support.rpc import Rpc, connect, eventually, kinds
from tests.support.validators import History, Recording, check

__all__ = ["WORKERS", "Fault", "FaultRun"]

WORKERS = 16

Fault = Callable[[random.Random], Awaitable[None]]
"""Injects a fault into a part of the cluster; the fault is over when it returns."""


class FaultRun:
    """Workers and subscribers that run through a series of faults.

    ``longest_gap`` is the longest time in seconds without an acknowledgement to any worker.
    """

    def __init__(self, nodes: Nodes, seed: int) -> None:
        self._nodes = nodes
        self._random = random.Random(seed)
        self.reporters: list[Reporter] = []
        self.longest_gap = 0.0

    async def run(self, fault: Fault, times: int, *, reports: int) -> None:
        """Inject the fault ``times`` times, each after ``reports`` further acknowledgements."""
        async with contextlib.AsyncExitStack() as stack:
            rpcs = [await stack.enter_async_context(self._connect(number)) for number in range(WORKERS)]
            watching = [await stack.enter_async_context(self._connect(number)) for number in range(3)]
            for rpc in (*rpcs, *watching):
                rpc.kind = rpcs[0].kind
            self.reporters = [Reporter(rpc, self._random.getrandbits(32)) for rpc in rpcs]
            for reporter in self.reporters:
                await reporter.claim(1)
            tasks = [task for reporter in self.reporters for task in reporter.tasks]
            seen = [Recording(breaks=True) for _ in tasks]
            of_all = Recording(breaks=True)
            async with asyncio.TaskGroup() as group:
                for reporter in self.reporters:
                    group.create_task(reporter.run())
                for number, (task, recording) in enumerate(zip(tasks, seen, strict=True)):
                    group.create_task(follow(watching[number % 3], task.job_id, recording))
                group.create_task(follow_all(watching[0], len(tasks), of_all))
                measuring = group.create_task(self._measure())
                for _ in range(times):
                    await self._traffic(reports)
                    await fault(self._random)
                await self._traffic(reports)
                measuring.cancel()
                for task in tasks:
                    task.finish()
            print(f"nothing was acknowledged for up to {self.longest_gap:.1f} s")
            for server in self._nodes.servers:
                async with connect(server.address) as rpc:
                    rpc.kind = rpcs[0].kind
                    await _check(rpc, tasks, seen, of_all)

    def _connect(self, number: int) -> contextlib.AbstractAsyncContextManager[Rpc]:
        """Connect to one node, and to the others while it is unreachable."""
        return connect(self._nodes.from_node(number), spreads=False)

    async def _measure(self) -> None:
        clock = asyncio.get_running_loop().time
        before, since = 0, clock()
        while True:
            await asyncio.sleep(0.01)
            acknowledged = sum(reporter.acknowledged for reporter in self.reporters)
            if acknowledged != before:
                self.longest_gap = max(self.longest_gap, clock() - since)
                before, since = acknowledged, clock()

    async def _traffic(self, reports: int) -> None:
        before = [reporter.acknowledged for reporter in self.reporters]

        async def flowed() -> bool:
            moved = [reporter.acknowledged - b for reporter, b in zip(self.reporters, before, strict=True)]
            return all(moved) and sum(moved) >= reports

        await eventually(flowed)


async def _check(rpc: Rpc, tasks: Sequence[Task], seen: Sequence[Recording], of_all: Recording) -> None:
    """Check that each report is in the log once and in order, and that subscribers saw exactly that log."""
    for task, recording in zip(tasks, seen, strict=True):
        log = await rpc.ended(task.job_id)
        assert task.lines == [event.log_written.text for event in log if event.HasField("log_written")]
        assert list(range(1, len(log) + 1)) == [event.sequence for event in log]
        # One attempt: no worker that reconnected in time lost its lease (rule 14).
        assert [
            kinds(log).count("job_started"),
            kinds(log).count("job_ended"),
            log[-1].sequence,
        ] == [1, 1, len(log)]
        assert log == recording.events
        check(recording, History.of_log(log))
    whole = WatchJobsRequest(filter=JobFilter(kinds=[rpc.kind]), max_batch_events=1, no_follow=True)
    check(of_all, History.of_feed([frame async for frame in rpc.jobs.WatchJobs(whole)]))
