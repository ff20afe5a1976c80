"""Durations as text, for logs."""

from __future__ import annotations

__all__ = ["elapsed_text"]


def elapsed_text(seconds: float) -> str:
    """A duration for people: ``0.3 s``, ``12.5 s``, ``4 min 5 s``, ``3 h 12 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
