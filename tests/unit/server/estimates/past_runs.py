"""Past runs that forecasts are made from."""

from __future__ import annotations

from milepost.server.forecasting.calibration import Pool
from milepost.server.forecasting.kind_history import KindHistory
from milepost.server.forecasting.pace_curve import PaceCurve
from milepost.server.forecasting.past_run import PastRun, StageRun, past_run

__all__ = ["counted", "known", "staged"]


def staged(*spans: tuple[str, float, float], duration: float, workload: float = 0.0) -> PastRun:
    """A run with these stages, none of which counts units."""
    return past_run(duration, [StageRun(*span) for span in spans], workload)


def known(*runs: PastRun) -> KindHistory:
    """The history after these runs."""
    history = KindHistory(Pool())
    for position, run in enumerate(runs):
        history.add(run, position)
    return history


def counted(units: int, pace: float, stage_id: str = "s") -> PastRun:
    """A run of one stage that counts its units at an even pace."""
    knots = tuple(float(unit) for unit in range(units + 1))
    curve = PaceCurve(knots, tuple(pace * unit for unit in knots))
    return past_run(units * pace, [StageRun(stage_id, 0.0, units * pace, curve, True)])
