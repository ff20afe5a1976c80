"""Lengths of time as people write them, the same for every option of the command."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_PART: Final = re.compile(rf"({_NUMBER.pattern})(ms|[smhd])")
_PARTS: Final = re.compile(rf"(?:{_PART.pattern})+")
_LONGEST: Final = 315_576_000_000  # the bound of a protobuf duration


def seconds(told: str) -> float:
    """The seconds of ``90``, ``90s``, ``1m30s``, ``250ms``, ``12h`` or ``7d``.

    Raises:
        ValueError: It is none, it is negative, or it is longer than a Duration can be; the message says so.
    """
    size = told.removeprefix("-")
    if _NUMBER.fullmatch(size):
        length = float(size)
    elif _PARTS.fullmatch(size):
        length = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(size))
    else:
        raise ValueError(
            f"{told!r} is not a length of time: give seconds, or units as in 90s, 1m30s, 12h, 7d."
        )
    if size != told:
        raise ValueError(f"{told} is negative: a length of time is 0 or more.")
    if length > _LONGEST:
        raise ValueError(f"{told} is longer than {_LONGEST} seconds, 10,000 years.")
    return length
