"""From an exception to the failure that subscribers see."""

from __future__ import annotations

import traceback
from typing import Final

from milepost.client._worker.truncation import clip, clip_bytes, failure_code, text_of
from milepost.client.errors import JobFailure
from milepost.contract.limits import FAILURE_DETAIL_SIZE, MESSAGE_LENGTH
from milepost.v1 import Failure

__all__ = ["failure_of"]

# The innermost ones, of each exception in the chain.
_FRAMES: Final = 50


def failure_of(error: BaseException, *, detail: bool = True) -> Failure:
    """What an exception says: a `JobFailure` says it itself, any other by its class, its text and its traceback.

    Any other is retryable: whoever wants a failure to be final raises a `JobFailure`.

    Args:
        error: What was raised.
        detail: With the traceback, for developers.
    """
    if isinstance(error, JobFailure):
        return Failure(
            code=failure_code(error.code),
            message=clip(error.message or error.code, MESSAGE_LENGTH),
            detail=clip_bytes(error.detail or "", FAILURE_DETAIL_SIZE),
            retryable=bool(error.retryable),
        )
    name = type(error).__name__
    lines = traceback.format_exception(error, limit=-_FRAMES) if detail else ()
    return Failure(
        code=failure_code(name),
        message=clip(text_of(error) or name, MESSAGE_LENGTH),
        detail=clip_bytes("".join(lines), FAILURE_DETAIL_SIZE),
        retryable=True,
    )
