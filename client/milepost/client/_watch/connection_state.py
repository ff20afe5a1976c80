"""The connection state of a watch, as its callbacks receive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milepost.client._watch.transport_fallback import TransportMode

__all__ = ["Connection", "interrupted"]


@dataclass(frozen=True)
class Connection:
    """How a watch is connected.

    Attributes:
        state: ``connecting`` for the first time, ``live``, ``reconnecting``, or ``polling``: the server answers calls,
            but no long-lived stream gets through, so the SDK polls it.
        retry_in: Seconds until the next attempt; 0 unless reconnecting.
        resumed_at: The cursor at which the stream resumed; None for the first one.
        error: Why the connection was lost; empty unless reconnecting or polling.
        fruitless: Consecutive connections that were lost before they delivered anything; 0 once one delivers.
    """

    state: Literal["connecting", "live", "reconnecting", "polling"]
    retry_in: float = 0.0
    resumed_at: int | None = None
    error: str = ""
    fruitless: int = 0


def interrupted(
    error: str, retry_in: float, mode: TransportMode, fruitless: int, *, connected_before: bool
) -> Connection:
    """The state after an error, until the next attempt in this transport mode."""
    if mode is not TransportMode.STREAM:
        return Connection("polling", retry_in, error=error, fruitless=fruitless)
    state: Literal["connecting", "reconnecting"] = "reconnecting" if connected_before else "connecting"
    return Connection(state, retry_in, error=error, fruitless=fruitless)
