"""How far a job is, as far as estimates need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class StageProgress(NamedTuple):
    """How far a stage is. Times are in seconds from the start of the attempt."""

    start: float | None = None
    """None while it is pending."""
    end: float | None = None
    """None while it has not ended."""
    total: float | None = None
    """Units it will do; None if unknown."""
    units: float = 0.0
    """Units done."""
    first_units: float = 0.0
    """Units done at the first update that counted any."""
    first_update: float = 0.0
    """When that came."""
    last_update: float = 0.0
    """When the last update came that counted further units."""
    updates: int = 0
    """Updates that counted further units."""


class JobProgress(NamedTuple):
    """How far a job is."""

    elapsed: float
    """Seconds since the start of the attempt."""
    stages: Mapping[str, StageProgress]
    """The stages that contain no other ones, by id."""
    workload: float = 0.0
    """0 for unknown."""
    fraction: float | None = None
    """How much of the job is done; None if unknown."""
