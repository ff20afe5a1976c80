"""Limit the size that a job may reach by its worker's reports.

Clients receive a job as one message, which must stay below gRPC's default limit. A new stage or artifact that does not
fit is refused. Updates of existing stages are always accepted, but their texts are omitted where they do not fit. The
end of the job always fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from milepost.contract import limits
from milepost.fold import Fold, planned
from milepost.server.messages.field_checks import Check
from milepost.v1 import Event

OMITTED: Final = "[left out: the job is as large as it may be]"
"""Replaces a text that does not fit."""


class SizeBudget:
    """The bytes that one report may add to a job."""

    __slots__ = ("_size", "is_ample")

    def __init__(self, size: int, report_size: int) -> None:
        """``size`` is that of the job before the report, without its input; ``report_size`` that of all updates."""
        # An update adds no more bytes than it has itself, so that most reports need no exact count.
        self.is_ample = size + report_size <= limits.JOB_SIZE
        """Whether all of the report fits, whatever it contains."""
        self._size = None if self.is_ample else size

    def fit(self, fold: Fold, event: Event) -> None:
        """Make the next event fit, as the function ``fit`` does."""
        if self._size is not None:
            self._size = fit(fold, event, self._size)


def fit(fold: Fold, event: Event, size: int) -> int:
    """Return the size of the job after the event, from that before it, in bytes and without the job's input.

    Texts that do not fit are omitted from the event. Raises TOO_LARGE where a new stage or artifact does not fit.
    """
    name = event.WhichOneof("payload")
    if name not in _GROWTHS:
        return size
    growth = _GROWTHS[name](fold, event)
    if growth <= 0 or size + growth <= limits.JOB_SIZE:
        return size + growth
    if name in _REFUSABLE and not (
        name == "stage_started" and event.stage_started.stage.stage_id in fold.stages
    ):
        check = Check()
        check.too_large(_REFUSABLE[name], f"would make the job larger than {limits.JOB_SIZE:,} bytes")
        check.refuse()
    for _ in _shorten(event):
        growth = _GROWTHS[name](fold, event)
        if size + growth <= limits.JOB_SIZE:
            break
    return size + growth


_REFUSABLE: Final = {
    "stages_planned": "stages_planned.stages",
    "stage_started": "stage_started.stage",
    "artifact_added": "artifact_added.artifact",
}
"""The payloads that may be refused, each with its field."""


def _stages_planned(fold: Fold, event: Event) -> int:
    fixed = fold.fixed_stage_ids()
    replaced = sum(planned(stage).ByteSize() for stage in fold.job.stages if stage.stage_id not in fixed)
    return sum(stage.ByteSize() for stage in event.stages_planned.stages) - replaced


def _stage_started(fold: Fold, event: Event) -> int:
    reported = event.stage_started.stage
    stage = fold.stages.get(reported.stage_id)
    if stage is None:
        return reported.ByteSize()
    return sum(
        _replaced(old, new)
        for old, new in (
            (stage.title, reported.title),
            (stage.unit, reported.unit),
            (stage.message, reported.message),
        )
    )


def _stage_progressed(fold: Fold, event: Event) -> int:
    reported = event.stage_progressed
    if not reported.message and not reported.unit:  # most updates
        return 0
    stage = fold.stages[reported.stage_id]
    return _replaced(stage.message, reported.message) + _replaced(stage.unit, reported.unit)


def _stage_ended(fold: Fold, event: Event) -> int:
    reported = event.stage_ended
    return _replaced(fold.stages[reported.stage_id].message, reported.message) + reported.failure.ByteSize()


def _artifact_added(fold: Fold, event: Event) -> int:
    return event.artifact_added.artifact.ByteSize()


_GROWTHS: Final[dict[str, Callable[[Fold, Event], int]]] = {
    "stages_planned": _stages_planned,
    "stage_started": _stage_started,
    "stage_progressed": _stage_progressed,
    "stage_ended": _stage_ended,
    "artifact_added": _artifact_added,
}
"""The growth of the job by each payload, in bytes, without numbers and times: the limit leaves room for those."""


def _replaced(old: str, new: str) -> int:
    return _size(new) - _size(old) if new else 0


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _shorten(event: Event) -> Iterator[None]:
    """Omit texts from an update of a stage, step by step: first the detail of its failure, then all."""
    match event.WhichOneof("payload"):
        case "stage_started":
            stage = event.stage_started.stage
            stage.title = stage.unit = ""
            stage.message = stage.message and OMITTED
        case "stage_progressed":
            event.stage_progressed.unit = ""
            event.stage_progressed.message = event.stage_progressed.message and OMITTED
        case "stage_ended":
            reported = event.stage_ended
            if reported.failure.detail:
                reported.failure.detail = OMITTED
                yield
            reported.message = reported.message and OMITTED
            if reported.failure.message:
                reported.failure.message = OMITTED
    yield
