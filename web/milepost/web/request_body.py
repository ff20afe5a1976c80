"""Bodies of requests, received within bounds."""

from __future__ import annotations

import asyncio
from typing import Final

from google.rpc import code_pb2
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from milepost.contract import limits
from milepost.web.http_errors import service_error
from milepost.web.service import Arrived, ServiceError

BODY_SIZE: Final = 2 * limits.REQUEST_SIZE
"""Bytes of a body that are received: JSON takes more of them than the message, which has its own limit."""

BODY_TIMEOUT: Final = 60.0
"""Seconds in which the body of a request has to arrive."""

# Digits of a length; Python refuses to read numbers of thousands of them.
_DIGITS: Final = 19


class ClientGone(Exception):
    """The client went away before its request was complete."""


async def read_body(scope: Scope, receive: Receive, arrived: Arrived, size_limit: int = BODY_SIZE) -> bytes:
    """Receive the body of a request.

    Raises ServiceError: TOO_LARGE beyond ``size_limit`` bytes, LIMIT_REACHED if it does not arrive in time. ClientGone.
    """
    headers = Headers(scope=scope)
    declared = headers.get("content-length", "")
    # Who does not ask reads no response before it has sent the body.
    if "expect" in headers and declared.isdecimal() and int(declared[:_DIGITS]) > size_limit:
        raise too_large(size_limit)
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _read_all(receive, arrived, size_limit)
    except TimeoutError:
        raise service_error(
            code_pb2.RESOURCE_EXHAUSTED,
            f"The body did not arrive within {BODY_TIMEOUT:g} s. Send it again, or smaller.",
            reason="LIMIT_REACHED",
            metadata={"limit": "arrival"},
            retry_delay=5.0,
        ) from None


async def _read_all(receive: Receive, arrived: Arrived, size_limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > size_limit:
            raise too_large(size_limit)
        if chunk:
            arrived(len(chunk))
            chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def too_large(size_limit: int) -> ServiceError:
    """The error for a body beyond the size limit."""
    return service_error(
        code_pb2.INVALID_ARGUMENT,
        f"The body is longer than {size_limit:,} bytes. At most so many are accepted.",
        reason="TOO_LARGE",
        metadata={"limit": str(size_limit)},
    )


def malformed(message: str) -> ServiceError:
    """The error for a malformed body."""
    return service_error(code_pb2.INVALID_ARGUMENT, message, reason="INVALID_FIELD")
