"""Dropping what has been kept long enough, in the background and in small steps.

Of a job that has ended first the progress goes that was overtaken anyway, then its events, then the job. A job with a
limit on how many events are kept loses its oldest ones even while it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from milepost.server.log.event_log import Conflict, DurableCommit, EndedJob, Entry, EventLog, StoreUnavailable
from milepost.server.rpc.store_errors import STORE_ERRORS
from milepost.server.runtime.clock import Clock
from milepost.server.runtime.timestamps import SECOND, nanoseconds
from milepost.v1 import Retention as RetentionMessage

_log = structlog.get_logger("milepost.retention")

# Jobs that are looked at in one step, and how long it then rests, in seconds, so that writes of others get their turn.
_STEP = 100
_REST = 0.05


@dataclass(frozen=True)
class RetentionPolicy:
    """How long what is kept after a job's end, in seconds; None for as long as the store lasts.

    ``progress`` is for progress that a later one overtook; ``max_events`` is per job, 0 for no limit.
    """

    progress: float | None = None
    events: float | None = None
    jobs: float | None = None
    max_events: int = 0


class Retention:
    """Sweeps over the ended jobs every ``interval`` seconds, and follows the log for those that grow too long."""

    def __init__(self, log: EventLog, clock: Clock, keep: RetentionPolicy, interval: float) -> None:
        self._log = log
        self._clock = clock
        self._keep = keep
        self._interval = interval
        self._too_long: dict[str, int] = {}
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
            except STORE_ERRORS as error:  # it may have room, or be there, the next time
                _log.warning("sweep broken off", error=str(error))
            try:
                async with asyncio.timeout(self._interval):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    def publish(self, entries: Sequence[Entry]) -> None:
        """Takes in what has become durable: finds logs that have grown by a quarter of what is kept of them."""
        for entry in entries:
            if not isinstance(entry, DurableCommit):
                continue
            commit = entry.commit
            most = commit.attributes.max_events or self._keep.max_events
            if most and commit.chunk.last > most:
                step = max(most // 4, 1)
                if commit.chunk.last // step != (commit.chunk.first - 1) // step:
                    self._too_long[commit.job_id] = commit.chunk.last - most + 1
                    self._woken.set()

    async def sweep(self) -> None:
        """One round: the logs that are too long, then all jobs that have ended, those that ended first coming first."""
        for job_id in list(self._too_long):
            self._check_up()
            first_sequence = self._too_long[job_id]
            with contextlib.suppress(Conflict):  # it was deleted meanwhile
                await self._log.trim(job_id, first_sequence)
            if self._too_long[job_id] == first_sequence:
                del self._too_long[job_id]
        after = (0, 0)
        while True:
            ended = await self._log.ended(after, _STEP)
            for job in ended:
                self._check_up()
                with contextlib.suppress(Conflict):
                    await self._drop(job)
            if len(ended) < _STEP:
                return
            after = (ended[-1].end_time, ended[-1].key)
            await asyncio.sleep(_REST)

    def _check_up(self) -> None:
        """Nothing is dropped by what the log was before its store went away."""
        if not self._log.up:
            raise StoreUnavailable("the store is away")

    async def _drop(self, ended: EndedJob) -> None:
        """What is due of one job."""
        job, keep = ended.job, self._keep
        age = (self._clock.now() - ended.end_time) / SECOND
        if _is_over(age, _own(job.retention, "keep_job", keep.jobs)):
            await self._log.delete(job.job_id)
        elif _is_over(age, _own(job.retention, "keep_events", keep.events)):
            if ended.first_sequence <= job.last_sequence:
                await self._log.trim(job.job_id, job.last_sequence + 1)
        elif _is_over(age, keep.progress) and ended.thinned_sequence < job.last_sequence:
            await self._log.thin(job.job_id)


def _own(
    retention: RetentionMessage, field: Literal["keep_events", "keep_job"], default: float | None
) -> float | None:
    """What the job itself says, in seconds, or else what holds for all."""
    return nanoseconds(getattr(retention, field)) / SECOND if retention.HasField(field) else default


def _is_over(age: float, kept: float | None) -> bool:
    return kept is not None and age >= kept
