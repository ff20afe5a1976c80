"""Estimates for the live table of many jobs, whose watch has those of its snapshots only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from milepost.client import Client
from milepost.client._cli.rendering.jobs_view import LiveJobsView
from milepost.client.errors import MilepostError
from milepost.v1 import Estimate

__all__ = ["refresh_estimates"]

_INTERVAL: Final = 10.0
"""Seconds between two requests for the same jobs: the table counts down in between."""

_CHECK_INTERVAL: Final = 1.0
"""Seconds between two looks for jobs that have started."""

_JOBS_LIMIT: Final = 100
"""Jobs of a request; a table of more has the estimates of these."""


async def refresh_estimates(client: Client, view: LiveJobsView) -> None:
    """List the jobs in the picture that run, when one has started and once in a while; until it is cancelled."""
    asked: set[str] = set()
    due = 0.0
    while True:
        await asyncio.sleep(_CHECK_INTERVAL)
        running = view.running[:_JOBS_LIMIT]
        if not running or (asked.issuperset(running) and time.monotonic() < due):
            continue
        asked, due = set(running), time.monotonic() + _INTERVAL
        try:
            view.estimates = await _estimates(client, running)
        except MilepostError:
            continue  # the picture says that there is no connection


async def _estimates(client: Client, job_ids: Sequence[str]) -> dict[str, Estimate]:
    jobs = [job async for job in client.list(job_ids=job_ids, page_size=len(job_ids))]
    return {job.job_id: job.estimate for job in jobs if job.HasField("estimate")}
