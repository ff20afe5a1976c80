"""When jobs start that wait for others: list scheduling, first come, first served, on the slots of workers."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A time that something takes, in seconds."""

    p50: float
    spread: float
    """The 90th percentile is so much later. Those of times in a row add up as independent ones: by their squares."""

    @property
    def p90(self) -> float:
        """The 90th percentile."""
        return self.p50 + self.spread

    def then(self, other: Span, times: int = 1) -> Span:
        """This, and after it the other one, so many times."""
        return Span(self.p50 + times * other.p50, math.hypot(self.spread, math.sqrt(times) * other.spread))


NO_TIME = Span(0.0, 0.0)


def start_of(slots: Sequence[Span], ahead: int, run: Span) -> Span:
    """When a job starts after ``ahead`` others that each take ``run``, on slots that are free after these times."""
    rounds, rest = divmod(ahead, len(slots))
    free = list(slots)
    heapq.heapify(free)
    for _ in range(rest):
        heapq.heapreplace(free, free[0].then(run))
    # In each full round every slot takes one of them: exact where they all take the same.
    return free[0].then(run, rounds)


def end_of(running: Sequence[Span], waiting: Sequence[Span], width: int) -> Span:
    """When the last of these jobs ends, of which ``width`` run at once at most, the waiting ones in their order."""
    free = list(running)
    free += [NO_TIME] * max(width - len(free), 0)
    heapq.heapify(free)
    for span in waiting:
        heapq.heapreplace(free, free[0].then(span))
    return Span(
        max(span.p50 for span in free), max(span.p90 for span in free) - max(span.p50 for span in free)
    )
