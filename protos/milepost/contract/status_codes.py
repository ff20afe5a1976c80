"""The gRPC status code of each error reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from milepost.v1 import ErrorReason

STATUS: Final[Mapping[ErrorReason.ValueType, grpc.StatusCode]] = {
    ErrorReason.ERROR_REASON_JOB_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.ERROR_REASON_JOB_ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.ERROR_REASON_JOB_ENDED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.ERROR_REASON_SEQUENCE_AHEAD: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.ERROR_REASON_EPOCH_CHANGED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ERROR_REASON_LEASE_LOST: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ERROR_REASON_REPORT_GAP: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ERROR_REASON_INVALID_FIELD: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.ERROR_REASON_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.ERROR_REASON_LIMIT_REACHED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.ERROR_REASON_STORE_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.ERROR_REASON_DRAINING: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.ERROR_REASON_JOB_NOT_ENDED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ERROR_REASON_UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.ERROR_REASON_TOKEN_EXPIRED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.ERROR_REASON_PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
}
