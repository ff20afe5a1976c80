"""Pages of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from milepost.contract import limits
from milepost.server.access.narrowing import Narrowed
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.log.event_log import EventLog, Query
from milepost.server.messages.job_encoding import field
from milepost.server.scheduling.callers import SERVER
from milepost.server.service import paging
from milepost.server.service.validation import OLDEST_FIRST
from milepost.v1 import Job, JobWaiting, ListJobsRequest, ListJobsResponse, Waiting

# A page of large jobs is short, so that it stays below gRPC's default limit of a message.
_PAGE_BYTES = 2 * limits.MIB

# Bytes of jobs that are encoded in one pass of the event loop.
_ENCODED_BYTES = 256 * limits.KIB

# Jobs that are estimated, or whose place in the queue is counted, in one pass: each takes some 50 µs.
_ESTIMATES = 10


async def page(
    log: EventLog,
    request: ListJobsRequest,
    narrowed: Narrowed,
    caller: str = SERVER,
    estimates: JobEstimates | None = None,
    waiting_of: Callable[[Job], Waiting | None] = lambda _: None,
) -> bytes:
    """Read one page of the jobs that exist for a principal, and encode the response. The request has been validated.

    ``waiting_of`` returns what a job waits for, None if it is not QUEUED.
    """
    wanted = request.filter
    query = Query(
        owners=None if narrowed.owners is None else sorted(narrowed.owners),
        kinds=list(wanted.kinds),
        labels=dict(wanted.labels),
        parent_job_id=narrowed.parent_job_id,
        with_parent=narrowed.with_parent,
        job_ids=list(wanted.job_ids),
        states=list(wanted.states),
        newest_first=request.order_by != OLDEST_FIRST,
        after=paging.after_job(request),
        limit=paging.page_size(request.page_size),
        max_bytes=_PAGE_BYTES,
    )
    found = await log.query(query, caller=caller)
    response = ListJobsResponse()
    if found.more:
        response.next_page_token = paging.jobs_token(request, found.jobs[-1][0])
    jobs: list[bytes] = []
    encoded = estimated = 0
    for _, job in found.jobs:
        if (waiting := waiting_of(job)) is not None:
            response.waiting.append(JobWaiting(job_id=job.job_id, waiting=waiting))
            estimated += 1
        if not request.waiting_only:
            if estimates is not None and await estimates.add_to(job, caller):
                estimated += 1
            jobs.append(field(response, "jobs", job.SerializeToString()))
            encoded += len(jobs[-1])
        if encoded > _ENCODED_BYTES or estimated >= _ESTIMATES:  # others go first between two large jobs
            encoded = estimated = 0
            await asyncio.sleep(0)
    return b"".join((*jobs, response.SerializeToString()))
