"""How the end of a task ends its job. Pure functions."""

from __future__ import annotations

import asyncio

from celery.exceptions import Ignore, Reject, Retry

from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.truncation import text_of
from milepost.client.errors import JobFailure

__all__ = ["GivenBack", "job_error"]


class GivenBack(Exception):
    """The run was cut off: its job waits for the next one, or, if it was cancelled, ends."""


def job_error(error: BaseException, *, cancelled: bool) -> BaseException | None:
    """The exception that ends the job of a task which raised `error`; None if the job succeeds.

    Celery decides about retries, so a failure is final unless Celery runs the task again. Tracebacks stay in the
    worker: they may show what nobody who sees the job should.

    Args:
        error: What left the task.
        cancelled: Whether the job was cancelled before.
    """
    if isinstance(error, asyncio.CancelledError):
        return error
    if isinstance(error, Retry):
        return _retried(error.exc if isinstance(error.exc, Exception) else error)
    if isinstance(error, Reject):
        reason, requeue = _arguments(error)
        text = f"The task rejected its message: {reason}" if reason else "The task rejected its message."
        return JobFailure("REJECTED", text, retryable=requeue)
    if isinstance(error, Ignore):
        return None
    if isinstance(error, Exception):
        failure = failure_of(error, detail=False)
        return JobFailure(failure.code, failure.message, failure.detail, retryable=False)
    if cancelled:
        return asyncio.CancelledError()
    return GivenBack()  # the process was told to stop, and its parent knows why


def _arguments(rejected: Reject) -> tuple[str, bool]:
    """Why the task rejected its message, and whether that is delivered again; a subclass may have other arguments."""
    reason = getattr(rejected, "reason", None)  # its type stubs lack these attributes
    return "" if reason is None else text_of(reason), bool(getattr(rejected, "requeue", False))


def _retried(cause: Exception) -> JobFailure:
    failure = failure_of(cause, detail=False)
    return JobFailure(failure.code, failure.message, failure.detail, retryable=True)
