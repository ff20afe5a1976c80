"""A worker process: the SDK's worker, with handlers that behave as the scenario says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from milepost.client import JobFailure
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.worker import Worker
from tests.simulation.loop import Node, VirtualLoop
from tests.simulation.network import Network
from tests.simulation.scenario import Behaviour, WorkerPlan

__all__ = ["SimulatedWorker"]

# Drain timeout of a stopped worker, in seconds.
_DRAIN = 2.0


class SimulatedWorker:
    """The processes of a worker, one after the other, each on its own node; ``behaviours`` are by name of job."""

    def __init__(
        self, loop: VirtualLoop, network: Network, plan: WorkerPlan, behaviours: Mapping[str, Behaviour]
    ) -> None:
        self._loop = loop
        self._network = network
        self._plan = plan
        self._behaviours = behaviours
        self._lives = 0
        self._worker: Worker | None = None
        self.node = Node(loop, plan.name)
        self.running: asyncio.Task[Any] | None = None
        """Run the process; return when it has ended by itself."""

    def start(self) -> None:
        """Start the process again."""
        self._lives += 1
        self.node = Node(self._loop, f"{self._plan.name}.{self._lives}")
        self.running = self.node.start(self._run())

    def crash(self) -> None:
        """Kill the process."""
        self.node.stop()

    def stop(self) -> None:
        """Stop the worker, as SIGTERM does."""
        if self._worker is not None:
            self._worker.stop()

    async def _run(self) -> None:
        worker = self._worker = Worker(
            "server:1",
            worker_id=self.node.name,
            max_concurrency=self._plan.max_concurrency,
            drain_timeout=_DRAIN,
            timeout=4.0,
        )
        for kind in self._plan.kinds:
            worker.job(kind)(partial(_handle, self._behaviours))
        await worker.run()


async def _handle(behaviours: Mapping[str, Behaviour], job: JobContext) -> dict[str, Any] | None:
    """Act as planned for the job, and then, if it must stop, as planned for that."""
    behaviour = behaviours[job.labels["name"]]
    try:
        return await _work(behaviour, job)
    except asyncio.CancelledError:
        job.log(_line(job, "stopping"))
        if behaviour.stubborn:
            await asyncio.sleep(behaviour.stubborn)
            job.log(_line(job, "stopped"))
        if behaviour.completes:
            return {"completed": True}
        raise


async def _work(behaviour: Behaviour, job: JobContext) -> dict[str, Any] | None:
    for step in range(behaviour.steps):
        job.log(_line(job, f"{step}"))
        with job.stage(f"s{step}", total=10) as stage:
            for _ in range(2):
                await asyncio.sleep(behaviour.pace)
                stage.advance(5)
        job.emit("step", {"job": job.id, "attempt": job.attempt, "step": step})
    if job.attempt <= behaviour.failing_attempts:
        raise JobFailure("FLAKY", "not this time", retryable=True)
    if behaviour.ending == "fail":
        raise JobFailure("BROKEN", "never")
    if behaviour.ending == "hang":
        await asyncio.sleep(100_000.0)
    return {"steps": behaviour.steps}


def _line(job: JobContext, text: str) -> str:
    """A text that is unique in the world."""
    return f"{job.id}/{job.attempt} {text}"
