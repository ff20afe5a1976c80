"""Which estimate is worth another status."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.timestamps import SECOND, timestamp
from milepost.server.watching.status_estimates import differs, interval
from milepost.v1 import Estimate


def estimate(left: float, made: int = 0, most: float | None = None) -> Estimate:
    """So much is left, as of so many seconds."""
    p50, p90 = Duration(), Duration()
    p50.FromNanoseconds(round(left * SECOND))
    p90.FromNanoseconds(round((left if most is None else most) * SECOND))
    return Estimate(remaining_p50=p50, remaining_p90=p90, as_of=timestamp(made * SECOND))


@pytest.mark.parametrize(
    ("expected", "said", "now"),
    [
        (False, None, None),
        (True, None, estimate(9)),
        (True, estimate(9), None),
        (False, estimate(100), estimate(90, 10)),  # counted down, it is the same
        (False, estimate(110), estimate(104, 10)),
        (True, estimate(110), estimate(106, 10)),  # 6 of 100 seconds more
        (False, estimate(12), estimate(2.9, 10)),  # 0.9 of 2 seconds: nobody would see it
        (True, estimate(12), estimate(3.1, 10)),
        (True, estimate(100, most=120), estimate(90, 10, most=200)),
        (True, estimate(100), Estimate(overdue=True, as_of=timestamp(0))),
        (False, Estimate(overdue=True), Estimate(overdue=True)),
    ],
)
def test_a_change_that_clients_would_see(expected: bool, said: Estimate | None, now: Estimate | None) -> None:
    """By a twentieth, and by a second, of what they count down to."""
    assert differs(said, now, 10 * SECOND) == expected


def test_long_jobs_are_looked_at_less_often() -> None:
    """Each second within the last minute, and each ten seconds at least."""
    said = [None, estimate(0), estimate(50), estimate(200), estimate(86_400)]
    assert [interval(each) for each in said] == [1, 1, 1, 4, 10]
