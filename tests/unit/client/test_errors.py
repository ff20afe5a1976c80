"""Refusals become errors by their reason, never by their text."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from milepost.client import errors
from milepost.client._transport.error_mapping import error_from_status
from milepost.contract.reasons import DOMAIN, reason_name
from milepost.contract.status_codes import STATUS
from milepost.v1 import Cancellation, ErrorReason, Failure, Job

ADDRESS = "example.test:7070"

BY_REASON: dict[ErrorReason.ValueType, type[errors.ServiceError]] = {
    ErrorReason.ERROR_REASON_JOB_NOT_FOUND: errors.JobNotFound,
    ErrorReason.ERROR_REASON_JOB_ALREADY_EXISTS: errors.JobAlreadyExists,
    ErrorReason.ERROR_REASON_JOB_ENDED: errors.JobEndedError,
    ErrorReason.ERROR_REASON_JOB_NOT_ENDED: errors.JobNotEnded,
    ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED: errors.SequenceTrimmed,
    ErrorReason.ERROR_REASON_SEQUENCE_AHEAD: errors.SequenceAhead,
    ErrorReason.ERROR_REASON_EPOCH_CHANGED: errors.EpochChanged,
    ErrorReason.ERROR_REASON_LEASE_LOST: errors.LeaseLost,
    ErrorReason.ERROR_REASON_REPORT_GAP: errors.ReportGap,
    ErrorReason.ERROR_REASON_INVALID_FIELD: errors.InvalidField,
    ErrorReason.ERROR_REASON_TOO_LARGE: errors.TooLarge,
    ErrorReason.ERROR_REASON_LIMIT_REACHED: errors.LimitReached,
    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE: errors.StoreUnavailable,
    ErrorReason.ERROR_REASON_STORE_FULL: errors.StoreFull,
    ErrorReason.ERROR_REASON_DRAINING: errors.Draining,
    ErrorReason.ERROR_REASON_UNAUTHENTICATED: errors.Unauthenticated,
    ErrorReason.ERROR_REASON_TOKEN_EXPIRED: errors.TokenExpired,
    ErrorReason.ERROR_REASON_PERMISSION_DENIED: errors.PermissionDenied,
}
REASONS = [reason for reason in ErrorReason.values() if reason != ErrorReason.ERROR_REASON_UNSPECIFIED]


def status(
    code: grpc.StatusCode, text: str = "", *details: Message, raw: bytes | None = None
) -> grpc.aio.AioRpcError:
    """The error that gRPC raises for a status with these details."""
    packed = []
    for detail in details:
        packed.append(Any())
        packed[-1].Pack(detail)
    encoded = status_pb2.Status(code=code.value[0], message=text, details=packed).SerializeToString()
    trailing = grpc.aio.Metadata(
        ("other", "value"), ("grpc-status-details-bin", encoded if raw is None else raw)
    )
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, text)


def info(name: str, domain: str = DOMAIN, **metadata: str) -> error_details_pb2.ErrorInfo:
    """An ErrorInfo with a reason."""
    return error_details_pb2.ErrorInfo(reason=name, domain=domain, metadata=metadata)


@pytest.mark.parametrize("reason", REASONS, ids=reason_name)
def test_every_reason_has_an_error_of_its_own(reason: ErrorReason.ValueType) -> None:
    """Each reason of the contract has its own class, with the code, the text and the metadata."""
    error = error_from_status(
        status(STATUS[reason], "As it is.", info(reason_name(reason), job_id="j")), ADDRESS
    )
    assert BY_REASON[reason] is type(error)
    assert isinstance(error, errors.ServiceError)
    assert (reason, STATUS[reason], {"job_id": "j"}) == (error.reason, error.code, error.metadata)
    assert str(error) == "As it is."


def test_fields_of_cursor_errors_are_typed() -> None:
    """The metadata of a reason are typed attributes."""
    metadata = {"requested": "4", "first": "10", "head": "90"}
    trimmed = error_from_status(
        status(grpc.StatusCode.OUT_OF_RANGE, "", info("SEQUENCE_TRIMMED", **metadata)), ADDRESS
    )
    assert isinstance(trimmed, errors.SequenceTrimmed)
    assert (trimmed.requested, trimmed.first, trimmed.head) == (4, 10, 90)
    changed = error_from_status(
        status(grpc.StatusCode.FAILED_PRECONDITION, "", info("EPOCH_CHANGED", requested="a", epoch="b")),
        ADDRESS,
    )
    assert isinstance(changed, errors.EpochChanged)
    assert (changed.requested, changed.epoch) == ("a", "b")
    gap = error_from_status(
        status(grpc.StatusCode.FAILED_PRECONDITION, "", info("REPORT_GAP", expected="3", received="5")),
        ADDRESS,
    )
    assert isinstance(gap, errors.ReportGap)
    assert (gap.expected, gap.received) == (3, 5)


@pytest.mark.parametrize(("metadata", "unknown"), [({}, False), ({"outcome": "unknown"}, True)])
def test_an_unknown_outcome_is_an_attribute(metadata: dict[str, str], unknown: bool) -> None:
    """A program need not look for it in the message."""
    error = error_from_status(
        status(grpc.StatusCode.UNAVAILABLE, "", info("STORE_UNAVAILABLE", **metadata)), ADDRESS
    )
    assert isinstance(error, errors.StoreUnavailable)
    assert unknown is error.outcome_is_unknown


def test_violations_and_delays_are_carried() -> None:
    """`BadRequest` has the fields, and `RetryInfo` the retry delay."""
    violation = error_details_pb2.BadRequest.FieldViolation(field="kind", description="must not be empty")
    error = error_from_status(
        status(
            grpc.StatusCode.INVALID_ARGUMENT,
            "Bad.",
            info("INVALID_FIELD"),
            error_details_pb2.BadRequest(field_violations=[violation]),
            error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)),
        ),
        ADDRESS,
    )
    assert isinstance(error, errors.InvalidField)
    assert (error.violations, error.retry_delay) == ((("kind", "must not be empty"),), 2.5)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.Unreachable),
        (grpc.StatusCode.UNAUTHENTICATED, errors.Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, errors.PermissionDenied),
        (grpc.StatusCode.UNIMPLEMENTED, errors.Unimplemented),
        (grpc.StatusCode.INTERNAL, errors.ServiceError),
        (grpc.StatusCode.NOT_FOUND, errors.ServiceError),
    ],
)
def test_without_a_reason_the_code_decides(code: grpc.StatusCode, kind: type[errors.MilepostError]) -> None:
    """A status without a reason of this contract maps by its code, whatever its text."""
    for details in ([], [info("JOB_NOT_FOUND", domain="example.test")]):
        assert kind is type(error_from_status(status(code, "JOB_NOT_FOUND", *details), ADDRESS))


def test_a_reason_of_a_newer_server_is_a_service_error() -> None:
    """An error with an unknown reason has its code and text."""
    error = error_from_status(status(grpc.StatusCode.ABORTED, "New.", info("NOT_KNOWN_YET")), ADDRESS)
    assert type(error) is errors.ServiceError
    assert (error.reason, error.code) == (ErrorReason.ERROR_REASON_UNSPECIFIED, grpc.StatusCode.ABORTED)


def test_details_that_cannot_be_read_leave_the_code() -> None:
    """Undecodable trailers of a proxy do not hide the status."""
    error = error_from_status(status(grpc.StatusCode.UNAVAILABLE, "gone", raw=b"\xff\xff"), ADDRESS)
    assert isinstance(error, errors.Unreachable)
    assert str(error) == "The server at example.test:7070 cannot be reached: gone"


def test_every_error_says_something() -> None:
    """The docstring is the default message."""
    assert str(errors.JobNotFound()) == "There is no such job."
    assert str(errors.ProtocolError()) == "The server violated the contract."


def test_the_error_of_a_job_has_the_job() -> None:
    """The error has the ended job."""
    failed = errors.JobFailed(Job(job_id="j", failure=Failure(code="NO_DISK", message="The disk is gone.")))
    assert str(failed) == "Job j failed: The disk is gone. (NO_DISK)"
    assert failed.failure.code == "NO_DISK"
    cancelled = errors.JobCancelled(Job(job_id="j", cancellation=Cancellation(reason="too late")))
    assert str(cancelled) == "Job j was cancelled: too late"
    assert cancelled.cancellation.reason == "too late"
    assert str(errors.JobLost(Job(job_id="j"))) == "Job j is lost: its worker is gone."
