"""Conversion of an exception to the Failure that subscribers see."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from typing import Final

from milepost.client._worker.truncation import failure_code, text_of, truncate, truncate_bytes
from milepost.client.errors import JobFailure
from milepost.contract.limits import FAILURE_DETAIL_SIZE, MESSAGE_LENGTH
from milepost.v1 import Failure

__all__ = ["failure_of", "is_unexpected", "traceback_of"]

# Innermost frames of each exception in the chain.
_FRAME_LIMIT: Final = 50


def is_unexpected(error: BaseException) -> bool:
    """Whether developers need the traceback of what left a handler: it is no `JobFailure`, and no interruption."""
    return not isinstance(error, JobFailure | asyncio.CancelledError)


def failure_of(error: BaseException, *, detail: bool = True) -> Failure:
    """The Failure of an exception: the fields of a `JobFailure`, or class, text and traceback of any other exception.

    Any other exception is retryable: to make a failure final, raise a `JobFailure`. Nothing here raises, since a job
    whose failure is not reported runs on; a `JobFailure` whose fields cannot be read is as any other exception.

    Args:
        error: The exception.
        detail: Whether to include the traceback.
    """
    if isinstance(error, JobFailure):
        with contextlib.suppress(Exception):  # a subclass may call no `__init__`, or replace the fields
            return Failure(
                code=failure_code(error.code),
                message=truncate(error.message or error.code, MESSAGE_LENGTH),
                detail=truncate_bytes(error.detail or "", FAILURE_DETAIL_SIZE),
                retryable=bool(error.retryable),
            )
    name = type(error).__name__
    return Failure(
        code=failure_code(name),
        message=truncate(text_of(error) or name, MESSAGE_LENGTH),
        detail=truncate_bytes(traceback_of(error), FAILURE_DETAIL_SIZE) if detail else "",
        retryable=True,
    )


def traceback_of(error: BaseException) -> str:
    """The traceback as Python prints it, with the innermost frames; why there is none, where Python cannot."""
    try:
        return "".join(traceback.format_exception(error, limit=-_FRAME_LIMIT))
    except Exception as broken:  # noqa: BLE001 - such as of a SyntaxError with a column that is no number
        return f"The traceback cannot be shown: {type(broken).__name__}: {text_of(broken)}"
