"""How long the event loop was blocked: a histogram of the durations of its passes."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

LONG_PASS_TIME: Final = 0.02
"""Seconds that a pass of the event loop may take before it counts as long: nobody else is served meanwhile."""

# Upper bounds of the histogram's buckets, in seconds; the last bucket has none.
_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class LoopLag:
    """The passes of the event loop so far, by how long each held it.

    Attributes:
        short: Those of at most a millisecond, as nearly all are. What measures them adds to it: an event of a watched
            job takes six, and a call for each would cost it more than the measurement.
        long_passes: Those over ``LONG_PASS_TIME``.
        longest: The longest, in seconds.
        longest_cpu: The most processor time that one took, in seconds. Where it is far below ``longest``, the machine
            was busy with other processes.
    """

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self.short = 0
        self.long_passes = 0
        self.longest = 0.0
        self.longest_cpu = 0.0

    @property
    def passes(self) -> int:
        """Their number."""
        return self.short + sum(self._counts)

    @property
    def p99(self) -> float:
        """Seconds that 99 % of the passes took at most: the upper bound of a bucket."""
        longer, longer_allowed = 0, self.passes // 100
        counts = self._counts[0] + self.short, *self._counts[1:]
        for bound, count in zip((self.longest, *reversed(_BOUNDS)), reversed(counts), strict=True):
            longer += count
            if longer > longer_allowed:
                return bound
        return 0.0

    def count(self, seconds: float, cpu: float) -> None:
        """Count a pass."""
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self.long_passes += seconds > LONG_PASS_TIME
        self.longest = max(self.longest, seconds)
        self.longest_cpu = max(self.longest_cpu, cpu)
