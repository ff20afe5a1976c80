"""Spans of time as people write them on a command line."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")


def span(told: str | float) -> float:
    """``90``, ``90s``, ``15m``, ``12h`` or ``7d``, in seconds; a default comes as the number that it is.

    Raises click.BadParameter.
    """
    match = _SPAN.fullmatch(str(told))
    if match is None:
        raise click.BadParameter(f"{told!r} is not a span of time such as 90s, 15m, 12h or 7d.")
    return float(match[1]) * _UNITS[match[2]]
