"""All that serves watches, put together."""

from __future__ import annotations

from collections.abc import Sequence

from milepost.server.dispatch.wait_reasons import WaitReasons
from milepost.server.log.event_log import Entry, EventLog
from milepost.server.runtime.clock import Clock
from milepost.server.watching.admission import Admission
from milepost.server.watching.feeds import Feeds
from milepost.server.watching.job_watcher import JobWatcher
from milepost.server.watching.jobs_watcher import JobsWatcher
from milepost.server.watching.memory_budget import MemoryBudget
from milepost.server.watching.queued_jobs import QueuedJobs
from milepost.server.watching.tails import Replays, Tails
from milepost.server.watching.watch_stream import Send
from milepost.v1 import WatchJobRequest, WatchJobsRequest


class Watches:
    """Serves WatchJob and WatchJobs. ``memory`` is what it keeps of logs at the most, in bytes."""

    def __init__(
        self, log: EventLog, clock: Clock, admission: Admission, memory: int, waits: WaitReasons
    ) -> None:
        bounded = MemoryBudget(memory)
        self._admission = admission
        self._tails = Tails(bounded)
        self._queued = QueuedJobs(waits)
        self._replays = Replays(log, bounded)
        self._feeds = Feeds(log, bounded)
        self._job = JobWatcher(log, self._tails, self._replays, self._queued, clock)
        self._jobs = JobsWatcher(log, self._feeds, clock)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Takes in what has become durable."""
        self._replays.publish(entries)
        self._tails.publish(entries)
        self._feeds.publish(entries)

    def workers_changed(self) -> None:
        """Tells those who watch queued jobs where these wait for something else now."""
        self._queued.refresh()

    async def watch_job(self, request: WatchJobRequest, peer: str, send: Send) -> None:
        """Follows one job for the peer; raises LIMIT_REACHED, and what ``JobWatcher.watch`` does."""
        with self._admission.admit(peer):
            await self._job.watch(request, send)

    async def watch_jobs(self, request: WatchJobsRequest, peer: str, send: Send) -> None:
        """Follows many jobs for the peer; raises LIMIT_REACHED, and what ``JobsWatcher.watch`` does."""
        with self._admission.admit(peer):
            await self._jobs.watch(request, send)

    def close(self) -> None:
        """Ends all watches with DRAINING."""
        self._tails.close()
        self._feeds.close()
