"""State of the connection, and why a job is still queued, in words."""

from __future__ import annotations

from datetime import datetime

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._watch.job_watch import Connection
from milepost.v1 import Waiting, WaitingFor

__all__ = ["WaitingNotices", "connection_text", "is_reportable", "needs_attention", "reason", "waiting_text"]


def connection_text(watched: WatchedJob, now: datetime) -> str:
    """How the connection is: ``live``, ``reconnecting in 3 s (…)``, ``live, resumed at 312``."""
    link = watched.source.connection
    if link.state == "live":
        resumed = f", resumed at {link.resumed_at:,}" if link.resumed_at is not None else ""
        behind = f", {text.count(watched.behind, 'event')} to catch up on" if watched.behind else ""
        return f"live{resumed}{behind}"
    left = max(link.retry_in - (now - watched.connection_since).total_seconds(), 0.0)
    wait = f" in {left:.0f} s" if left >= 0.5 else ""
    why = f" ({reason(link.error)})" if link.error else ""
    return f"{link.state}{wait}{why}"


def reason(error: str) -> str:
    """The gist of what gRPC says of a lost connection, which goes from the general to the particular."""
    # Of a certificate that is not trusted it says at the end that the socket is OK.
    return text.truncate(text.clean(error), 500).removesuffix(": OK").rpartition(": ")[2].rstrip(".]")


def is_reportable(now: Connection, before: Connection) -> bool:
    """Whether a change is news: that the connection is lost, and that it is there again; not each try between."""
    if now.state == "live":
        return now.resumed_at is not None
    return bool(now.error) and (now.state != before.state or not before.error)


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


def needs_attention(waiting: Waiting) -> bool:
    """Whether somebody has to do something, or may have to."""
    return waiting.waiting_for in (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT)


class WaitingNotices:
    """Finds out when what a job waits for is news to somebody who follows it, and who expects that it gets its turn."""

    def __init__(self) -> None:
        self._told: tuple[WaitingFor.ValueType, list[str]] = (WaitingFor.WAITING_FOR_TURN, [])

    def words(self, waiting: Waiting | None, kind: str) -> str:
        """What to say now; empty for nothing. How many workers there are is no news."""
        if waiting is None or self._told == (waiting.waiting_for, list(waiting.nearest_kinds)):
            return ""
        self._told = waiting.waiting_for, list(waiting.nearest_kinds)
        return waiting_text(waiting, kind)
