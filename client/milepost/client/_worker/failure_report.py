"""Conversion of an exception to the Failure that subscribers see."""

from __future__ import annotations

import asyncio
import traceback
from typing import Final

from milepost.client._worker.truncation import failure_code, text_of, truncate, truncate_bytes
from milepost.client.errors import JobFailure
from milepost.contract.limits import FAILURE_DETAIL_SIZE, MESSAGE_LENGTH
from milepost.v1 import Failure

__all__ = ["failure_of", "is_unexpected"]

# Innermost frames of each exception in the chain.
_FRAME_LIMIT: Final = 50


def is_unexpected(error: BaseException) -> bool:
    """Whether developers need the traceback of what left a handler: it is no `JobFailure`, and no interruption."""
    return not isinstance(error, JobFailure | asyncio.CancelledError)


def failure_of(error: BaseException, *, detail: bool = True) -> Failure:
    """The Failure of an exception: the fields of a `JobFailure`, or class, text and traceback of any other exception.

    Any other exception is retryable: to make a failure final, raise a `JobFailure`.

    Args:
        error: The exception.
        detail: Whether to include the traceback.
    """
    if isinstance(error, JobFailure):
        return Failure(
            code=failure_code(error.code),
            message=truncate(error.message or error.code, MESSAGE_LENGTH),
            detail=truncate_bytes(error.detail or "", FAILURE_DETAIL_SIZE),
            retryable=bool(error.retryable),
        )
    name = type(error).__name__
    lines = traceback.format_exception(error, limit=-_FRAME_LIMIT) if detail else ()
    return Failure(
        code=failure_code(name),
        message=truncate(text_of(error) or name, MESSAGE_LENGTH),
        detail=truncate_bytes("".join(lines), FAILURE_DETAIL_SIZE),
        retryable=True,
    )
