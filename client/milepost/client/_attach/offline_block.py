"""A block that goes on without its server, and what becomes of its reports once that is back."""

from __future__ import annotations

import asyncio
import contextlib
import math

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.report_relay import Relay
from milepost.v1 import Job

__all__ = ["Alone"]


class Alone:
    """Buffers what the block reports, and passes it on from the moment when there is an attempt to report it to.

    Attributes:
        job: What the block gets.
    """

    def __init__(self, job: Job) -> None:
        """For the running loop. `job` is what is known of it."""
        self._loop = asyncio.get_running_loop()
        self._reporter = Reporter(self._wake)
        self._relay: Relay | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.job = AttachedJob(JobContext(job, self._reporter))

    def connect(self, context: JobContext) -> None:
        """There is an attempt: all that was reported so far is passed on, and what comes later."""
        self._relay = Relay(context._reporter)
        self.job.assigned(context.message)
        self._pass_on()

    def finish(self) -> None:
        """The block was left: passes on the rest, with the progress that waits for its tick."""
        self._pass_on(math.inf)

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be gone by now
            self._loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self, now: float | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._relay is None:
            return
        time = self._loop.time() if now is None else now
        while (batch := self._reporter.take(time)) is not None:
            for update in batch.updates:
                self._relay.add(update)
            self._reporter.acknowledge(batch.first + len(batch.updates) - 1)
        if (due := self._reporter.due(time)) is not None:
            self._timer = self._loop.call_later(due, self._pass_on)
