"""Map statuses of gRPC calls, and rejections within a session, to errors of the SDK."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from milepost.client import errors
from milepost.client._transport.fork_safety import grpc
from milepost.contract.job_states import state_name
from milepost.contract.limits import MIB, REQUEST_SIZE
from milepost.contract.reasons import DOMAIN, reason_from_name, reason_name
from milepost.contract.status_codes import STATUS
from milepost.v1 import ErrorReason, Rejected

__all__ = [
    "connection_error_text",
    "error_from_rejection",
    "error_from_status",
    "is_misconfigured",
    "request_too_large",
]

_DETAILS: Final = "grpc-status-details-bin"


def error_from_status(error: grpc.aio.AioRpcError, address: str) -> errors.MilepostError:
    """The SDK's error for the status of a call.

    Args:
        error: The error that gRPC raised.
        address: Address of the server, for the message.
    """
    code, message = error.code(), error.details() or ""
    info, bad_request, retry = _details(error)
    if info.domain != DOMAIN and code in _UNREACHABLE:
        return errors.Unreachable(address, connection_error_text(message, address))
    reason = reason_from_name(info.reason) if info.domain == DOMAIN else ErrorReason.ERROR_REASON_UNSPECIFIED
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, errors.ServiceError)
    return kind(
        message or code.name,
        reason=reason,
        code=code,
        metadata=info.metadata,
        violations=tuple((field.field, field.description) for field in bad_request.field_violations),
        retry_delay=retry.retry_delay.ToTimedelta().total_seconds()
        if retry.HasField("retry_delay")
        else None,
    )


def request_too_large(size: int) -> errors.TooLarge:
    """The error for a request of this many bytes, which the server would refuse as well."""
    return errors.TooLarge(
        f"The request is {size:,} bytes; at most {REQUEST_SIZE:,} ({REQUEST_SIZE // MIB} MiB) are accepted.",
        code=STATUS[ErrorReason.ERROR_REASON_TOO_LARGE],
        metadata={"size": str(size), "limit": str(REQUEST_SIZE)},
    )


def error_from_rejection(rejected: Rejected) -> errors.ServiceError:
    """The SDK's error for a rejection within a worker's session."""
    kind = _BY_REASON.get(rejected.reason, errors.ServiceError)
    return kind(
        rejected.message or reason_name(rejected.reason),
        reason=rejected.reason,
        code=STATUS.get(rejected.reason, grpc.StatusCode.UNKNOWN),
        metadata={"job_id": rejected.job_id, **({"state": state_name(rejected)} if rejected.state else {})},
        violations=((rejected.field, rejected.message),) if rejected.field else (),
    )


def connection_error_text(details: str, address: str = "") -> str:
    """A short text for people about a failed connection, from gRPC's details; the last detail if none is known.

    A name may have several addresses, of which gRPC's details have the last one that was tried: at another one the
    server may listen, and be out of reach for another reason. So where nobody listens, the text has that address,
    unless it is `address` itself.
    """
    for pattern, words in _CONNECTION_ERRORS:
        if pattern.search(details):
            tried = _TRIED.search(details)
            if words in _NOBODY_THERE and address and tried and unquote(tried[1]) != address:
                return f"{words} at {unquote(tried[1])}"
            return words
    # gRPC may append the bytes of an address.
    return _UNPRINTABLE.split(details.strip().rpartition(": ")[2].strip())[0]


def is_misconfigured(error: errors.MilepostError) -> bool:
    """Whether a server answers that does not fit the client's settings of TLS: waiting for it would not help."""
    return isinstance(error, errors.Unreachable) and error.why in _MISCONFIGURED


def _details(
    error: grpc.aio.AioRpcError,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo]:
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                for detail in status_pb2.Status.FromString(value).details:
                    for message in (info, bad_request, retry):
                        detail.Unpack(message)
            except DecodeError:  # perhaps from a proxy; the status code is still valid
                continue
    return info, bad_request, retry


_UNREACHABLE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

_BY_REASON: Final[dict[ErrorReason.ValueType, type[errors.ServiceError]]] = {
    reason: kind
    for kind in (
        errors.JobNotFound,
        errors.JobAlreadyExists,
        errors.JobEndedError,
        errors.JobNotEnded,
        errors.SequenceTrimmed,
        errors.SequenceAhead,
        errors.EpochChanged,
        errors.LeaseLost,
        errors.ReportGap,
        errors.InvalidField,
        errors.TooLarge,
        errors.LimitReached,
        errors.StoreUnavailable,
        errors.StoreFull,
        errors.Draining,
        errors.Unauthenticated,
        errors.TokenExpired,
        errors.PermissionDenied,
    )
    for reason in kind.reasons
}

_BY_CODE: Final = {
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.UNIMPLEMENTED: errors.Unimplemented,
}

NO_TLS: Final = "it does not speak TLS"
OTHER_NAME: Final = "its certificate is for another name"
UNTRUSTED_CERTIFICATE: Final = "its certificate is not trusted"
UNREADABLE_PEM: Final = "a certificate or key for TLS is not in PEM"
NO_GRPC: Final = "what listens there does not speak gRPC"
ENDED_AT_ONCE: Final = (
    "it ended the connection at once; it may expect TLS, or a client certificate that is valid for it"
)
"""Texts of `connection_error_text` on which the command has something else to say than on others."""

_REFUSED: Final = "connection refused"
_NO_ROUTE: Final = "there is no route to it"
_NOBODY_THERE: Final = frozenset({_REFUSED, _NO_ROUTE})
_MISCONFIGURED: Final = frozenset({NO_TLS, OTHER_NAME, UNTRUSTED_CERTIFICATE})

_TRIED: Final = re.compile(r"\bipv[46]:(\S+:\d+): ")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")

# The first match counts: gRPC's details go from the general to the particular.
_CONNECTION_ERRORS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        ("connection refused", _REFUSED),
        ("too many open files", "this process may open no more files"),
        ("wrong_version_number", NO_TLS),
        ("create security handshaker", UNREADABLE_PEM),
        ("hostname verification|hostname mismatch", OTHER_NAME),
        # Both pass with the next certificate, or the right time, and gRPC calls them CERTIFICATE_VERIFY_FAILED, too.
        ("certificate has expired", "its certificate has expired"),
        ("certificate is not yet valid", "its certificate is not valid yet"),
        ("certificate_verify_failed|issuer certificate|self.signed", UNTRUSTED_CERTIFICATE),
        ("name not found|name or service not known|lookup|resol", "its name is not known"),
        ("no route to host|network is unreachable", _NO_ROUTE),
        ("http1.x server|parsing http/2", NO_GRPC),
        ("timeout|timed out|deadline exceeded", "no answer"),
        # With TLS 1.3 the handshake has ended for the client when the server refuses its certificate.
        (r"failed to connect.*:\d+: (socket closed|recvmsg:connection reset)", ENDED_AT_ONCE),
        ("reset by peer|socket closed|broken pipe|goaway|recvmsg|eof", "the connection was cut"),
    )
)
