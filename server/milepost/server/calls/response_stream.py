"""What a method that streams its responses needs of its call, by gRPC as by HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple


class ResponseStream(NamedTuple):
    """The responses of one call; in place of gRPC's context."""

    write: Callable[[Any], Awaitable[None]]
    """Writes a response; returns once the next one may follow. Some take offers, see ``subscriber.Send``."""
