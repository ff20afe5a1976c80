"""Forecast the remaining time of a job of which no run is known, from its own pace."""

from __future__ import annotations

from typing import Final

from milepost.server.forecasting.forecast import Forecast
from milepost.server.forecasting.job_progress import JobProgress

_UPDATES: Final = 3
_FRACTION: Final = 0.05
"""Minimum updates, and minimum fraction done, from which a pace counts as evidence."""


def pace_forecast(progress: JobProgress) -> Forecast | None:
    """The remaining time at the pace of the running stage, and of what is left of the job; None without evidence."""
    running = [
        now for now in progress.stages.values() if now.start is not None and now.end is None and now.total
    ]
    now = max(running, key=lambda stage: stage.updates, default=None)
    if now is None or now.total is None or now.start is None or now.updates < _UPDATES:
        return None
    fraction = progress.fraction
    if fraction is None or fraction < _FRACTION or now.units <= now.first_units:
        return None
    pace = (now.last_update - now.first_update) / (now.units - now.first_units)
    since = progress.elapsed - now.last_update
    left = max((now.total - now.units) * pace - since, 0.0)
    if len(progress.stages) > 1:
        # What else there is to do takes as much longer as there is more of it.
        done_here = now.units / now.total
        spent = progress.elapsed - since
        rest = max(spent * (1 - fraction) / fraction - since, 0.0)
        left = max(left, rest) if done_here < 1 else rest
    return Forecast(left, now.updates)
