"""A call that is made until the server answers it, for code that nobody calls again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.unexplained_errors import UnexplainedErrors
from milepost.client.errors import MilepostError

__all__ = ["until_answered"]

_Result = TypeVar("_Result")


async def until_answered(call: Callable[[], Awaitable[_Result]]) -> _Result:
    """The result of a call, which is made again after each error that may pass; a caller bounds the time.

    Raises:
        MilepostError: The server has refused it, or an error without a reason has come too often in a row.
    """
    backoff, unexplained = Backoff(), UnexplainedErrors()
    while True:
        try:
            return await call()
        except MilepostError as error:
            if not unexplained.may_repeat(error):
                raise
        await asyncio.sleep(backoff.next_delay())
