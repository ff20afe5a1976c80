"""State of the connection, and why a job is still queued, in words."""

from __future__ import annotations

from datetime import datetime

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._watch.connection_state import Connection
from milepost.v1 import Waiting, WaitingFor

__all__ = [
    "WaitingNotices",
    "connection_text",
    "error_cause",
    "is_reportable",
    "needs_attention",
    "waiting_text",
]


def connection_text(watched: WatchedJob, now: datetime) -> str:
    """Describe the connection: ``live``, ``reconnecting in 3 s (…)``, ``live, resumed at 312``."""
    connection = watched.source.connection
    if connection.state == "live":
        resumed = f", resumed at {connection.resumed_at:,}" if connection.resumed_at is not None else ""
        behind = f", {text.count(watched.behind, 'event')} to catch up on" if watched.behind else ""
        return f"live{resumed}{behind}"
    left = max(connection.retry_in - (now - watched.connection_since).total_seconds(), 0.0)
    wait = f" in {left:.0f} s" if left >= 0.5 else ""
    cause = f" ({error_cause(connection.error)})" if connection.error else ""
    return f"{connection.state}{wait}{cause}"


def error_cause(error: str) -> str:
    """The last and most specific part of gRPC's message about a lost connection."""
    # For an untrusted certificate the message ends with the state of the socket, which is "OK".
    return text.one_line(error, 500).removesuffix(": OK").rpartition(": ")[2].rstrip(".]")


def is_reportable(now: Connection, before: Connection) -> bool:
    """Whether to report a change: a lost and a restored connection, not each retry in between."""
    if now.state == "live":
        return now.resumed_at is not None
    return bool(now.error) and (now.state != before.state or not before.error)


def waiting_text(waiting: Waiting, kind: str) -> str:
    """Why a job of ``kind`` is queued: ``no worker takes jobs of kind 'archve'; workers take 'archive'``."""
    name = text.escaped(kind)
    match waiting.waiting_for:
        case WaitingFor.WAITING_FOR_CLAIM:
            return "waits to be claimed"
        case WaitingFor.WAITING_FOR_WORKER:
            near = " and ".join(f"'{text.escaped(near)}'" for near in waiting.nearest_kinds)
            return f"no worker takes jobs of kind '{name}'{'; workers take ' if near else ''}{near}"
        case WaitingFor.WAITING_FOR_RECONNECT:
            why = "the server has just started, and workers may be reconnecting"
            return f"no worker takes jobs of kind '{name}' yet; {why}"
    takes = "takes" if waiting.workers == 1 else "take"
    return f"waits for its turn; {text.count(waiting.workers, 'worker')} {takes} jobs of kind '{name}'"


def needs_attention(waiting: Waiting) -> bool:
    """Whether the job may stay queued until somebody acts."""
    return waiting.waiting_for in (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT)


class WaitingNotices:
    """Report why a job is queued when that changes. Waiting behind other jobs is expected, and not reported first."""

    def __init__(self) -> None:
        self._last: tuple[WaitingFor.ValueType, list[str]] = (WaitingFor.WAITING_FOR_TURN, [])

    def next_notice(self, waiting: Waiting | None, kind: str) -> str:
        """The notice for ``waiting``; empty if nothing but the number of workers changed."""
        if waiting is None or self._last == (waiting.waiting_for, list(waiting.nearest_kinds)):
            return ""
        self._last = waiting.waiting_for, list(waiting.nearest_kinds)
        return waiting_text(waiting, kind)
