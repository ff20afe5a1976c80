"""The stage updates of a reporter."""

from __future__ import annotations

from milepost.client._worker.reporter import Reporter
from milepost.v1 import (
    Failure,
    Stage,
    StageEnded,
    StageProgressed,
    StageStarted,
    StageState,
    Update,
)


def said(reporter: Reporter, now: float = 1e9) -> list[Update]:
    """All updates, with pending progress."""
    updates = []
    while (batch := reporter.next_batch(now)) is not None:
        updates += batch.updates
        reporter.acknowledge(reporter.last)
    return updates


def started(stage_id: str, **fields: float | str) -> Update:
    """The start of a stage."""
    stage = Stage(stage_id=stage_id)
    for name, value in fields.items():
        setattr(stage, name, value)
    return Update(stage_started=StageStarted(stage=stage))


def progressed(stage_id: str, current: float, total: float | None = None, message: str = "") -> Update:
    """Progress of a stage."""
    return Update(
        stage_progressed=StageProgressed(stage_id=stage_id, current=current, total=total, message=message)
    )


def ended(stage_id: str, state: str, message: str = "", failure: Failure | None = None) -> Update:
    """The end of a stage."""
    return Update(
        stage_ended=StageEnded(
            stage_id=stage_id,
            state=StageState.Value(f"STAGE_STATE_{state}"),
            message=message,
            failure=failure,
        )
    )
