"""The end of a block: the error that its job gets, and the error that its code raises. Pure functions."""

from __future__ import annotations

import asyncio

from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.failure_report import failure_of
from milepost.client.errors import JobFailure, MilepostError

__all__ = ["error_of_job", "error_to_raise"]


def error_of_job(error: BaseException | None, *, is_stopped: bool) -> BaseException | None:
    """The error as a handler would raise it. A copy, since the block raises its own exception itself.

    Args:
        error: The exception that left the block, if any.
        is_stopped: Whether the block was told to stop.
    """
    if error is None:
        return None
    if isinstance(error, asyncio.CancelledError):
        if is_stopped:
            return asyncio.CancelledError()
        return JobFailure("INTERRUPTED", "The code that ran the job was cancelled.", retryable=True)
    failure = failure_of(error)
    return JobFailure(failure.code, failure.message, failure.detail, failure.retryable)


def error_to_raise(
    error: BaseException | None,
    *,
    stop_reason: MilepostError | Cancelled | None,
    refusal: MilepostError | None,
    goes_on: bool,
) -> BaseException | None:
    """The exception to raise from the block in place of `error`; None for `error` itself.

    An exception of the block itself has precedence. A block that completed although it was to stop has succeeded
    (rule 17), unless the server did not accept its end.

    Args:
        error: The exception that left the block, if any.
        stop_reason: Why the block was told to stop.
        refusal: The error of the server that ended the lease, if any.
        goes_on: Whether the block goes on, without being reported, when its job is taken from it.
    """
    if error is not None:
        return stop_reason if isinstance(error, asyncio.CancelledError) else None
    if refusal is None or (goes_on and not isinstance(stop_reason, Cancelled)):
        return None
    return stop_reason or refusal
