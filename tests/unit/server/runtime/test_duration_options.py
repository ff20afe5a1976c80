"""Durations as options of the server."""

from __future__ import annotations

import click
import pytest

from milepost.server.cli.options import duration


@pytest.mark.parametrize("text", ["0", "1", "20m", "90d"])
def test_durations_without_bounds(text: str) -> None:
    """Without bounds."""
    assert duration()(text) >= 0.0


@pytest.mark.parametrize("text", ["1", "1s", "30m", "1h"])
def test_a_length_within_bounds(text: str) -> None:
    """Bounds are inclusive."""
    assert 1.0 <= duration(1, 3600)(text) <= 3600.0


@pytest.mark.parametrize(
    ("expected", "text", "bounds"),
    [
        ("0 is out of bounds: it must be 1s to 3600s.", "0", (1, 3600)),
        ("2h is out of bounds: it must be 1s to 3600s.", "2h", (1, 3600)),
        ("0s is out of bounds: it must be at least 0.01s.", "0s", (0.01,)),
        ("-1s is negative: a length of time is 0 or more.", "-1s", ()),
    ],
)
def test_a_length_out_of_bounds(expected: str, text: str, bounds: tuple[float, ...]) -> None:
    """The error names the bounds."""
    with pytest.raises(click.BadParameter) as raised:
        duration(*bounds)(text)

    assert raised.value.message == expected
