"""How large a job may become by what its worker says.

A job is shown as one message, which is to stay below what gRPC takes unless it is told otherwise. So what a worker adds
to it has a bound. What is said of stages that there are is taken all the same: texts that there is no room for are left
out. For the end of the job there is always room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from milepost.contract import limits
from milepost.fold import Fold, planned
from milepost.server.rpc.field_checks import Check
from milepost.v1 import Event

LEFT_OUT: Final = "[left out: the job is as large as it may be]"
"""In place of a text that there is no room for."""


class SizeBudget:
    """The room that a job has for what its worker says of it in one report."""

    __slots__ = ("_size", "is_ample")

    def __init__(self, size: int, report_size: int) -> None:
        """``size`` is that of the job before the report, without its input; ``report_size`` that of all updates."""
        # What an update adds to the job is no more than the update itself, so that most reports need no closer look.
        self.is_ample = size + report_size <= limits.JOB_SIZE
        """Whether there is room for all of the report, whatever it says."""
        self._size = None if self.is_ample else size

    def fit(self, state: Fold, event: Event) -> None:
        """Sees to it that there is room for the next event, as ``fit`` does."""
        if self._size is not None:
            self._size = fit(state, event, self._size)


def fit(state: Fold, event: Event, size: int) -> int:
    """The size of the job after the event, from that before it; in bytes, and without the job's input.

    Texts that there is no room for are left out of the event. Raises TOO_LARGE where a stage or an artifact is new.
    """
    name = event.WhichOneof("payload")
    if name not in _GROWTHS:
        return size
    growth = _GROWTHS[name](state, event)
    if growth <= 0 or size + growth <= limits.JOB_SIZE:
        return size + growth
    if name in _NEW and not (name == "stage_started" and event.stage_started.stage.stage_id in state.stages):
        check = Check()
        check.too_large(_NEW[name], f"would make the job larger than {limits.JOB_SIZE:,} bytes")
        check.refuse()
    for _ in _shorter(event):
        growth = _GROWTHS[name](state, event)
        if size + growth <= limits.JOB_SIZE:
            break
    return size + growth


_NEW: Final = {
    "stages_planned": "stages_planned.stages",
    "stage_started": "stage_started.stage",
    "artifact_added": "artifact_added.artifact",
}
"""What may be refused, and the field that says it."""


def _stages_planned(state: Fold, event: Event) -> int:
    settled = state.fixed_stage_ids()
    replaced = sum(planned(stage).ByteSize() for stage in state.job.stages if stage.stage_id not in settled)
    return sum(stage.ByteSize() for stage in event.stages_planned.stages) - replaced


def _stage_started(state: Fold, event: Event) -> int:
    told = event.stage_started.stage
    stage = state.stages.get(told.stage_id)
    if stage is None:
        return told.ByteSize()
    return sum(
        _replaced(old, new)
        for old, new in ((stage.title, told.title), (stage.unit, told.unit), (stage.message, told.message))
    )


def _stage_progressed(state: Fold, event: Event) -> int:
    told = event.stage_progressed
    if not told.message and not told.unit:  # as in most of them
        return 0
    stage = state.stages[told.stage_id]
    return _replaced(stage.message, told.message) + _replaced(stage.unit, told.unit)


def _stage_ended(state: Fold, event: Event) -> int:
    told = event.stage_ended
    return _replaced(state.stages[told.stage_id].message, told.message) + told.failure.ByteSize()


def _artifact_added(state: Fold, event: Event) -> int:
    return event.artifact_added.artifact.ByteSize()


_GROWTHS: Final[dict[str, Callable[[Fold, Event], int]]] = {
    "stages_planned": _stages_planned,
    "stage_started": _stage_started,
    "stage_progressed": _stage_progressed,
    "stage_ended": _stage_ended,
    "artifact_added": _artifact_added,
}
"""By how much each payload lets the job grow. For numbers and times there is room beside the bound."""


def _replaced(old: str, new: str) -> int:
    return _size(new) - _size(old) if new else 0


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _shorter(event: Event) -> Iterator[None]:
    """Leaves out texts of what is said of a stage: first the detail of its failure, then all."""
    match event.WhichOneof("payload"):
        case "stage_started":
            stage = event.stage_started.stage
            stage.title = stage.unit = ""
            stage.message = stage.message and LEFT_OUT
        case "stage_progressed":
            event.stage_progressed.unit = ""
            event.stage_progressed.message = event.stage_progressed.message and LEFT_OUT
        case "stage_ended":
            told = event.stage_ended
            if told.failure.detail:
                told.failure.detail = LEFT_OUT
                yield
            told.message = told.message and LEFT_OUT
            if told.failure.message:
                told.failure.message = LEFT_OUT
    yield
