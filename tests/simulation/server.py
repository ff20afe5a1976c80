"""The server without gRPC: its parts, put together as ``serving.py`` does, on a log in memory."""

from __future__ import annotations

from random import Random
from typing import Final

from milepost.server.jobs.cascade import Cascade
from milepost.server.jobs.families import Families
from milepost.server.jobs.service import JobService
from milepost.server.jobs.submissions import Submissions
from milepost.server.journal import Journal
from milepost.server.log.event_log import StoreFull
from milepost.server.tasks import Tasks
from milepost.server.turns import follow_turns
from milepost.server.watching.admission import Admission
from milepost.server.watching.service import Watching
from milepost.server.working.attempts import Attempts
from milepost.server.working.deadlines import Deadlines
from milepost.server.working.dispatcher import Dispatcher
from milepost.server.working.leases import LeaseTokens
from milepost.server.working.service import WorkerService
from tests.simulation.loop import Node, VirtualClock, VirtualLoop
from tests.support.memory_disk import Disk
from tests.support.memory_log import MemoryEventLog, Pace

__all__ = ["LEASE_TTL", "DiskPace", "SimulatedServer"]

LEASE_TTL: Final = 5.0
"""In seconds."""


class DiskPace(Pace):
    """A disk that is mostly quick, now and then slow; until ``full_until`` it is slow, and there is rarely room."""

    def __init__(self, loop: VirtualLoop, source: Random) -> None:
        self.full_until = 0.0
        self._loop = loop
        self._source = source

    def writing(self) -> float:
        """See ``Pace``."""
        draw = self._source.random()
        quick = 0.2 if self._loop.time() < self.full_until else 0.005
        return draw * quick if draw < 0.95 else (draw - 0.9) * 10

    def telling(self) -> float:
        """See ``Pace``."""
        draw = self._source.random()
        return 0.0 if draw < 0.7 else draw * 0.01

    def reading(self) -> float:
        """See ``Pace``."""
        draw = self._source.random()
        return 0.0 if draw < 0.6 else draw * 0.01

    def failure(self) -> Exception | None:
        """See ``Pace``."""
        full = self._loop.time() < self.full_until and self._source.random() < 0.5
        return StoreFull("no room") if full else None


class SimulatedServer:
    """One life of the server, on a node of its own. ``jobs`` and ``workers`` are its services."""

    def __init__(self, loop: VirtualLoop, node: Node, disk: Disk, pace: DiskPace) -> None:
        """Within the node."""
        self.node = node
        self.is_draining = False
        self.log = log = MemoryEventLog(disk, pace)
        clock = VirtualClock(loop)
        self._tasks = Tasks()
        journal = Journal(log, clock)
        attempts = Attempts(journal, LeaseTokens(log.lease_secret, log.epoch))
        self._dispatcher = Dispatcher(attempts, clock, self._tasks)
        self._deadlines = Deadlines(journal, clock, self._tasks, LEASE_TTL)
        self._cascade = Cascade(log, journal, self._tasks)
        self.jobs = JobService(
            log, journal, Submissions(log, journal, clock), Watching(log, clock, Admission(1, 1), 1)
        )
        self.workers = WorkerService(attempts, self._dispatcher, self._deadlines, LEASE_TTL)
        log.follow(journal.publish)
        log.follow(Families(log, journal, self._tasks).publish)
        follow_turns(log, self._dispatcher.on_turn, self._deadlines.on_turn, self._cascade.on_turn)

    async def start(self) -> None:
        """Takes up the jobs that have not ended."""
        active = await self.log.active()
        for job in active:
            self._dispatcher.on_turn(job)
            self._deadlines.on_turn(job)
        for job in active:
            await self._cascade.recover(job)

    async def stop(self) -> None:
        """Stops in order."""
        self.is_draining = True
        self._dispatcher.close()
        await self.workers.drain()
        self._deadlines.close()
        await self._tasks.close()
        await self.log.close()

    def crash(self) -> None:
        """Nothing of it runs any more, and what is not durable is lost."""
        self.node.stop()
        self.log.cut()
