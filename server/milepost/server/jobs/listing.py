"""Pages of jobs, and the tokens that lead from one to the next (https://google.aip.dev/158)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from milepost.contract import limits
from milepost.server.checks import Check
from milepost.server.edge.requests import OLDEST_FIRST
from milepost.server.log.event_log import EventLog, Query
from milepost.v1 import ListJobsRequest, ListJobsResponse

# Longer than any that is given out. What is deeply nested, and takes the parser a deep stack, is longer too.
_TOKEN_MOST = 100

# A page of large jobs is short, so that it stays below what gRPC takes in one message unless it is told otherwise.
_PAGE_BYTES = 2 * limits.MIB


async def page(log: EventLog, request: ListJobsRequest) -> ListJobsResponse:
    """The page that is asked for. The request has been checked, but for its token. Raises INVALID_FIELD."""
    size = min(request.page_size or limits.PAGE_SIZE, limits.PAGE_SIZE_MOST)
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
        limit=size,
        most_bytes=_PAGE_BYTES,
    )
    found = await log.query(query)
    response = ListJobsResponse(jobs=[job for _, job in found.jobs])
    if found.more:
        response.next_page_token = _token(request, found.jobs[-1][0])
    return response


def _token(request: ListJobsRequest, after: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([_digest(request), after]).encode()).decode().rstrip("=")


def after(request: ListJobsRequest) -> int | None:
    """Where the page before ended. A token is good for the filter and order that it was made for only."""
    token = request.page_token
    if not token:
        return None
    check = Check()
    try:
        if len(token) > _TOKEN_MOST:
            raise ValueError(token)
        digest, key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, TypeError):
        digest, key = None, None
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key < 2**63:
        check.wrong("page_token", "is not a next_page_token of this service")
    elif digest != _digest(request):
        check.wrong("page_token", "is of a request with another filter or order; start again without a token")
    check.refuse()
    return key if isinstance(key, int) else None


def _digest(request: ListJobsRequest) -> str:
    asked = ListJobsRequest(filter=request.filter, order_by=request.order_by)
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()[:16]
