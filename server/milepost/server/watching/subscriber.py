"""The receiving end of a stream: who called, its turns, and what sends to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

from milepost.server.watching.pacer import Pacer

Send: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends a serialised response; returns once gRPC accepts the next one."""


class Subscriber(NamedTuple):
    """One call of WatchJob or WatchJobs. ``caller`` is the key that its load is counted under."""

    caller: str
    send: Send
    pacer: Pacer

    async def turn(self) -> None:
        """Return when the stream has its turn to go on sending."""
        await self.pacer.turn(self.caller)
