"""Identity of an attempt, even where one job after another has had the same id."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

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
    """An attempt that is decided to start at ``time``; it has started when ``durable`` resolves."""

    key: AttemptKey
    time: int
    durable: asyncio.Future[None]
