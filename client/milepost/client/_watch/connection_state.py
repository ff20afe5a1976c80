"""How a watch is connected, as those who follow it are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Connection"]


@dataclass(frozen=True)
class Connection:
    """How a watch is connected.

    Attributes:
        state: ``connecting`` for the first time, ``live``, ``reconnecting``, or ``polling``: calls are answered, but no
            lasting stream gets through, so the server is asked again and again.
        retry_in: Seconds until the next try; 0 unless reconnecting.
        resumed_at: The cursor that the stream was resumed at; None on the first one.
        error: Why the connection was lost; empty unless reconnecting or polling.
        fruitless: How many connections in a row were lost before they had brought anything; 0 once one does.
    """

    state: Literal["connecting", "live", "reconnecting", "polling"]
    retry_in: float = 0.0
    resumed_at: int | None = None
    error: str = ""
    fruitless: int = 0
