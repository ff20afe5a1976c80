"""A block that runs while its server is unreachable, and the transfer of its reports once that is back."""

from __future__ import annotations

import asyncio
import contextlib
import math

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._worker.job_context import JobContext, JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.report_relay import ReportRelay
from milepost.v1 import Job

__all__ = ["OfflineBlock"]


class OfflineBlock:
    """Buffers the reports of the block until there is an attempt, and relays them to it.

    Attributes:
        job: The context of the block.
    """

    def __init__(self, job: Job) -> None:
        """Bind to the running loop. `job` has the fields that are known without the server."""
        self._loop = asyncio.get_running_loop()
        self._reporter = Reporter(self._wake)
        self._relay: ReportRelay | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.job = AttachedJob(JobContext(JobControl(job, self._reporter)))

    def connect(self, context: JobContext) -> None:
        """Relay all reports, past and future, to the attempt of `context`."""
        self._relay = ReportRelay(context._control.reporter)
        self.job._assigned(context.message)
        self._relay_updates()

    def finish(self) -> None:
        """Relay the rest, including progress that waits for its tick, when the block was left; take no more."""
        self._relay_updates(math.inf)
        self._reporter.close()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            self._loop.call_soon_threadsafe(self._relay_updates)

    def _relay_updates(self, now: float | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._relay is None:
            return
        time = self._loop.time() if now is None else now
        while (batch := self._reporter.next_batch(time)) is not None:
            for update in batch.updates:
                self._relay.add(update)
            self._reporter.acknowledge(batch.first + len(batch.updates) - 1)
        if (due := self._reporter.due(time)) is not None:
            self._timer = self._loop.call_later(due, self._relay_updates)
