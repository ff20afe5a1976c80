"""Names of error reasons in ``google.rpc.ErrorInfo``."""

from __future__ import annotations

from typing import Final

from milepost.v1 import ErrorReason

DOMAIN: Final = "milepost.v1"
"""The domain of every ``google.rpc.ErrorInfo`` of the service."""

ATTEMPT_OVER: Final = frozenset(
    {
        ErrorReason.ERROR_REASON_LEASE_LOST,
        ErrorReason.ERROR_REASON_JOB_ENDED,
        ErrorReason.ERROR_REASON_JOB_NOT_FOUND,
    }
)
"""Reasons after which a worker reports no more on the attempt."""

_PREFIX = "ERROR_REASON_"


def reason_name(reason: ErrorReason.ValueType) -> str:
    """The value of ``ErrorInfo.reason``: ``"JOB_NOT_FOUND"``."""
    return ErrorReason.Name(reason).removeprefix(_PREFIX)


def reason_from_name(name: str) -> ErrorReason.ValueType:
    """The reason of that name; UNSPECIFIED if this version does not know it."""
    full_name = _PREFIX + name
    return (
        ErrorReason.Value(full_name)
        if full_name in ErrorReason.keys()
        else ErrorReason.ERROR_REASON_UNSPECIFIED
    )
