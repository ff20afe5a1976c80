"""Past runs as they are stored."""

from __future__ import annotations

import math
import struct

import pytest

from milepost.server.forecasting.pace_curve import PaceCurve
from milepost.server.forecasting.past_progress import progress_at
from milepost.server.forecasting.past_run import StageRun, past_run
from milepost.server.forecasting.run_encoding import (
    RUN_BYTES,
    DamagedRun,
    UnknownRun,
    decode,
    encode,
    encode_stages,
)
from tests.unit.server.estimates.past_runs import counted, known, staged


def test_a_run_survives_its_encoding() -> None:
    """To the precision of floats of four bytes."""
    stages = [*(step.stage for step in counted(9, 1.0).steps), StageRun("t", 9.0, 9.25)]
    run = past_run(9.5, stages, 3.0, ended=1_600_000_000_123_456_789)
    assert decode(encode(run)) == run


def test_a_run_that_ends_beyond_the_range_of_the_format() -> None:
    """A clock that is centuries fast, or a recording of odd times: nothing fails, and the end is the last there is."""
    assert decode(encode(past_run(9.5, [], ended=2**63))).ended == 2**63 - 1


def test_a_run_without_its_end_is_read() -> None:
    """As earlier servers stored it."""
    stored = struct.pack("<BddH", 1, 9.5, 3.0, 1) + struct.pack("<HB?dd", 1, 0, False, 1.0, 9.0) + b"t"
    assert decode(stored) == past_run(9.5, [StageRun("t", 1.0, 9.0)], 3.0)


def test_a_large_run_is_encoded_without_its_shortest_stages() -> None:
    """Within its bound."""
    spans = [("x" * 200 + str(n), float(n * n), float((n + 1) ** 2)) for n in range(64)]
    run = staged(*spans, duration=64.0**2)
    encoded = encode(run)
    kept = [step.stage.stage_id for step in decode(encoded).steps]
    assert len(encoded) <= RUN_BYTES
    assert kept == [span[0] for span in spans][-len(kept) :]


def test_a_run_of_a_newer_version_is_refused() -> None:
    """It is not guessed."""
    with pytest.raises(UnknownRun):
        decode(b"\xff" + encode(counted(1, 1.0))[1:])


@pytest.mark.parametrize(
    "units",
    [(1e8, 1e8 + 3), (1e-50, 1.0), (1e-50,), (1e30, 1e30 * (1 + 1e-15))],
    ids=["bytes", "least", "none", "most"],
)
def test_units_that_four_bytes_do_not_tell_apart(units: tuple[float, ...]) -> None:
    """Such as bytes of a large file, of which few are left at the last update: later jobs have an estimate."""
    curve = PaceCurve((0.0, *units), (0.0, 4.0, 5.0)[: len(units) + 1])
    run = past_run(5.0, [StageRun("s", 0.0, 5.0, curve, True)])
    found = known(*[decode(encode(run))] * 3).remaining(progress_at(run, 4.5))

    assert found is not None
    assert 0 < found.p50 <= found.p90


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["duration", "workload", "start", "end", "units", "seconds"])
def test_a_run_with_a_number_that_is_none_is_refused(place: str, number: float) -> None:
    """A damaged one would make each estimate of its kind none, and the weights of the stages of later jobs."""
    numbers = {"duration": 9.5, "workload": 3.0, "start": 1.0, "end": 9.0, "units": 7.0, "seconds": 8.0}
    numbers[place] = number
    curve = PaceCurve((0.0, numbers["units"]), (0.0, numbers["seconds"]))
    stage = StageRun("s", numbers["start"], numbers["end"], curve)
    with pytest.raises(DamagedRun):
        decode(encode_stages(numbers["duration"], [stage], numbers["workload"], 0))
