"""The server without gRPC, on a log in memory."""

from __future__ import annotations

from random import Random
from typing import Final

from milepost.server.followers.retention import RetentionPolicy
from milepost.server.log.log_errors import StoreFull
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import Delays, MemoryEventLog
from milepost.server.runtime.core import Core
from milepost.server.watching.watch_admission import WatchAdmission
from tests.simulation.loop import Node, VirtualClock, VirtualLoop

__all__ = ["LEASE_TTL", "DiskDelays", "SimulatedServer"]

LEASE_TTL: Final = 5.0
"""In seconds."""


class DiskDelays(Delays):
    """A disk that is mostly fast and sometimes slow; until ``full_until`` it is slow and mostly full."""

    def __init__(self, loop: VirtualLoop, source: Random) -> None:
        self.full_until = 0.0
        self._loop = loop
        self._source = source

    def commit(self) -> float:
        """See ``Delays``."""
        draw = self._source.random()
        quick = 0.2 if self._loop.time() < self.full_until else 0.005
        return draw * quick if draw < 0.95 else (draw - 0.9) * 10

    def notify(self) -> float:
        """See ``Delays``."""
        draw = self._source.random()
        return 0.0 if draw < 0.7 else draw * 0.01

    def read(self) -> float:
        """See ``Delays``."""
        draw = self._source.random()
        return 0.0 if draw < 0.6 else draw * 0.01

    def failure(self) -> Exception | None:
        """See ``Delays``."""
        full = self._loop.time() < self.full_until and self._source.random() < 0.5
        return StoreFull("no room") if full else None


class SimulatedServer:
    """One process of the server, on its own node. ``jobs`` and ``workers`` are its services."""

    def __init__(self, loop: VirtualLoop, node: Node, disk: MemoryDisk, delays: DiskDelays) -> None:
        """Create the parts, on the node."""
        self.node = node
        self.is_draining = False
        self.log = MemoryEventLog(disk, delays)
        self._core = Core(
            self.log,
            lease_ttl=LEASE_TTL,
            keep=RetentionPolicy(),
            sweep_interval=60.0,
            tail_memory=1 << 20,
            admission=WatchAdmission(100, 100),
            clock=VirtualClock(loop),
        )
        self.jobs, self.workers = self._core.job_service, self._core.worker_service

    async def start(self) -> None:
        """Start the server, and resume unfinished jobs."""
        await self.log.start()
        await self._core.start()

    async def stop(self) -> None:
        """Stop gracefully."""
        self.is_draining = True
        await self._core.drain()
        await self._core.close()
        await self.log.close()

    def crash(self) -> None:
        """Crash: nothing of it runs any more, and non-durable data is lost."""
        self.node.stop()
        self.log.crash()
