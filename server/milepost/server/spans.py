"""Spans of time as people write them on a command line."""

from __future__ import annotations

import re

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")


class Span(click.ParamType[float]):
    """``90``, ``90s``, ``15m``, ``12h`` or ``7d``; in seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See ``click.ParamType``."""
        if isinstance(value, int | float):
            return float(value)
        match = _SPAN.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not a span of time such as 90s, 15m, 12h or 7d.", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "s"]
