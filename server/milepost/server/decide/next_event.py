"""The fields that all events of a job have."""

from __future__ import annotations

from milepost.server.messages.timestamps import timestamp
from milepost.v1 import Event, Job


def next_event(job: Job, now: int, *, offset: int = 1) -> Event:
    """The event after the job's last one, without a payload. ``offset`` is its place among several."""
    return Event(
        job_id=job.job_id, sequence=job.last_sequence + offset, time=timestamp(now), attempt=job.attempt
    )
