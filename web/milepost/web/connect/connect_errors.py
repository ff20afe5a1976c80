"""Errors of the Connect protocol: ``google.rpc.Status`` as its JSON, with the HTTP code that belongs to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from milepost.web.connect.envelopes import END_STREAM, envelope
from milepost.web.proto_json import to_json


class _Form(NamedTuple):
    """The form of a gRPC code in Connect."""

    name: str
    http_code: int


_FORMS: Final[Mapping[int, _Form]] = {
    code_pb2.CANCELLED: _Form("canceled", 499),
    code_pb2.UNKNOWN: _Form("unknown", 500),
    code_pb2.INVALID_ARGUMENT: _Form("invalid_argument", 400),
    code_pb2.DEADLINE_EXCEEDED: _Form("deadline_exceeded", 504),
    code_pb2.NOT_FOUND: _Form("not_found", 404),
    code_pb2.ALREADY_EXISTS: _Form("already_exists", 409),
    code_pb2.PERMISSION_DENIED: _Form("permission_denied", 403),
    code_pb2.RESOURCE_EXHAUSTED: _Form("resource_exhausted", 429),
    code_pb2.FAILED_PRECONDITION: _Form("failed_precondition", 400),
    code_pb2.ABORTED: _Form("aborted", 409),
    code_pb2.OUT_OF_RANGE: _Form("out_of_range", 400),
    code_pb2.UNIMPLEMENTED: _Form("unimplemented", 501),
    code_pb2.INTERNAL: _Form("internal", 500),
    code_pb2.UNAVAILABLE: _Form("unavailable", 503),
    code_pb2.DATA_LOSS: _Form("data_loss", 500),
    code_pb2.UNAUTHENTICATED: _Form("unauthenticated", 401),
}


def http_code(status: Status) -> int:
    """The HTTP code of a unary call that ends with this status."""
    return _form(status).http_code


def error_body(status: Status) -> bytes:
    """The body of a unary call that ends with this status."""
    return _compact(_error(status))


def end_of_stream(status: Status | None = None) -> bytes:
    """The last envelope of a stream; with a status one that says why the stream is not complete."""
    return envelope(_compact({} if status is None else {"error": _error(status)}), END_STREAM)


def _error(status: Status) -> dict[str, Any]:
    error: dict[str, Any] = {"code": _form(status).name, "message": status.message}
    if status.details:
        error["details"] = [_detail(detail) for detail in status.details]
    return error


def _detail(detail: AnyMessage) -> dict[str, Any]:
    """Programs read the value, in base64 without padding; people read `debug`."""
    readable = json.loads(to_json(detail))
    readable.pop("@type", None)
    return {
        "type": detail.TypeName(),
        "value": base64.b64encode(detail.value).decode().rstrip("="),
        "debug": readable,
    }


def _form(status: Status) -> _Form:
    return _FORMS.get(status.code, _FORMS[code_pb2.UNKNOWN])


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
