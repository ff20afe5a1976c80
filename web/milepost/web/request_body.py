"""Bodies of requests: received within bounds, and parsed as JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.rpc import code_pb2
from starlette.types import Receive

from milepost.contract import limits
from milepost.web.http_errors import service_error
from milepost.web.service import Arrived, ServiceError

BODY_SIZE: Final = 2 * limits.REQUEST_SIZE
"""Bytes of a body that are received: JSON takes more of them than the message, which has its own limit."""


class ClientGone(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, arrived: Arrived, size_limit: int = BODY_SIZE) -> bytes:
    """Receive the body of a request. Raises ServiceError TOO_LARGE beyond ``size_limit`` bytes; ClientGone."""
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
    """The body is longer than what the server receives."""
    return service_error(
        code_pb2.INVALID_ARGUMENT,
        f"The body is longer than {size_limit:,} bytes. At most so many are accepted.",
        reason="TOO_LARGE",
        metadata={"limit": str(size_limit)},
    )


def parse_json(body: bytes, request: Message, *, ignore_unknown_fields: bool = False) -> None:
    """Merge a body of JSON into the request; an empty one leaves it as it is. Raises ServiceError INVALID_FIELD."""
    if not body.strip():
        return
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed(f"The body is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise malformed("The body is not a JSON object.")
    try:
        ParseDict(values, request, ignore_unknown_fields=ignore_unknown_fields)
    except (ParseError, RecursionError) as error:
        raise malformed(f"The body is not a {request.DESCRIPTOR.name}: {error}.") from error


def malformed(message: str) -> ServiceError:
    """The body is not what the call takes."""
    return service_error(code_pb2.INVALID_ARGUMENT, message, reason="INVALID_FIELD")
