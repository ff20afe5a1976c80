"""Map errors of the store to refusals, and repeat what the store did not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from milepost.server.base.refusal import Refusal
from milepost.server.log.log_errors import StoreError

STORE_RETRY_DELAY: Final = 1.0
"""Backoff in seconds before work is repeated that failed with an error of the store."""

_Result = TypeVar("_Result")


async def retry_store_errors(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat the work for as long as the store fails. For what nobody else would repeat."""
    while True:
        try:
            return await work()
        except StoreError:
            await asyncio.sleep(STORE_RETRY_DELAY)


def refusal_of(error: BaseException) -> Refusal | None:
    """The refusal of an error; None if the error is a fault of the server."""
    if isinstance(error, StoreError):
        metadata = {"outcome": "unknown"} if error.outcome_is_unknown else {}
        return Refusal(error.reason, error.message, metadata=metadata, retry_delay=error.retry_delay)
    return error if isinstance(error, Refusal) else None
