"""Identity of an attempt, even where one job after another has had the same id."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from milepost.contract.job_states import has_ended
from milepost.server.messages.timestamps import instant
from milepost.v1 import Job


class AttemptKey(NamedTuple):
    """An attempt's number, and the time of its job's submission in nanoseconds since 1970."""

    attempt: int
    submitted: int

    @classmethod
    def of(cls, job: Job) -> AttemptKey:
        """The current or last attempt at the job."""
        return cls(job.attempt, instant(job.submit_time))


class StartedAttempt(NamedTuple):
    """An attempt that is decided to start; it has started when ``durable`` resolves.

    ``time`` is that of the start; 0 where it is not from the clock, but from the job's last event, which the clock is
    behind: further starts may have the same time then.
    """

    key: AttemptKey
    time: int
    worker_id: str
    instance: str
    durable: asyncio.Future[None]

    def is_of(self, job: Job) -> bool:
        """Whether this is the job's current or last attempt; False where it can be taken for another node's."""
        return (
            self.time != 0
            and self.time == instant(job.start_time)
            and self.key == AttemptKey.of(job)
            and (self.worker_id, self.instance) == (job.worker_id, job.worker_instance)
        )

    def is_too_late(self, job: Job) -> bool:
        """Whether the log cannot get this start any more, after another transition of the job."""
        key = AttemptKey.of(job)
        return has_ended(job) or key.submitted != self.key.submitted or key.attempt >= self.key.attempt
