"""Run the world of a seed to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import structlog

from milepost.client._worker import worker as sdk
from milepost.client._worker.job_table import JobTable
from milepost.contract.job_states import FINAL
from milepost.server.base.refusal import Refusal
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.service import session_reports
from milepost.v1 import Assignment, WorkResponse
from tests.simulation.client import SimulatedClient
from tests.simulation.entropy import Change, changed, from_seed
from tests.simulation.loop import Endless, Node, VirtualLoop
from tests.simulation.network import Channel, Network
from tests.simulation.record import Lease, Record
from tests.simulation.scenario import QUIET, Fault, Scenario, scenario
from tests.simulation.server import LEASE_TTL, DiskDelays, SimulatedServer
from tests.simulation.worker import SimulatedWorker

__all__ = ["Run", "run"]

# Time limit in seconds for all jobs to end after the last fault.
_END_TIMEOUT: Final = 300
# Limit of callbacks in a run; the longest of the first thousand seeds takes 2,700.
_CALLBACK_LIMIT: Final = 100_000


@dataclass(frozen=True)
class Run:
    """The result of a run."""

    seed: int
    scenario: Scenario
    record: Record
    complaints: Sequence[str]
    """Errors outside of the rules: unhandled exceptions, runs without an end."""


def run(seed: int, changes: Sequence[Change] = (), *, restores: bool = False) -> Run:
    """Run the world of a seed, with changes of the product that plant a bug.

    With ``restores`` an older copy of the disk is restored during the run.
    """
    loop = VirtualLoop(_CALLBACK_LIMIT)
    disk = MemoryDisk()
    world = _World(loop, seed, Record(disk, loop.time), restores)
    quiet = logging.getLogger("milepost.client")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), processors=[world.complain]
    )
    try:
        with changed(*from_seed(f"{seed}"), *world.substitutes(), *changes):
            try:
                loop.run_until_complete(world.live())
            except Endless as error:
                loop.complaints.append(str(error))
            finally:
                complaints = list(loop.complaints)
                world.unwind()
    finally:
        structlog.reset_defaults()
        quiet.setLevel(level)
        loop.close()
    return Run(seed, world.scenario, world.record, complaints)


class _World:
    """The state of a run."""

    def __init__(self, loop: VirtualLoop, seed: int, record: Record, restores: bool) -> None:
        self.scenario = scenario(Random(f"{seed}/scenario"), restores=restores)
        self._restores = restores
        self.record = record
        self._loop = loop
        self._source = Random(f"{seed}/world")
        self._network = Network(loop, f"{seed}/network", record)
        self._delays = DiskDelays(loop, Random(f"{seed}/disk"))
        self._servers: list[SimulatedServer] = []
        behaviours = {job.name: job.behaviour for job in self.scenario.jobs}
        self._workers = [
            SimulatedWorker(loop, self._network, plan, behaviours) for plan in self.scenario.workers
        ]

    def substitutes(self) -> list[Change]:
        """The changes that replace the SDK's channel, and record what it does."""
        record, network = self.record, self._network

        class WatchedJobTable(JobTable):
            def start(self, assignment: Assignment) -> None:
                super().start(assignment)
                record.loaded(assignment.job.worker_id, len(self), self._max_concurrency)

        rejection = vars(session_reports)["rejection"]

        def watched(
            job_id: str, refusal: Refusal, token: str = "", *, report_sequence: int = 0, expected: int = 0
        ) -> WorkResponse:
            if report_sequence:
                record.refused.setdefault(Lease(job_id, token), set()).add(report_sequence)
            response: WorkResponse = rejection(
                job_id, refusal, token, report_sequence=report_sequence, expected=expected
            )
            return response

        return [
            Change(session_reports, "rejection", watched),
            Change(sdk, "LazyChannel", lambda target: Channel(network, Node.current().name)),
            Change(sdk, "JobTable", WatchedJobTable),
            Change(sdk, "LoopWatchdog", nullcontext),  # it looks at real time
        ]

    def complain(self, _: Any, __: str, event: Any) -> Any:
        """Record an error that the server logs."""
        self._loop.complaints.append(f"{event['event']}: {event.get('exc_info')!r}")
        raise structlog.DropEvent

    async def live(self) -> None:
        """Run until all jobs have ended."""
        start = self._loop.time()
        await self._start_server()
        for worker in self._workers:
            worker.start()
        client = SimulatedClient(self._loop, self._network, self.record)
        asking = asyncio.create_task(client.run(self.scenario.jobs))
        faults = [
            asyncio.create_task(self._inject(start + fault.at, fault)) for fault in self.scenario.faults
        ]
        if self._restores:
            faults.append(asyncio.create_task(self._restore()))
        await asyncio.sleep(QUIET)
        self._network.lossy = False
        await asyncio.gather(*faults)
        self.record.calm = self._loop.time()
        self.record.note("-- calm")
        for _ in range(_END_TIMEOUT):
            if asking.done() and not self._open():
                asking.result()
                return
            await asyncio.sleep(1.0)
        hung = self._open() or "those who ask"
        self._loop.complaints.append(f"after {_END_TIMEOUT} s these have not come to an end: {hung}")

    def _open(self) -> list[str]:
        """The unfinished jobs."""
        records = self.record.disk.records
        return [job_id for job_id, record in records.items() if record.state not in FINAL]

    def unwind(self) -> None:
        """End everything that still runs."""
        loop = self._loop
        loop.allow(_CALLBACK_LIMIT)
        for node in loop.nodes:
            node.proceed()

        async def unwinding() -> None:
            for _ in range(20):
                tasks = asyncio.all_tasks() - {asyncio.current_task()}
                if not tasks:
                    return
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=60.0)

        loop.run_until_complete(unwinding())

    # --- Faults -----------------------------------------------------------------------------------------------------

    async def _inject(self, when: float, fault: Fault) -> None:
        """Inject a fault, and end it after its duration."""
        await asyncio.sleep(when - self._loop.time())
        worker = self._workers[fault.target]
        match fault.name:
            case "cut" | "half-open":
                self._cut(fault)
            case "pause worker":
                await self._pause_worker(worker, fault)
            case "crash worker":
                self.record.fault(fault.name, worker.node.name)
                worker.crash()
                self._cut_off(worker, worker_hears=0.0, server_hears=self._source.choice((0.01, 8.0)))
                await asyncio.sleep(fault.seconds)
                worker.start()
            case "stop worker":
                self.record.fault(fault.name, worker.node.name)
                worker.stop()
                assert worker.running is not None
                await asyncio.wait((worker.running,), timeout=30.0)
                worker.crash()
                worker.start()
            case "pause server":
                server = self._network.server
                if server is not None:
                    self.record.fault(fault.name)
                    server.node.stop()
                    await asyncio.sleep(fault.seconds / 3)
                    if server is self._network.server:
                        server.node.proceed()
            case "crash server" | "stop server":
                await self._end_server(fault, orderly=fault.name == "stop server")
            case "hold disk":
                server = self._network.server
                if server is not None:
                    self.record.fault(fault.name)
                    server.log.hold()
                    await asyncio.sleep(fault.seconds / 2)
                    server.log.release()
            case "full disk":
                self.record.fault(fault.name)
                self._delays.full_until = self._loop.time() + fault.seconds / 3
            case unknown:
                raise ValueError(unknown)

    def _cut(self, fault: Fault) -> None:
        streams = self._network.streams
        if streams:
            stream = self._source.choice(streams)
            self.record.fault(fault.name, f"#{stream.number}")
            if fault.name == "cut":
                longest = self._source.choice((0.02, 0.3, 3.0))
                stream.cut(self._source.uniform(0.0, longest), self._source.uniform(0.0, longest))
            else:
                stream.deafen(up=self._source.random() < 0.5, seconds=self._source.uniform(0.0, 8.0))

    def _cut_off(self, worker: SimulatedWorker, worker_hears: float, server_hears: float) -> None:
        for stream in [found for found in self._network.streams if found.worker == worker.node.name]:
            stream.cut(worker_hears, server_hears)

    async def _pause_worker(self, worker: SimulatedWorker, fault: Fault) -> None:
        node, seconds = worker.node, fault.seconds
        if node.is_stopped:
            return
        self.record.fault(fault.name, node.name)
        node.stop()
        await asyncio.sleep(min(seconds, 1.6 * LEASE_TTL))
        if seconds > 1.6 * LEASE_TTL:  # its pings are not answered
            self._cut_off(worker, worker_hears=0.0, server_hears=0.0)
            await asyncio.sleep(seconds - 1.6 * LEASE_TTL)
        if node is worker.node:
            node.proceed()

    async def _end_server(self, fault: Fault, *, orderly: bool) -> None:
        server = self._network.server
        if server is None:
            return
        self.record.fault(fault.name)
        if orderly:
            stopping = server.node.start(server.stop())
            await asyncio.wait((stopping,), timeout=20.0)
        if self._network.server is not server:
            return
        self._fell(server)
        await asyncio.sleep(fault.seconds)
        await self._start_server()

    def _fell(self, server: SimulatedServer) -> None:
        """Crash the server."""
        self._network.server = None
        server.crash()
        self._network.end_all(self._source)

    async def _restore(self) -> None:
        """Restore an older copy of the disk: the last seconds are lost, although acknowledged."""
        await asyncio.sleep(self._source.uniform(2.0, 15.0))
        saved = self.record.disk.snapshot()
        self.record.note("-- disk saved")
        await asyncio.sleep(self._source.uniform(0.5, 5.0))
        server = self._network.server
        if server is not None:
            self._fell(server)
            self.record.disk.restore(saved, "another epoch")
            self.record.fault("restore disk")
            await self._start_server()

    async def _start_server(self) -> None:
        node = Node(self._loop, f"server.{len(self._servers) + 1}")

        async def starting() -> SimulatedServer:
            server = SimulatedServer(self._loop, node, self.record.disk, self._delays)
            self._servers.append(server)  # and kept, since nothing of a crashed one is let go of
            server.log.add_listener(self.record.became_durable)
            await server.start()
            return server

        self._network.server = await node.start(starting())
        self.record.note(f"-- {node.name} listens")
