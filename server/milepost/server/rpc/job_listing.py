"""Pages of jobs."""

from __future__ import annotations

from milepost.contract import limits
from milepost.server.log.event_log import EventLog, Query
from milepost.server.rpc import paging
from milepost.server.rpc.validation import OLDEST_FIRST
from milepost.v1 import ListJobsRequest, ListJobsResponse

# A page of large jobs is short, so that it stays below what gRPC takes in one message unless it is told otherwise.
_PAGE_BYTES = 2 * limits.MIB


async def page(log: EventLog, request: ListJobsRequest) -> ListJobsResponse:
    """The page that is asked for. The request has been checked, but for its token. Raises INVALID_FIELD."""
    wanted = request.filter
    query = Query(
        owner=wanted.owner,
        kinds=list(wanted.kinds),
        labels=dict(wanted.labels),
        parent_job_id=wanted.parent_job_id,
        job_ids=list(wanted.job_ids),
        states=list(wanted.states),
        newest_first=request.order_by != OLDEST_FIRST,
        after=after(request),
        limit=paging.page_size(request.page_size),
        max_bytes=_PAGE_BYTES,
    )
    found = await log.query(query)
    response = ListJobsResponse(jobs=[job for _, job in found.jobs])
    if found.more:
        response.next_page_token = paging.token(_asked(request), found.jobs[-1][0])
    return response


def after(request: ListJobsRequest) -> int | None:
    """Where the page before ended. Raises INVALID_FIELD."""
    return paging.after(request.page_token, _asked(request), _key)


def _asked(request: ListJobsRequest) -> ListJobsRequest:
    """What a token is good for."""
    return ListJobsRequest(filter=request.filter, order_by=request.order_by)


def _key(found: object) -> int | None:
    return found if type(found) is int and 0 <= found < 2**63 else None
