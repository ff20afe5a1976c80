"""The line of a call, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote


def access_line(entry: Mapping[str, Any]) -> str:
    """A log entry of a call on one line: ``23:40:35 SubmitJob OK 4 ms 127.0.0.1 01a2...``."""
    parts = (
        entry["timestamp"],
        entry["method"].rpartition("/")[2],
        entry["code"],
        entry.get("reason", ""),
        _took(entry["seconds"]),
        _host(entry["peer"]),
        entry.get("job_id", ""),
    )
    return " ".join(part for part in parts if part)


def _took(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _host(peer: str) -> str:
    """As gRPC names it, without the scheme of an address, nor the port that it happens to come from."""
    scheme, _, place = unquote(peer).partition(":")
    return place.rpartition(":")[0].strip("[]") if scheme in ("ipv4", "ipv6") else unquote(peer)
