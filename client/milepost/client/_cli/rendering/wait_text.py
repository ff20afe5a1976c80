"""What a queued job waits for, in words."""

from __future__ import annotations

from milepost.client._cli.rendering import text
from milepost.v1 import Waiting, WaitingFor

__all__ = ["WaitingNews", "is_amiss", "waiting_text"]


def waiting_text(waiting: Waiting, kind: str) -> str:
    """What a job of this kind waits for: ``no worker takes jobs of kind 'archve'; workers take 'archive'``."""
    name = text.clean(kind)
    match waiting.waiting_for:
        case WaitingFor.WAITING_FOR_CLAIM:
            return "waits to be claimed"
        case WaitingFor.WAITING_FOR_WORKER:
            near = " and ".join(f"'{text.clean(near)}'" for near in waiting.nearest_kinds)
            return f"no worker takes jobs of kind '{name}'{'; workers take ' if near else ''}{near}"
        case WaitingFor.WAITING_FOR_RECONNECT:
            why = "the server has just started, and workers may be reconnecting"
            return f"no worker takes jobs of kind '{name}' yet; {why}"
    takes = "takes" if waiting.workers == 1 else "take"
    return f"waits for its turn; {text.count(waiting.workers, 'worker')} {takes} jobs of kind '{name}'"


def is_amiss(waiting: Waiting) -> bool:
    """Whether somebody has to do something, or may have to."""
    return waiting.waiting_for in (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT)


class WaitingNews:
    """Finds out when what a job waits for is news to somebody who follows it, and who expects that it gets its turn."""

    def __init__(self) -> None:
        self._told: tuple[WaitingFor.ValueType, list[str]] = (WaitingFor.WAITING_FOR_TURN, [])

    def words(self, waiting: Waiting | None, kind: str) -> str:
        """What to say now; empty for nothing. How many workers there are is no news."""
        if waiting is None or self._told == (waiting.waiting_for, list(waiting.nearest_kinds)):
            return ""
        self._told = waiting.waiting_for, list(waiting.nearest_kinds)
        return waiting_text(waiting, kind)
