"""Durations as people write them, the same in every option of the command."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_PART: Final = re.compile(rf"({_NUMBER.pattern})(ms|[smhd])")
_PARTS: Final = re.compile(rf"(?:{_PART.pattern})+")
# The limit of google.protobuf.Duration.
_MAX_SECONDS: Final = 315_576_000_000


def seconds(text: str) -> float:
    """Parse ``90``, ``90s``, ``1m30s``, ``250ms``, ``12h`` or ``7d`` into seconds.

    Raises:
        ValueError: It is not a duration, is negative, or is longer than a Duration can be; the message says which.
    """
    unsigned = text.removeprefix("-")
    if _NUMBER.fullmatch(unsigned):
        length = float(unsigned)
    elif _PARTS.fullmatch(unsigned):
        length = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(unsigned))
    else:
        raise ValueError(
            f"{text!r} is not a length of time: give seconds, or units as in 90s, 1m30s, 12h, 7d."
        )
    if unsigned != text:
        raise ValueError(f"{text} is negative: a length of time is 0 or more.")
    if length > _MAX_SECONDS:
        raise ValueError(f"{text} is longer than 10,000 years.")
    return length
