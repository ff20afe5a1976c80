"""Durations of several runs, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["Sample", "sample"]


@dataclass(frozen=True)
class Sample:
    """Durations in seconds: the median, and the quartiles on both sides of it, between which half of them are."""

    count: int
    median: float
    low: float
    high: float


def sample(values: Sequence[float]) -> Sample | None:
    """Sum up durations; None without any."""
    if not values:
        return None
    low, _, high = (
        quantiles(values, n=4, method="inclusive") if len(values) > 1 else (*values, *values, *values)
    )
    return Sample(len(values), median(values), low, high)
