"""How the connection is, in words."""

from __future__ import annotations

from datetime import datetime

from milepost.client._cli.rendering import text
from milepost.client._cli.rendering.watched_job import Watched
from milepost.client._watch.job_watch import Connection

__all__ = ["link_text", "reason", "worth_telling"]


def link_text(watched: Watched, now: datetime) -> str:
    """How the connection is: ``live``, ``reconnecting in 3 s (…)``, ``live, resumed at 312``."""
    link = watched.source.connection
    if link.state == "live":
        resumed = f", resumed at {link.resumed_at:,}" if link.resumed_at is not None else ""
        behind = f", {text.count(watched.behind, 'event')} to catch up on" if watched.behind else ""
        return f"live{resumed}{behind}"
    left = max(link.retry_in - (now - watched.link_since).total_seconds(), 0.0)
    wait = f" in {left:.0f} s" if left >= 0.5 else ""
    why = f" ({reason(link.error)})" if link.error else ""
    return f"{link.state}{wait}{why}"


def reason(error: str) -> str:
    """The gist of what gRPC says of a lost connection, which goes from the general to the particular."""
    # Of a certificate that is not trusted it says at the end that the socket is OK.
    return text.clip(text.clean(error), 500).removesuffix(": OK").rpartition(": ")[2].rstrip(".]")


def worth_telling(now: Connection, before: Connection) -> bool:
    """Whether a change is news: that the connection is lost, and that it is there again; not each try between."""
    if now.state == "live":
        return now.resumed_at is not None
    return bool(now.error) and (now.state != before.state or not before.error)
