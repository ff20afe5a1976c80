"""Delete expired data, in the background and in small steps.

Of a job that has ended, superseded progress expires first, then its events, then the job. A job with a limit on the
number of its events loses the oldest ones even while it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import structlog

from milepost.server.base.clock import CautiousClock, Clock
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.journal import Journal
from milepost.server.log.event_log import DurableCommit, EndedJob, Entry, EventLog
from milepost.server.log.log_errors import StoreDisplaced, StoreError, StoreFull, StoreUnavailable
from milepost.server.messages.timestamps import SECOND, instant, nanoseconds
from milepost.v1 import Job
from milepost.v1 import Retention as RetentionMessage

_logger = structlog.get_logger("milepost.retention")

# Ended jobs that a sweep checks at once, and the pause in seconds after them, so that other writes are not held up.
_PAGE_SIZE = 100
_PAUSE = 0.05


@dataclass(frozen=True)
class RetentionPolicy:
    """Retention times after a job's end, in seconds; None for no limit.

    ``progress`` is that of superseded progress; ``max_events`` is per job, 0 for no limit.
    """

    progress: float | None = None
    events: float | None = None
    jobs: float | None = None
    max_events: int = 0


class _Trim(NamedTuple):
    """A trim that is due: of the job that was submitted then, up to an event."""

    submitted: int
    first_sequence: int


class Retention:
    """Sweep over the ended jobs every ``interval`` seconds, and follow the log for jobs with too many events."""

    def __init__(
        self, log: EventLog, journal: Journal, clock: Clock, policy: RetentionPolicy, interval: float
    ) -> None:
        self._log = log
        self._journal = journal
        # A clock that is set forward must not delete what is to be kept.
        self._clock = CautiousClock(clock)
        self._policy = policy
        self._interval = interval
        self._trims: dict[str, _Trim] = {}
        self._woken = asyncio.Event()
        self._failures = FaultLog(_logger, "job not cleaned up", logging.ERROR)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except StoreDisplaced:  # the store fails for the whole server, which says so once
                raise
            except StoreError as error:  # the next sweep tries again
                _logger.warning("retention sweep aborted", error=str(error))
            except Exception:  # as that one does after any other error
                _logger.exception("retention sweep failed")
            try:
                async with asyncio.timeout(self._interval):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Schedule a trim whenever a job exceeds its limit by another quarter of it."""
        for entry in entries:
            if not isinstance(entry, DurableCommit):
                continue
            commit = entry.commit
            limit = commit.attributes.max_events or self._policy.max_events
            if limit and commit.chunk.last > limit:
                step = max(limit // 4, 1)
                if commit.chunk.last // step != (commit.chunk.first - 1) // step:
                    submitted = instant(Job.FromString(commit.job).submit_time)
                    self._trims[commit.job_id] = _Trim(submitted, commit.chunk.last - limit + 1)
                    self._woken.set()

    async def sweep(self) -> None:
        """Trim the jobs with too many events, then expire data of all ended jobs, in the order of their ends."""
        for job_id in list(self._trims):
            trim = self._trims[job_id]
            work = partial(self._journal.trim, job_id, trim.submitted, trim.first_sequence)
            if await self._clean_up(job_id, work) and self._trims[job_id] == trim:
                del self._trims[job_id]
        after = (0, 0)
        while True:
            ended = await self._log.ended(after, _PAGE_SIZE)
            for job in ended:
                await self._clean_up(job.job_id, partial(self._expire, job))
            if len(ended) < _PAGE_SIZE:
                return
            after = (ended[-1].end_time, ended[-1].key)
            await asyncio.sleep(_PAUSE)

    async def _clean_up(self, job_id: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do the work on one job; return whether that succeeded. A job that fails must not hold up those behind it.

        An error while the store is away, full or displaced ends the sweep: it would meet all jobs.
        """
        self._check_store_up()
        try:
            await work()
        except Refusal:  # the job was deleted
            return True
        except (StoreDisplaced, StoreFull):
            raise
        except Exception as error:  # such as of a damaged row
            if not self._log.up:
                raise
            self._failures.note(job_id, job_id=job_id, exc_info=error)
            return False
        return True

    def _check_store_up(self) -> None:
        """Delete nothing by an outdated view of the log: raise StoreUnavailable while the store is away."""
        if not self._log.up:
            raise StoreUnavailable("the store is away")

    async def _expire(self, ended: EndedJob) -> None:
        """Delete what has expired of one job."""
        job, policy = ended.job, self._policy
        if job is None:
            raise ValueError("the job's row is damaged")
        age = (self._clock.now() - ended.end_time) / SECOND
        if _is_expired(age, _retention_time(job.retention, "keep_job", policy.jobs)):
            await self._journal.delete(job)
        elif _is_expired(age, _retention_time(job.retention, "keep_events", policy.events)):
            if ended.first_sequence <= job.last_sequence:
                await self._journal.trim(job.job_id, instant(job.submit_time), job.last_sequence + 1)
        elif _is_expired(age, policy.progress) and ended.thinned_sequence < job.last_sequence:
            await self._journal.thin(job)


def _retention_time(
    retention: RetentionMessage, field: Literal["keep_events", "keep_job"], default: float | None
) -> float | None:
    """The job's own retention time in seconds, else the default."""
    return nanoseconds(getattr(retention, field)) / SECOND if retention.HasField(field) else default


def _is_expired(age: float, retention_time: float | None) -> bool:
    return retention_time is not None and age >= retention_time
