"""Access log lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote


def access_line(entry: Mapping[str, Any]) -> str:
    """Format the log entry of a call: ``23:40:35 SubmitJob OK 4 ms 127.0.0.1 01a2...``."""
    parts = (
        entry["timestamp"],
        entry["method"].rpartition("/")[2],
        entry["code"],
        entry.get("reason", ""),
        _duration(entry["seconds"]),
        _host(entry["peer"]),
        entry.get("subject", ""),
        entry.get("job_id", ""),
    )
    return " ".join(part for part in parts if part)


def _duration(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _host(peer: str) -> str:
    """The peer as gRPC names it, of an address without scheme and port."""
    scheme, _, address = unquote(peer).partition(":")
    return address.rpartition(":")[0].strip("[]") if scheme in ("ipv4", "ipv6") else unquote(peer)
