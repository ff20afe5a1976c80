"""Map errors of the store to refusals, and repeat what the store did not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from milepost.server.base.refusal import Refusal
from milepost.server.log.log_errors import (
    Conflict,
    NoRoomForCopy,
    StoreBehind,
    StoreDisplaced,
    StoreFailed,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
    StreamUnusable,
)
from milepost.v1 import ErrorReason

STORE_ERRORS = (StoreFull, StoreFailed, Conflict)

STORE_RETRY_DELAY: Final = 1.0
"""Backoff in seconds before work is repeated that failed with an error of the store."""

_Result = TypeVar("_Result")


async def retry_store_errors(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat the work for as long as the store fails. For what nobody else would repeat."""
    while True:
        try:
            return await work()
        except STORE_ERRORS:
            await asyncio.sleep(STORE_RETRY_DELAY)


def refusal_of(error: BaseException) -> Refusal | None:
    """The refusal of an error; None if the error is a fault of the server."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, NoRoomForCopy):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_FULL,
            f"A copy of the log takes {error.needed:,} bytes of the server's disk for a while, and must leave "
            f"{error.reserve:,} for the log; {error.free:,} are free. Free some disk space.",
        )
    if isinstance(error, StoreFull):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_FULL,
            "The server's disk is full; nothing was changed. Free some disk space.",
        )
    if isinstance(error, StoreLocked):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "Another process has locked the server's database; nothing was changed. Try again.",
            retry_delay=1.0,
        )
    if isinstance(error, StreamUnusable):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "The server's log in NATS was changed or lost; nothing is written before an operator has mended it, and "
            "nothing was changed. The server's log says what is wrong.",
            retry_delay=5.0,
        )
    if isinstance(error, StoreBehind):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "This server cannot read now what others may have written about the job, and changed nothing. Try again, "
            "perhaps at another one.",
            retry_delay=1.0,
        )
    if isinstance(error, StoreUnavailable):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "The server's store does not answer, so whether this was done is not known. Try again.",
            retry_delay=1.0,
        )
    if isinstance(error, StoreDisplaced):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "The server's data was moved, deleted or replaced while it ran, so it writes no more and ends; whether "
            "this was done is not known. Try again once it has been started again; its log says which file it missed.",
            retry_delay=1.0,
        )
    if isinstance(error, StoreFailed | Conflict):
        return Refusal(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
            "The server's store does not answer; nothing was changed. Try again.",
            retry_delay=1.0,
        )
    return None
