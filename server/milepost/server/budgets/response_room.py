"""Memory for responses that clients have not read: wait for room, or refuse."""

from __future__ import annotations

import asyncio
from typing import Final

from milepost.server.base.refusal import Refusal
from milepost.server.budgets.byte_budget import Charge
from milepost.v1 import ErrorReason

RESPONSE_MEMORY: Final = 64 << 20
"""Bytes of responses that clients have not read yet."""

RESPONSE_COPIES: Final = 2
"""Copies in memory of a response that is being sent: gRPC makes one of its own."""

RESPONSE_TIMEOUT: Final = 10.0
"""Seconds that a response waits for the caller to read earlier ones."""

RETRY_DELAY: Final = 5.0
"""Seconds after which a caller without room may try again."""


async def wait_for_room(charge: Charge, size: int) -> None:
    """Charge ``size`` bytes more, all copies counted, once they fit. Raises LIMIT_REACHED where they do not in time."""
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            await charge.acquire(size)
    except TimeoutError:
        raise unread() from None


def unread() -> Refusal:
    """The refusal of a caller that has too many unread responses."""
    return limit_reached("This caller has not read the responses that there is room for", "response-memory")


def limit_reached(what: str, option: str) -> Refusal:
    """The refusal for a limit on memory, which is temporary. ``option`` is that of the server, without dashes."""
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"{what}. Try again, send or ask for less at once, or raise --{option}.",
        metadata={"limit": option},
        retry_delay=RETRY_DELAY,
    )
