"""Statuses of calls as HTTP responses: the code, the headers, and the JSON of https://google.aip.dev/193."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from milepost.contract.reasons import DOMAIN
from milepost.contract.sentence import sentence
from milepost.web.proto_json import json_body, to_json
from milepost.web.service import ServiceError

REALM: Final = 'Bearer realm="milepost"'

_HTTP_CODES: Final[Mapping[int, int]] = {
    code_pb2.CANCELLED: 499,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.UNAUTHENTICATED: 401,
}
"""As the comments of google/rpc/code.proto have it; all others are 500."""

_TOO_LARGE: Final = "TOO_LARGE"

# Names and values come from the request.
_TEXT_LENGTH: Final = 300


def code_name(code: int) -> str:
    """The name of a status code, such as ``"NOT_FOUND"``; UNKNOWN for one that there is not."""
    return code_pb2.Code.Name(code) if code in code_pb2.Code.values() else "UNKNOWN"


def http_code(error: ServiceError) -> int:
    """The HTTP code of an error."""
    return 413 if error.reason == _TOO_LARGE else _HTTP_CODES.get(error.status.code, 500)


def error_json(error: ServiceError) -> str:
    """The error as JSON: ``{"error": {"code": 404, "message": …, "status": "NOT_FOUND", "details": […]}}``."""
    status = Status(code=http_code(error), message=error.status.message, details=error.status.details)
    text = to_json(status)
    return f'{{"error":{text[:-1]},"status":"{code_name(error.status.code)}"}}}}'


def error_headers(error: ServiceError) -> dict[str, str]:
    """The headers that go with an error."""
    headers = {"cache-control": "no-store"}
    if error.status.code == code_pb2.UNAUTHENTICATED:
        headers["www-authenticate"] = REALM
    if error.retry_delay is not None:
        headers["retry-after"] = str(math.ceil(error.retry_delay))
    return headers


def error_response(error: ServiceError) -> Response:
    """The response of a call that ended with an error."""
    return Response(json_body(error_json(error)), http_code(error), error_headers(error), "application/json")


def service_error(
    code: int,
    message: str,
    *,
    reason: str = "",
    metadata: Mapping[str, str] = MappingProxyType({}),
    fields: tuple[tuple[str, str], ...] = (),
    retry_delay: float | None = None,
) -> ServiceError:
    """An error from before the call is made; ``fields`` are names of fields and what is wrong with each."""
    details: list[Message] = []
    if reason:
        details.append(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=dict(metadata)))
    if fields:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
            for field, description in fields
        ]
        details.append(error_details_pb2.BadRequest(field_violations=violations))
    if retry_delay is not None:
        delay = Duration()
        delay.FromTimedelta(timedelta(seconds=retry_delay))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = Status(code=code, message=message)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return ServiceError(status)


def invalid_field(field: str, problem: str) -> ServiceError:
    """A field of the request has a value that it cannot have; ``problem`` continues "FIELD …", without a full stop."""
    field, problem = _shown(field), _shown(problem)
    return service_error(
        code_pb2.INVALID_ARGUMENT,
        sentence(f"{field} {problem}"),
        reason="INVALID_FIELD",
        metadata={"field": field},
        fields=((field, problem),),
    )


def _shown(text: str) -> str:
    """A text of the request, shortened, and with an escape for half of a character, which JSON can have."""
    short = text if len(text) <= _TEXT_LENGTH else f"{text[:_TEXT_LENGTH]}…"
    return short.encode(errors="backslashreplace").decode()
