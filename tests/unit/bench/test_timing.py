"""The statistic by which two samples of times are told apart."""

from __future__ import annotations

import random

import pytest

from bench.timing import Separation, separation


@pytest.mark.parametrize(
    ("ones", "others", "auc"),
    [
        ([1, 2, 3], [1, 2, 3], 0.5),
        ([4, 5], [1, 2, 3], 1.0),
        ([1, 2, 3], [4, 5], 0.0),
        ([2, 4], [1, 3], 0.75),
        ([1, 1], [1, 1], 0.5),
    ],
)
def test_the_area_counts_ties_half(ones: list[float], others: list[float], auc: float) -> None:
    """It is the part of pairs of which the first is larger; ties count half."""
    assert separation(ones, others, 0.95).auc == auc


def test_the_interval_covers_the_true_value() -> None:
    """Of many samples of one distribution about as many intervals miss 0.5 as they may."""
    source = random.Random(1)

    def sample(shift: float = 0.0) -> list[float]:
        return [source.lognormvariate(0, 1) + shift for _ in range(200)]

    missed = sum(separation(sample(), sample(), 0.95).tells_apart for _ in range(400))
    assert 8 <= missed <= 36  # 20 are expected; the bounds hold in 9,999 of 10,000 cases
    assert sum(separation(sample(1.0), sample(), 0.95).tells_apart for _ in range(100)) == 100


def test_chance_is_no_difference() -> None:
    """An interval with 0.5 in it tells nothing apart."""
    assert not Separation(0.52, 0.49, 0.55).tells_apart
    assert [Separation(0.6, 0.51, 0.7).tells_apart, Separation(0.4, 0.3, 0.49).tells_apart] == [True, True]
