"""State of the connection, and why a job is still queued, in words."""

from __future__ import annotations

from datetime import datetime

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.estimate_text import queue_text
from milepost.client._watch.connection_state import Connection
from milepost.v1 import Job, Waiting, WaitingFor

__all__ = [
    "ConnectionNotices",
    "WaitingNotices",
    "connection_text",
    "error_cause",
    "needs_attention",
    "waiting_text",
]


def connection_text(connection: Connection, waited: float = 0.0, behind: int = 0) -> str:
    """Describe a connection: ``live``, ``reconnecting in 3 s (…)``, ``live, resumed at 312``.

    Args:
        connection: The connection.
        waited: Seconds since it entered this state.
        behind: Number of known events that have not arrived yet.
    """
    if connection.state == "live":
        resumed = f", resumed at {connection.resumed_at:,}" if connection.resumed_at is not None else ""
        missing = f", {text.count(behind, 'event')} to catch up on" if behind else ""
        return f"live{resumed}{missing}"
    left = max(connection.retry_in - waited, 0.0)
    wait = f" in {left:.0f} s" if left >= 0.5 else ""
    cause = f" ({error_cause(connection.error)})" if connection.error else ""
    return f"{connection.state}{wait}{cause}"


def error_cause(error: str) -> str:
    """The last and most specific part of gRPC's message about a lost connection."""
    # For an untrusted certificate the message ends with the state of the socket, which is "OK".
    return text.one_line(error, 500).removesuffix(": OK").rpartition(": ")[2].rstrip(".]")


def waiting_text(waiting: Waiting, job: Job, now: datetime) -> str:
    """Why ``job`` is queued: ``no worker takes jobs of kind 'archve'; workers take 'archive'``.

    A job of another engine that has children is done by these. If it waits for its turn, its place and when it may
    start: ``3rd of 5, starts in about 02:10; 2 workers take …``.
    """
    name = text.escaped(job.kind)
    kinds = " and ".join(f"'{text.escaped(near)}'" for near in waiting.nearest_kinds)
    others = f"; workers take {kinds}" if kinds else ""
    match waiting.waiting_for:
        case WaitingFor.WAITING_FOR_CLAIM:
            return "waits for its children" if job.planned_children else "waits to be claimed"
        case WaitingFor.WAITING_FOR_WORKER:
            return f"no worker takes jobs of kind '{name}'{others}"
        case WaitingFor.WAITING_FOR_RECONNECT:
            why = "the server has just started, and workers may be reconnecting"
            return f"no worker takes jobs of kind '{name}' yet{others}; {why}"
        case WaitingFor.WAITING_FOR_CONCURRENCY:
            return "as many jobs of its concurrency key are active as it allows"
    takes = "takes" if waiting.workers == 1 else "take"
    return (
        f"{queue_text(waiting, now)}; {text.count(waiting.workers, 'worker')} {takes} jobs of kind '{name}'"
    )


def needs_attention(waiting: Waiting) -> bool:
    """Whether the job may stay queued until somebody acts."""
    return waiting.waiting_for in (WaitingFor.WAITING_FOR_WORKER, WaitingFor.WAITING_FOR_RECONNECT)


class ConnectionNotices:
    """Report that a connection was lost or restored, but not each retry in between."""

    def __init__(self) -> None:
        self._last = Connection("connecting")

    def is_news(self, connection: Connection) -> bool:
        """Whether to report this change."""
        before, self._last = self._last, connection
        if connection.state == "live":
            return connection.resumed_at is not None
        return bool(connection.error) and (connection.state != before.state or not before.error)


class WaitingNotices:
    """Report why a job is queued when that changes. Waiting behind other jobs is expected, and not reported first."""

    def __init__(self) -> None:
        self._last: tuple[WaitingFor.ValueType, list[str]] = (WaitingFor.WAITING_FOR_TURN, [])

    def next_notice(self, waiting: Waiting | None, job: Job, now: datetime) -> str:
        """The notice for ``waiting``; empty if nothing but its place or the number of workers changed."""
        if waiting is None or self._last == (waiting.waiting_for, list(waiting.nearest_kinds)):
            return ""
        self._last = waiting.waiting_for, list(waiting.nearest_kinds)
        return waiting_text(waiting, job, now)
