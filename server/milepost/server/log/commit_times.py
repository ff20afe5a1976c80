"""How long commits take until they are durable, counted by their time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds up to which commits are counted together. A sync takes a millisecond or ten; writers wait five seconds."""


class CommitTimes:
    """The times of a store's commits. One thread notes them, any thread may read them.

    Attributes:
        seconds: Their sum.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._counts = [0] * (len(BOUNDS) + 1)

    def note(self, seconds: float) -> None:
        """Count a commit that took this long."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def up_to(self) -> Sequence[int]:
        """The number of commits that took at most each of ``BOUNDS``, and at the end that of all."""
        return list(accumulate(self._counts))
