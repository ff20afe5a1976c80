"""How the connection is, in words."""

from __future__ import annotations

from datetime import datetime

from milepost.client.rendering import text
from milepost.client.rendering.watched import Watched

__all__ = ["link_text"]


def link_text(watched: Watched, now: datetime) -> str:
    """How the connection is: ``live``, ``reconnecting in 3 s: …``, ``live, resumed at 312``."""
    link = watched.source.connection
    if link.state == "live":
        resumed = f", resumed at {link.resumed_at:,}" if link.resumed_at is not None else ""
        behind = f", {text.count(watched.behind, 'event')} to catch up on" if watched.behind else ""
        return f"live{resumed}{behind}"
    left = max(link.retry_in - (now - watched.link_since).total_seconds(), 0.0)
    wait = f" in {left:.0f} s" if left >= 0.5 else ""
    reason = f": {text.clip(text.clean(link.error), 200)}" if link.error else ""
    return f"{link.state}{wait}{reason}"
