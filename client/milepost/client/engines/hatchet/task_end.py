"""Convert the end of a task for Milepost and for Hatchet, and its input and result."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from hatchet_sdk import NonRetryableException
from pydantic import BaseModel

from milepost.client._worker.failure_report import failure_of
from milepost.client.engines.hatchet.task_run import TaskRun
from milepost.client.errors import JobFailure

__all__ = ["as_mapping", "failure_for_job", "final_error", "timeout_for_job"]

_logger = logging.getLogger("milepost.client")


def failure_for_job(error: BaseException, run: TaskRun, *, is_final: bool = False) -> JobFailure:
    """The failure of the job, without a traceback.

    Hatchet retries any exception but a `NonRetryableException`, until the task's retries are used.

    Args:
        error: What left the task.
        run: The attempt.
        is_final: Whether Hatchet does not retry the task, whatever the exception, since the run was cancelled.
    """
    is_final = is_final or run.retry_count + 1 >= run.max_attempts
    if isinstance(error, asyncio.CancelledError):
        text = "The task was interrupted, not by a cancellation of the job."
        return JobFailure("INTERRUPTED", text, retryable=not is_final)
    failure = failure_of(error, detail=False)
    is_final = is_final or isinstance(final_error(error) or error, NonRetryableException)
    return JobFailure(failure.code, failure.message, retryable=not is_final)


def timeout_for_job(run: TaskRun, error: str) -> JobFailure:
    """The failure of an attempt that Hatchet has timed out, whatever its function does.

    Args:
        run: The attempt.
        error: What Hatchet's engine says of it; empty once it has started the next attempt.
    """
    text = f"Hatchet: {error}" if error else "Hatchet's timeout of the task was over."
    return JobFailure("ATTEMPT_TIMEOUT", text, retryable=run.retry_count + 1 < run.max_attempts)


def final_error(error: BaseException) -> NonRetryableException | None:
    """The exception that keeps Hatchet from retrying, for a `JobFailure` that is final; None for any other."""
    if isinstance(error, JobFailure):
        failure = failure_of(error, detail=False)
        if not failure.retryable:
            return NonRetryableException(f"{failure.code}: {failure.message}")
    return None


def as_mapping(value: object) -> Mapping[str, Any] | None:
    """The input or result of a task as values of JSON; None for anything that Hatchet does not take.

    Serializers of the application run here. An error of theirs is logged, and fails no task.
    """
    try:
        if isinstance(value, BaseModel):
            value = value.model_dump(mode="json")
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = dataclasses.asdict(value)
    except Exception:  # as above
        _logger.exception("input or result of a task omitted")
        return None
    return value if isinstance(value, Mapping) else None
