"""Write what messages say about one job to its context."""

from __future__ import annotations

from typing import Final

from milepost.client._bridge.mapped_message import MappedMessage, stage_id
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.stage_context import StageContext
from milepost.contract.limits import STAGES
from milepost.v1 import Stage

__all__ = ["OVERALL", "JobWriter"]

OVERALL: Final = "overall"
"""The stage that shows how far the whole job is. Where messages say that, the stages beside it weigh nothing."""

_PERCENT: Final = 100.0


class JobWriter:
    """The stages of one job, as its messages bring them."""

    def __init__(self, job: JobContext, *, sequential: bool, has_fraction: bool) -> None:
        """Start the stage of the whole job, if messages say how far that is.

        Args:
            job: Gets the reports.
            sequential: Whether a stage has ended as soon as another one starts.
            has_fraction: Whether messages say how far the whole job is.
        """
        self._job = job
        self._sequential = sequential
        self._has_fraction = has_fraction
        # None where a stage cannot be, since there are too many.
        self._stages: dict[str, StageContext | None] = {}
        self._working: StageContext | None = None
        if has_fraction:
            self._stage(OVERALL, unit="%", weight=1.0)

    def write(self, message: MappedMessage, *, essential: bool = False) -> None:
        """Report what the message says, except the end of the job.

        Args:
            message: The message.
            essential: Omit log lines and events, because too much waits to be sent.
        """
        stage = self._named_stage(message) if message.stage else self._working
        if (
            message.fraction is not None
            and (overall := self._stage(OVERALL, unit="%", weight=1.0)) is not None
        ):
            overall.update(_percent(message.fraction), total=_PERCENT)
        current, total = message.current, message.total
        if message.stage_fraction is not None:
            current, total = _percent(message.stage_fraction), _PERCENT
        if (current, total, message.message) != (None, None, None):
            stage = stage or (None if message.stage else self._stage(OVERALL, unit=message.unit))
            if stage is not None:
                stage.update(current, total=total, message=message.message)
        if message.log and not essential:
            self._job.log(message.log, severity=message.severity, stage=stage or "")
        if message.event and not essential:
            self._job.emit(message.event, message.data or {})

    def _named_stage(self, message: MappedMessage) -> StageContext | None:
        """The stage that a message names; None if it has ended before, or cannot be."""
        unit = "%" if message.stage_fraction is not None else message.unit
        stage = self._stage(stage_id(message.stage), title=message.stage, unit=unit)
        if self._sequential and stage is not None and stage is not self._working:
            if self._working is not None:
                self._working.__exit__(None, None, None)
                self._stages[self._working.stage_id] = None
            self._working = stage
        return stage

    def _stage(
        self, name: str, *, title: str = "", unit: str = "", weight: float = 0.0
    ) -> StageContext | None:
        """A stage, which starts if it is new."""
        if name in self._stages:
            return self._stages[name]
        if len(self._stages) > STAGES:  # the first one that was too many is in the log
            return None
        try:
            if self._has_fraction:
                # Only planned stages let the fraction of the job be known.
                self._job.plan([Stage(stage_id=name, title=title, unit=unit, weight=weight)])
            stage = self._job.stage(
                name, title=title, unit=unit, weight=weight if self._has_fraction else None
            ).__enter__()
        except ValueError as error:
            self._stages[name] = None
            self._job.log(f"Not reported: {error}", severity="warning")
            return None
        self._stages[name] = stage
        return stage


def _percent(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0) * _PERCENT
