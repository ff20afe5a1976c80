"""Page tokens of ListJobs and ListWorkers (https://google.aip.dev/158).

A token holds the key of the last item of a page, and a digest of the request that it is valid for: same filter, same
order; the page size may differ.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Final

from google.protobuf.message import Message

from milepost.contract import limits
from milepost.v1 import ListJobsRequest, ListWorkersRequest

# Longer than any token of this server. The bound also keeps forged JSON from nesting deeply.
_TOKEN_LENGTH: Final = 1000


class InvalidPageToken(Exception):
    """The token was not made by this service, or belongs to another request; the message says which."""


def page_size(requested: int) -> int:
    """The maximum number of items on a page, for a requested size of 0 or more."""
    return min(requested or limits.PAGE_SIZE, limits.PAGE_SIZE_MAX)


def after_job(request: ListJobsRequest) -> int | None:
    """The key of the last job of the page before; None without a token. Raises InvalidPageToken."""
    if not request.page_token:
        return None
    match _decode(request.page_token, _jobs_scope(request)):
        # A boolean is an int, too.
        case int(key) if type(key) is int and 0 <= key < 2**63:
            return key
    raise _invalid()


def after_worker(request: ListWorkersRequest) -> tuple[str, str] | None:
    """The worker and session ids at the end of the page before; None without a token. Raises InvalidPageToken."""
    if not request.page_token:
        return None
    match _decode(request.page_token, _workers_scope(request)):
        case [str(worker_id), str(session_id)]:
            return worker_id, session_id
    raise _invalid()


def jobs_token(request: ListJobsRequest, key: int) -> str:
    """The token for the page after the job with this key."""
    return _encode(_jobs_scope(request), key)


def workers_token(request: ListWorkersRequest, worker_id: str, session_id: str) -> str:
    """The token for the page after this worker."""
    return _encode(_workers_scope(request), [worker_id, session_id])


def _jobs_scope(request: ListJobsRequest) -> Message:
    return ListJobsRequest(filter=request.filter, order_by=request.order_by)


def _workers_scope(request: ListWorkersRequest) -> Message:
    return ListWorkersRequest(kind=request.kind)


def _encode(scope: Message, key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([_digest(scope), key]).encode()).decode().rstrip("=")


def _decode(token: str, scope: Message) -> object:
    """The key in the token, which may be forged."""
    if len(token) > _TOKEN_LENGTH:
        raise _invalid()
    try:
        digest, key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _invalid() from None
    if digest != _digest(scope):
        raise InvalidPageToken("is of a request with another filter or order; start again without a token")
    return key


def _invalid() -> InvalidPageToken:
    return InvalidPageToken("is not a next_page_token of this service")


def _digest(scope: Message) -> str:
    return hashlib.sha256(scope.SerializeToString(deterministic=True)).hexdigest()[:16]
