"""How far apart two durations may be."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from milepost.client._diff.values import Change

__all__ = ["DEFAULT_SLACK", "Tolerance", "parse_ratio"]

DEFAULT_SLACK: Final = 1.0
"""Seconds: what starts late on a busy machine is not slower."""

_RATIO: Final = re.compile(r"(?P<percent>\d{1,7}(?:\.\d{1,6})?)\s*%|(?P<ratio>\d{1,7}(?:\.\d{1,6})?)\s*[x×]?")


@dataclass(frozen=True)
class Tolerance:
    """Which durations count as different.

    Attributes:
        ratio: The longer one of two is at most this many times the other one, 1 or more; infinite: none differ.
        slack: Seconds by which any two may differ.
    """

    ratio: float = math.inf
    slack: float = DEFAULT_SLACK

    def judge(self, a: float, b: float) -> Change | None:
        """How ``b`` differs from ``a``, both in seconds; None if that is tolerated."""
        # Infinitely many times nothing is no number, and no bound.
        if self.ratio == math.inf or abs(a - b) <= self.slack or max(a, b) <= min(a, b) * self.ratio:
            return None
        return Change.SLOWER if b > a else Change.FASTER


def parse_ratio(text: str) -> float:
    """Parse ``20%`` or ``1.2``, also ``1.2x``: a ratio.

    Raises:
        ValueError: It is neither, or less than 1.
    """
    found = _RATIO.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is neither a percentage, such as 20%, nor a ratio, such as 1.2.")
    if found["percent"]:
        return 1 + float(found["percent"]) / 100
    if (ratio := float(found["ratio"])) < 1:
        raise ValueError(f"{text!r} is less than 1. For {ratio * 100:g} percent write {ratio * 100:g}%.")
    return ratio
